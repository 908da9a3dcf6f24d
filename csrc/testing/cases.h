// Problems with known answers, from a file that tests/support/case_file.py writes: an op, its operands and attributes,
// the inputs, and each result with how far a kernel may be from it. The op's reference in Python is the judge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/program.h"

namespace striate {

struct Expected {
  bool is_real = false;
  std::vector<unsigned char> bytes;   // not is_real: these, bit for bit
  std::vector<double> exact, bounds;  // is_real: float32 values within bounds of exact
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
