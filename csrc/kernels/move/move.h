// Movement: the same elements at other places. No arithmetic, so every instruction set gives the same bits.
//
//   transpose     y[i_perm] = x[i]
//   broadcast_to  axes of length 1, and missing leading axes, repeated
//   slice         y = x[begin:end:step], one entry an axis; a negative step goes backwards
//   slice_grad    g put back there, zeros elsewhere
//   pad           x with `value` around it
//   concat        x0, x1, ... one after the other along an axis
//   gather        y[.., i.., ..] = x[.., indices[i..], ..]; -n <= index < n; beyond, NaN (0 in integers)
//   one_hot       y[.., c] = indices[..] == c, float32
//   reshape       a copy of the bytes (for a result that must not be an alias)
//   pack_panels   (k, n) row-major -> [ceil(n / panel)][k][panel], zeros in the last panel's missing columns
//
// Any dtype: elements are moved by their size, 1, 2, 4 or 8 bytes (one_hot gives float32). Results must not alias
// inputs. A piece is about 16 thousand elements of the result: 64 KB of float32, so that it stays in L2 and costs
// some ten microseconds, against well under one to hand it out.
#pragma once

#include "base/kernel.h"

namespace striate {
namespace {

constexpr int64_t kPieceElements = 16384;

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t pieces_of(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }

inline int element_bytes(DType t) {
  switch (t) {
    case DType::kI64:
    case DType::kF64:
    case DType::kU64:
      return 8;
    case DType::kF32:
    case DType::kI32:
    case DType::kU32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16:
    case DType::kU16:
      return 2;
    case DType::kU8:
    case DType::kBool:
    case DType::kI8:
      return 1;
  }
  return 1;
}

// The instance of a phase for elements of this many bytes.
#define STRIATE_BY_SIZE(fn, dtype)            \
  (element_bytes(dtype) == 8   ? fn<uint64_t> \
   : element_bytes(dtype) == 4 ? fn<uint32_t> \
   : element_bytes(dtype) == 2 ? fn<uint16_t> \
                               : fn<uint8_t>)

// Inputs, results, and one dtype for all of them from input 0 on.
inline const char* check_move(const StepSpec& s, int n_inputs) {
  if (s.n_inputs != n_inputs || s.n_outputs != 1) return "has other inputs and results";
  if (s.out(0).dtype != s.in(0).dtype) return "the result's dtype is not the input's";
  return nullptr;
}

// Reads a tuple of `length` integers at *at of the spec's ints; nullptr where there is none.
inline const int64_t* read_tuple(const StepSpec& s, int* at, int64_t length) {
  if (*at >= s.n_ints || s.ints[*at] != length || s.n_ints - *at - 1 < length) return nullptr;
  const int64_t* items = s.ints + *at + 1;
  *at += 1 + static_cast<int>(length);
  return items;
}

}  // namespace
}  // namespace striate
