// gather_grad: rows added up at the places they were gathered from.
//
//   x[o][n][inner] = sum of g[o][k][inner] over the k with indices[k] == n, in the order of k; zeros where there is
//   none
#pragma once

#include "kernels/reduce/axes.h"

namespace striate {
namespace {

// A piece owns some rows of x and looks through all indices for them, so that no two pieces add to one row and sums
// have one order. Looking is a comparison an index and piece: with at most 16 pieces an outer index it costs less than
// adding the rows does from some 16 channels on, and one piece alone makes results of up to 16 thousand elements.
constexpr int64_t kScatterElements = 16384;
constexpr int64_t kScatterPieces = 16;

struct Scatter {
  int64_t n, m, inner, parts, rows_per_part;
};

inline void scatter_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Scatter& p = args.as<Scatter>();
  const int64_t outer = piece / p.parts, begin = piece % p.parts * p.rows_per_part;
  const int64_t end = begin + p.rows_per_part < p.n ? begin + p.rows_per_part : p.n;
  if (begin >= end) return;
  const float* g = args.ptr<const float>(0) + outer * p.m * p.inner;
  const int32_t* indices = args.ptr<const int32_t>(1);
  float* x = args.ptr<float>(2) + outer * p.n * p.inner;
  std::memset(x + begin * p.inner, 0, static_cast<size_t>((end - begin) * p.inner) * sizeof(float));
  for (int64_t k = 0; k < p.m; ++k, g += p.inner) {
    const int64_t index = indices[k], row = index < 0 ? index + p.n : index;  // strays are in nobody's rows
    if (row < begin || row >= end) continue;
    float* to = x + row * p.inner;
    for (int64_t j = 0; j < p.inner; ++j) to[j] += g[j];
  }
}

inline const char* gather_grad_rows(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 2 || spec.n_outputs != 1) return "has other inputs and results";
  const Operand &g = spec.in(0), &indices = spec.in(1), &x = spec.out(0);
  if (g.dtype != DType::kF32 || x.dtype != DType::kF32) return "takes float32 only";
  if (indices.dtype != DType::kI32) return "takes int32 indices";
  if (spec.n_ints != 2 + x.rank || spec.ints[1] != x.rank) return "shape does not fit the result";
  if (spec.ints[0] < 0 || spec.ints[0] >= x.rank) return "the axis is outside the rank";
  const int axis = static_cast<int>(spec.ints[0]);
  if (g.rank != x.rank - 1 + indices.rank) return "the gradient's rank does not fit";
  Scatter p{x.dims[axis], indices.size, 1, 1, 1};
  int64_t outer = 1;
  for (int a = 0; a < x.rank; ++a) {
    if (spec.ints[2 + a] != x.dims[a]) return "shape does not fit the result";
    if (a < axis) outer *= x.dims[a];
    if (a > axis) p.inner *= x.dims[a];
  }
  for (int a = 0; a < g.rank; ++a) {
    const int64_t wanted = a < axis                  ? x.dims[a]
                           : a < axis + indices.rank ? indices.dims[a - axis]
                                                     : x.dims[a - indices.rank + 1];
    if (g.dims[a] != wanted) return "the gradient's shape does not fit";
  }
  const int64_t wanted = (p.n * p.inner + kScatterElements - 1) / kScatterElements;
  p.parts = wanted < 1 ? 1 : wanted < kScatterPieces ? wanted : kScatterPieces;
  p.rows_per_part = (p.n + p.parts - 1) / p.parts;
  plan->flops = static_cast<double>(g.size);
  plan->set_params(p);
  plan->add_phase(scatter_run, x.size == 0 ? 0 : outer * p.parts);
  return nullptr;
}

}  // namespace
}  // namespace striate
