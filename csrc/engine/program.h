// A program as the planner wrote it, before anything in it is believed. src/striate/engine/program.py has the same
// format in Python; csrc/bind copies one into the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/kernel.h"

namespace striate {

struct ExternalDecl {
  uint64_t bytes;
  bool writable;
  bool is_state;  // a Variable's: a run that has begun to write any must come to its end
};

struct Place {
  int64_t base;  // 0: the arena; 1 + i: external i
  uint64_t offset;
};

// A StepSpec that owns what it points at.
struct OwnedSpec {
  std::vector<Operand> operands;  // inputs, then results
  int32_t n_inputs = 0, n_outputs = 0;
  std::vector<int64_t> ints;
  std::vector<double> floats;

  // Takes an operand's dtype and dims; throws std::invalid_argument where they are no tensor.
  void add_operand(int64_t dtype, const std::vector<int64_t>& dims);
  StepSpec view() const;
};

struct StepDecl {
  std::string kernel;
  std::vector<Place> places;
  OwnedSpec spec;
  int64_t guard = -1;  // -1: always; else the step runs where guards[guard] is not 0
};

struct ProgramDecl {
  uint64_t arena_bytes = 0;
  std::vector<ExternalDecl> externals;
  std::vector<StepDecl> steps;
};

size_t dtype_bytes(DType dtype);
const char* dtype_name(DType dtype);
uint64_t operand_bytes(const Operand& operand);

}  // namespace striate
