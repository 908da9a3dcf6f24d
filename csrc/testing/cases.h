// Problems with known answers, from a file that tests/support/case_file.py writes: an op, its operands and attributes,
// the inputs, and each result with how far a kernel may be from it. The op's reference in Python is the judge.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/program.h"

namespace striate {

struct Expected {
  bool is_real = false;
  std::vector<unsigned char> bytes;  // not is_real: these, bit for bit
  std::vector<double> exact;         // is_real: float32 values within bounds of these
  // Of an algorithm (a part of its kernels' names) that states its own bound; "", the last, of every other.
  std::vector<std::pair<std::string, std::vector<double>>> bounds;

  const std::vector<double>& bounds_of(const std::string& kernel) const {
    size_t i = 0;
    while (i + 1 < bounds.size() && kernel.find(bounds[i].first) == std::string::npos) ++i;
    return bounds[i].second;
  }
};

struct Case {
  std::string op, label;
  OwnedSpec spec;
  std::vector<std::vector<unsigned char>> inputs;
  std::vector<Expected> expected;
  std::vector<std::pair<int, int>> in_place;  // (result, input) that may share memory
};

// Throws std::runtime_error for what is no such file.
std::vector<Case> read_cases(const std::string& path);

}  // namespace striate
