// Reductions. The contract is in reduce.h; sums along rows and columns are base/lines.h.
#pragma once

#include "base/lines.h"
#include "kernels/reduce/any.h"
#include "kernels/reduce/scatter.h"

namespace striate {
namespace {

// Float32 where the axes, merged, are (outer, reduced) or (outer, reduced, inner): blocks, then their results joined.
constexpr int64_t kRowBlock = 16384;
constexpr int64_t kUnitElements = 16384;  // units of less are taken together into a piece
constexpr int64_t kJoinColumns = 256;

struct Lines {
  int64_t outer;
  bool along_rows;
  Blocks b;  // along_rows: columns is 1, rows the elements of a line
  int64_t units_a_piece, units;
  double divisor;  // mean's n, else 1
};

// The sum of one block of one outer index; where there is one block it is the result.
template <typename F>
void lines_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Lines& p = args.as<Lines>();
  const Blocks& b = p.b;
  const bool whole = b.row_blocks == 1;
  float* to = whole ? args.ptr<float>(1) : reinterpret_cast<float*>(args.scratch);
  const int64_t last = smaller(p.units, (piece + 1) * p.units_a_piece);
  for (int64_t unit = piece * p.units_a_piece; unit < last; ++unit) {
    const int64_t outer = unit / b.units();
    const Blocks::Place at = b.place(unit % b.units());
    const float* x = args.ptr<float>(0) + (outer * b.rows + at.row) * b.columns + at.column;
    float* y = to + (outer * b.row_blocks + at.index) * b.columns + at.column;
    if (p.along_rows)
      *y = fold_row<F>(x, at.rows);
    else
      fold_block<F>(Plain{x, b.columns}, b.columns, at.rows, at.columns, y);
    if (whole && p.divisor != 1.0)
      for (int64_t c = 0; c < at.columns; ++c) y[c] = static_cast<float>(static_cast<double>(y[c]) / p.divisor);
  }
}

template <typename F>
void join_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Lines& p = args.as<Lines>();
  const Blocks& b = p.b;
  const int64_t groups = ceil_div(b.columns, kJoinColumns), outer = piece / groups;
  const int64_t column = piece % groups * kJoinColumns, columns = smaller(kJoinColumns, b.columns - column);
  const float* from = reinterpret_cast<const float*>(args.scratch) + outer * b.row_blocks * b.columns + column;
  typename F::Wide total[kJoinColumns];
  for (int64_t c = 0; c < columns; ++c) total[c] = from[c];
  for (int64_t k = 1; k < b.row_blocks; ++k)
    for (int64_t c = 0; c < columns; ++c)
      total[c] = F::add(total[c], static_cast<typename F::Wide>(from[k * b.columns + c]));
  float* y = args.ptr<float>(1) + outer * b.columns + column;
  for (int64_t c = 0; c < columns; ++c) y[c] = static_cast<float>(static_cast<double>(total[c]) / p.divisor);
}

// (outer, reduced[, inner]), outer possibly missing; kinds alternate. All kept is inner alone, folded over one row.
STRIATE_NOINLINE bool is_lines(Axes* a) {
  if (a->count == 0 || a->rank > 3) return false;
  if (a->rank == 0 || (a->rank == 1 && !a->reduced[0])) {
    a->dims[1] = a->rank == 0 ? 1 : a->dims[0];
    a->dims[0] = 1;
    a->reduced[0] = true;
    a->reduced[1] = false;
    a->rank = 2;
  }
  return a->reduced[0] ? a->rank < 3 : true;
}

STRIATE_NOINLINE const char* plan_lines(StepPlan* plan, const Axes& a, bool mean, PhaseFn block, PhaseFn join) {
  Lines p = {};
  const int first = a.reduced[0] ? 0 : 1;
  p.outer = first == 1 ? a.dims[0] : 1;
  p.along_rows = first + 1 == a.rank;
  if (p.along_rows) {
    p.b = Blocks{a.dims[first], 1, smaller(kRowBlock, a.dims[first]), 0, 1, 1};
    p.b.row_blocks = ceil_div(p.b.rows, p.b.block_rows);
  } else {
    p.b = cut(a.dims[first], a.dims[first + 1]);
  }
  p.divisor = mean ? static_cast<double>(a.count) : 1.0;
  p.units = p.outer * p.b.units();
  p.units_a_piece = larger(1, kUnitElements / (smaller(p.b.block_rows, p.b.rows) * p.b.block_columns));
  plan->add_phase(block, ceil_div(p.units, p.units_a_piece));
  if (p.b.row_blocks > 1) {
    plan->scratch_bytes = static_cast<size_t>(p.outer * p.b.row_blocks * p.b.columns) * sizeof(float);
    plan->add_phase(join, p.outer * ceil_div(p.b.columns, kJoinColumns));
  }
  plan->set_params(p);
  return nullptr;
}

template <typename F>
const char* plan_float(const StepSpec& s, StepPlan* plan, bool mean, PhaseFn other) {
  Axes a;
  if (const char* why = read_axes(s, &a)) return why;
  if (a.outputs == 0) return nullptr;
  if (is_lines(&a)) return plan_lines(plan, a, mean, lines_piece<F>, join_piece<F>);
  return plan_any(plan, a, other, mean);
}

// ---- Rows of the table

STRIATE_NOINLINE const char* one_dtype(const StepSpec& s) {
  if (s.n_inputs != 1 || s.n_outputs != 1) return "wrong number of inputs or results";
  return s.in(0).dtype == s.out(0).dtype ? nullptr : "the result's dtype is not the input's";
}
template <typename F, typename A>
const char* plan_integers(const StepSpec& s, StepPlan* plan) {
  const DType t = s.in(0).dtype;
  Axes a;
  if (t != DType::kI32 && t != DType::kI64) return "takes float32, int32 and int64 only";
  if (const char* why = read_axes(s, &a)) return why;
  if (a.outputs == 0) return nullptr;
  return plan_any(plan, a, t == DType::kI32 ? any_piece<A, int32_t> : any_piece<A, int64_t>, false);
}
template <typename A>
const char* plan_bools(const StepSpec& s, StepPlan* plan) {
  if (const char* why = one_dtype(s)) return why;
  if (s.in(0).dtype != DType::kBool) return "takes bool only";
  Axes a;
  if (const char* why = read_axes(s, &a)) return why;
  if (a.outputs == 0) return nullptr;
  return plan_any(plan, a, any_piece<A, uint8_t>, false);
}
template <typename F, typename A>
const char* plan_numbers(const StepSpec& s, StepPlan* plan, bool empty) {
  if (const char* why = one_dtype(s)) return why;
  if (!empty && s.in(0).size == 0 && s.out(0).size != 0) return "no elements have no maximum or minimum";
  if (s.in(0).dtype != DType::kF32) return plan_integers<F, A>(s, plan);
  return plan_float<F>(s, plan, false, any_piece<A, float>);
}

const char* reduce_sum(const StepSpec& s, StepPlan* p) { return plan_numbers<Sum, AnySum>(s, p, true); }
const char* reduce_max(const StepSpec& s, StepPlan* p) { return plan_numbers<Max, AnyMax>(s, p, false); }
const char* reduce_min(const StepSpec& s, StepPlan* p) { return plan_numbers<Min, AnyMin>(s, p, false); }
const char* reduce_any(const StepSpec& s, StepPlan* p) { return plan_bools<AnyTrue>(s, p); }
const char* reduce_all(const StepSpec& s, StepPlan* p) { return plan_bools<AllTrue>(s, p); }
const char* reduce_mean(const StepSpec& s, StepPlan* p) {
  if (const char* why = one_dtype(s)) return why;
  if (s.in(0).dtype != DType::kF32) return "takes float32 only";
  return plan_float<Sum>(s, p, true, any_piece<AnySum, float>);
}
const char* reduce_prod(const StepSpec& s, StepPlan* p) {
  if (const char* why = one_dtype(s)) return why;
  if (s.in(0).dtype != DType::kF32) return "takes float32 only";
  Axes a;
  if (const char* why = read_axes(s, &a)) return why;
  return a.outputs == 0 ? nullptr : plan_any(p, a, any_piece<AnyProduct, float>, false);
}

}  // namespace
}  // namespace striate
