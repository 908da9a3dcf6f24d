// The rows of kernels.inc that are not views of one another: concat, gather, one_hot, pack_panels. See move.h.
#pragma once

#include "base/simd.h"
#include "kernels/move/slice.h"
#include "kernels/move/strided.h"

namespace striate {
namespace {

// ---- concat, in bytes: each row of the result is a run from each input
constexpr int kMaxParts = 56;  // what StepPlan's parameters have room for

struct Concat {
  int64_t parts, row, total;  // bytes of a row, of the result
  int64_t widths[kMaxParts];  // bytes of each input's row
};

void concat_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Concat& c = args.as<Concat>();
  unsigned char* y = args.ptr<unsigned char>(static_cast<int>(c.parts));
  int64_t at = piece * 4 * kPieceElements;
  const int64_t end = least(at + 4 * kPieceElements, c.total);
  while (at < end) {
    const int64_t row = at / c.row;
    int64_t column = at % c.row;
    for (int part = 0; part < c.parts && at < end; ++part) {
      const int64_t width = c.widths[part];
      if (column >= width) {
        column -= width;
        continue;
      }
      const int64_t n = least(width - column, end - at);
      std::memcpy(y + at, args.ptr<const unsigned char>(part) + row * width + column, static_cast<size_t>(n));
      at += n;
      column = 0;
    }
  }
}

const char* concat_runs(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs < 1 || spec.n_outputs != 1 || spec.n_ints != 1) return "has other inputs and results";
  if (spec.n_inputs > kMaxParts) return "takes at most 56 inputs";
  const Operand& y = spec.out(0);
  const int64_t axis = spec.ints[0];
  if (axis < 0 || axis >= y.rank) return "the axis is outside the rank";
  Concat c{};
  c.parts = spec.n_inputs;
  int64_t length = 0;
  for (int i = 0; i < spec.n_inputs; ++i) {
    const Operand& x = spec.in(i);
    if (x.dtype != y.dtype) return "the inputs' dtypes differ";
    if (x.rank != y.rank) return "the inputs' ranks differ";
    c.widths[i] = element_bytes(y.dtype);
    for (int a = 0; a < y.rank; ++a) {
      if (a != axis && x.dims[a] != y.dims[a]) return "the inputs' shapes differ outside the axis";
      if (a >= axis) c.widths[i] *= x.dims[a];
    }
    length += x.dims[axis];
    c.row += c.widths[i];
  }
  if (length != y.dims[axis]) return "the result's length is not the inputs' sum";
  c.total = y.size * element_bytes(y.dtype);
  plan->set_params(c);
  plan->add_phase(concat_run, pieces_of(c.total, 4 * kPieceElements));
  return nullptr;
}

// ---- gather: x [outer][n][inner], indices [m] -> y [outer][m][inner]
struct Gather {
  int64_t outer, n, m, inner, rows_per_piece;
  uint64_t lost;  // the bits of an element read from outside
};

template <typename E>
void gather_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Gather& g = args.as<Gather>();
  const int32_t* indices = args.ptr<const int32_t>(1);
  const int64_t stop = least((piece + 1) * g.rows_per_piece, g.outer * g.m);
  for (int64_t row = piece * g.rows_per_piece; row < stop; ++row) {
    E* y = args.ptr<E>(2) + row * g.inner;
    const int64_t index = indices[row % g.m];
    if (index < -g.n || index >= g.n) {
      fill_run(y, g.inner, static_cast<E>(g.lost));
      continue;
    }
    const int64_t from = row / g.m * g.n + (index < 0 ? index + g.n : index);
    std::memcpy(y, args.ptr<const E>(0) + from * g.inner, static_cast<size_t>(g.inner) * sizeof(E));
  }
}

uint64_t nan_bits(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return 0x7ff8000000000000u;
    case DType::kF32:
      return 0x7fc00000u;
    case DType::kF16:
      return 0x7e00u;
    case DType::kBF16:
      return 0x7fc0u;
    default:
      return 0;
  }
}

const char* gather_rows(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 2)) return why;
  const Operand &x = spec.in(0), &indices = spec.in(1), &y = spec.out(0);
  if (indices.dtype != DType::kI32) return "takes int32 indices";
  if (spec.n_ints != 1 || spec.ints[0] < 0 || spec.ints[0] >= x.rank) return "the axis is outside the rank";
  const int axis = static_cast<int>(spec.ints[0]);
  if (y.rank != x.rank - 1 + indices.rank) return "the result's rank does not fit";
  Gather g{};
  g.outer = g.inner = 1;
  g.n = x.dims[axis];
  g.m = indices.size;
  for (int a = 0; a < y.rank; ++a) {
    int64_t wanted;
    if (a < axis) {
      wanted = x.dims[a];
      g.outer *= wanted;
    } else if (a < axis + indices.rank) {
      wanted = indices.dims[a - axis];
    } else {
      wanted = x.dims[a - indices.rank + 1];
      g.inner *= wanted;
    }
    if (y.dims[a] != wanted) return "the result's shape does not fit";
  }
  g.rows_per_piece = most(1, kPieceElements / most(1, g.inner));
  g.lost = nan_bits(x.dtype);
  plan->set_params(g);
  plan->add_phase(STRIATE_BY_SIZE(gather_run, x.dtype), y.size == 0 ? 0 : pieces_of(g.outer * g.m, g.rows_per_piece));
  return nullptr;
}

// ---- one_hot
struct OneHot {
  int64_t rows, depth, rows_per_piece;
};

void one_hot_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const OneHot& o = args.as<OneHot>();
  const int64_t stop = least((piece + 1) * o.rows_per_piece, o.rows);
  for (int64_t row = piece * o.rows_per_piece; row < stop; ++row) {
    float* y = args.ptr<float>(1) + row * o.depth;
    std::memset(y, 0, static_cast<size_t>(o.depth) * sizeof(float));
    const int64_t index = args.ptr<const int32_t>(0)[row];
    if (index >= 0 && index < o.depth) y[index] = 1.0f;
  }
}

const char* one_hot_rows(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 1 || spec.n_outputs != 1 || spec.n_ints != 1) return "has other inputs and results";
  const Operand &x = spec.in(0), &y = spec.out(0);
  if (x.dtype != DType::kI32 || y.dtype != DType::kF32) return "takes int32 indices and gives float32";
  OneHot o{x.size, spec.ints[0], 0};
  if (y.rank != x.rank + 1 || y.dims[x.rank] != o.depth) return "the result's shape does not fit";
  for (int a = 0; a < x.rank; ++a) {
    if (y.dims[a] != x.dims[a]) return "the result's shape does not fit";
  }
  o.rows_per_piece = most(1, kPieceElements / most(1, o.depth));
  plan->set_params(o);
  plan->add_phase(one_hot_run, pieces_of(o.rows, o.rows_per_piece));
  return nullptr;
}

// ---- pack_panels: a piece is one panel
struct Packing {
  int64_t k, n, panel;
};

void pack_panels_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Packing& p = args.as<Packing>();
  const float* w = args.ptr<const float>(0) + piece * p.panel;
  float* y = args.ptr<float>(1) + piece * p.k * p.panel;
  const int64_t columns = least(p.panel, p.n - piece * p.panel);
  for (int64_t k = 0; k < p.k; ++k, w += p.n, y += p.panel) {
    for (int64_t j = 0; j < columns; ++j) y[j] = w[j];
    for (int64_t j = columns; j < p.panel; ++j) y[j] = 0.0f;
  }
}

const char* pack_panels_rows(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  if (spec.in(0).dtype != DType::kF32) return "takes float32 only";
  if (spec.n_ints != 3) return "has other attributes";
  const Packing p{spec.ints[0], spec.ints[1], spec.ints[2]};
  if (p.k < 0 || p.n < 0 || p.panel < 1 || p.panel > 4096) return "takes a matrix and a panel of 1 to 4096 columns";
  if (p.k > kFar || p.n > kFar || (p.k > 0 && p.n > kFar / p.k)) return "the matrix is too large";
  const int64_t panels = pieces_of(p.n, p.panel);
  if (spec.in(0).size != p.k * p.n) return "the input is no (k, n) matrix";
  if (p.k > 0 && panels > kFar / p.k / p.panel) return "the matrix is too large";
  if (spec.out(0).size != panels * p.k * p.panel) return "the result's size does not fit";
  plan->set_params(p);
  plan->add_phase(pack_panels_run, panels);
  return nullptr;
}

}  // namespace
}  // namespace striate
