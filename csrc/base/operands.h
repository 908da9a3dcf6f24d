// Small checks and sums that families share when they prepare a step.
#pragma once

#include "base/kernel.h"

// Preparing is rare, and its code would be copied into every kernel's PrepareFn.
#define STRIATE_NOINLINE [[maybe_unused]] static __attribute__((noinline))

namespace striate {
namespace {

[[maybe_unused]] inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
[[maybe_unused]] inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
[[maybe_unused]] inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

[[maybe_unused]] inline int64_t element_bytes(DType t) {
  switch (t) {
    case DType::kU8:
    case DType::kBool:
    case DType::kI8:
      return 1;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16:
    case DType::kU16:
      return 2;
    case DType::kF32:
    case DType::kI32:
    case DType::kU32:
      return 4;
    default:
      return 8;
  }
}

STRIATE_NOINLINE bool same_dims(const Operand& a, const Operand& b) {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; ++i)
    if (a.dims[i] != b.dims[i]) return false;
  return true;
}

// a's dims are the first a.rank of b's: labels (N) of logits (N, C).
[[maybe_unused]] inline bool leading_dims(const Operand& a, const Operand& b) {
  if (a.rank > b.rank) return false;
  for (int i = 0; i < a.rank; ++i)
    if (a.dims[i] != b.dims[i]) return false;
  return true;
}

// Numbers of operands and attributes, and that each operand's rank and size agree with its dims.
STRIATE_NOINLINE const char* check_step(const StepSpec& s, int inputs, int outputs, int ints, int floats) {
  if (s.n_inputs != inputs || s.n_outputs != outputs) return "wrong number of inputs or results";
  if (s.n_ints != ints || s.n_floats != floats) return "unknown attributes";
  for (int i = 0; i < inputs + outputs; ++i) {
    const Operand& o = s.operands[i];
    if (o.rank < 0 || o.rank > kMaxRank) return "takes up to 8 axes";
    int64_t size = 1;
    for (int d = 0; d < o.rank; ++d) {
      if (o.dims[d] < 0) return "an axis has a negative length";
      size *= o.dims[d];
    }
    if (size != o.size) return "an operand's size is not the product of its axes";
  }
  return nullptr;
}

// As check_step, and all operands are float32.
STRIATE_NOINLINE const char* check_floats(const StepSpec& s, int inputs, int outputs, int ints, int floats) {
  if (const char* why = check_step(s, inputs, outputs, ints, floats)) return why;
  for (int i = 0; i < inputs + outputs; ++i)
    if (s.operands[i].dtype != DType::kF32) return "takes float32 only";
  return nullptr;
}

}  // namespace
}  // namespace striate
