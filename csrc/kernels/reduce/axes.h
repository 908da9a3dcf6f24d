// Which axes a step reduces, with lengths of 1 dropped and neighbours of one kind merged.
#pragma once

#include "base/operands.h"
#include "kernels/reduce/reduce.h"

namespace striate {
namespace {

struct Axes {
  int rank;
  int64_t dims[kMaxRank], stride[kMaxRank];  // stride in elements
  bool reduced[kMaxRank];
  int64_t outputs, count;  // elements of the result; elements that make one of them
};

// ints = [n, axes..., keepdims]; floats none.
STRIATE_NOINLINE const char* read_axes(const StepSpec& s, Axes* axes) {
  if (s.n_ints < 2 || s.ints[0] < 0 || s.ints[0] > kMaxRank || s.n_ints != s.ints[0] + 2) return "unknown attributes";
  if (const char* why = check_step(s, 1, 1, s.n_ints, 0)) return why;
  const Operand &x = s.in(0), &y = s.out(0);
  bool reduced[kMaxRank] = {};
  for (int64_t i = 0; i < s.ints[0]; ++i) {
    const int64_t axis = s.ints[1 + i];
    if (axis < 0 || axis >= x.rank || reduced[axis]) return "an axis is out of range or given twice";
    reduced[axis] = true;
  }
  const bool keeps = s.ints[s.n_ints - 1] != 0;
  int kept = 0;
  for (int d = 0; d < x.rank; ++d) {
    if (reduced[d] && !keeps) continue;
    if (kept >= y.rank || y.dims[kept] != (reduced[d] ? 1 : x.dims[d]))
      return "the result's shape is not the reduced one";
    ++kept;
  }
  if (kept != y.rank) return "the result's shape is not the reduced one";
  axes->rank = 0;
  axes->outputs = y.size;
  axes->count = 1;
  for (int d = 0; d < x.rank; ++d) {
    if (reduced[d]) axes->count *= x.dims[d];
    if (x.dims[d] == 1) continue;
    const int last = axes->rank - 1;
    if (last >= 0 && axes->reduced[last] == reduced[d]) {
      axes->dims[last] *= x.dims[d];
    } else {
      axes->dims[axes->rank] = x.dims[d];
      axes->reduced[axes->rank++] = reduced[d];
    }
  }
  int64_t stride = 1;
  for (int d = axes->rank - 1; d >= 0; --d) {
    axes->stride[d] = stride;
    stride *= axes->dims[d];
  }
  return nullptr;
}

}  // namespace
}  // namespace striate
