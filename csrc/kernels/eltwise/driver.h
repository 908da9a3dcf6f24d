// The one driver of all elementwise kernels: it merges axes, cuts the result into pieces and rows, and hands each row
// to the op's loop as dense arrays. An op is therefore one small loop, and broadcasting is written once.
#pragma once

#include "base/operands.h"
#include "base/simd_math.h"
#include "kernels/eltwise/eltwise.h"

namespace striate {
namespace {

constexpr int kMaxIn = 3;
constexpr int64_t kPieceElements = 16384;  // 64 KB of float32: large beside claiming a piece (0.1 us), small beside L2
constexpr int64_t kChunk = 256;            // elements of a loop call where an operand is one value, repeated
constexpr int64_t kShortRow = 256;         // elements; below, rows are joined (`joined_piece`): 8 ns a row is then felt
constexpr int64_t kJoined = 2048;          // elements of a joined row
constexpr int64_t kMaxElement = 8;         // bytes

// What a loop gets: n elements, each operand dense (step 1), or one value repeated (step 0; in[i] then points at kLanes
// copies of it for vector loops).
struct Run {
  const void* in[kMaxIn];
  int64_t step[kMaxIn];
  void* out[2];
  int64_t n;
  float alpha;

  template <typename T>
  const T* x(int i) const {
    return static_cast<const T*>(in[i]);
  }
  template <typename T>
  T* y(int i) const {
    return static_cast<T*>(out[i]);
  }
};
using Loop = void (*)(const Run&);

struct Eltwise {
  Loop loop;
  bool vectors;  // the loop takes whole vectors of float; else any n of dense operands
  float alpha;
  int32_t n_in, n_out, rank;
  int32_t in_bytes[kMaxIn], out_bytes[2];  // an element's
  int32_t operand[kMaxIn];                 // which operand of the step is in[i] (greater is less, swapped)
  int64_t dims[kMaxRank];                  // of the result, merged; the last is a row
  int64_t stride[kMaxIn][kMaxRank];        // in elements, 0 where repeated
  int64_t rows, columns, rows_a_piece, column_pieces, joined;  // joined: rows of the last axis but one taken at once
};

// ---- Rows

inline const void* byte_offset(const void* p, int64_t bytes) { return static_cast<const char*>(p) + bytes; }
inline void* byte_offset(void* p, int64_t bytes) { return static_cast<char*>(p) + bytes; }

inline void copy_element(void* to, const void* from, int64_t bytes) {
  if (bytes == 4)
    std::memcpy(to, from, 4);
  else if (bytes == 1)
    std::memcpy(to, from, 1);
  else if (bytes == 2)
    std::memcpy(to, from, 2);
  else
    std::memcpy(to, from, 8);
}

// to[i] = from[0] for n elements.
inline void repeat(void* to, const void* from, int64_t n, int64_t bytes) {
  for (int64_t i = 0; i < n; ++i) copy_element(byte_offset(to, i * bytes), from, bytes);
}

// Whole vectors in place, what is left over through a copy padded with zeros: one instance of the arithmetic for all.
STRIATE_NOINLINE void run_vectors(const Eltwise& p, Run r) {
  alignas(64) float value[kMaxIn][kLanes], result[2][kLanes];
  const int64_t n = r.n, whole = n - n % kLanes;
  for (int i = 0; i < p.n_in; ++i) {
    if (r.step[i] != 0) continue;
    const Vf v = splat(*r.x<float>(i));
    store(value[i], v);
    r.in[i] = value[i];
  }
  if (whole > 0) {
    r.n = whole;
    p.loop(r);
  }
  if (whole == n) return;
  const size_t bytes = static_cast<size_t>(n - whole) * sizeof(float);
  for (int i = 0; i < p.n_in; ++i) {
    if (r.step[i] == 0) continue;
    store(value[i], Vf{});
    std::memcpy(value[i], r.x<float>(i) + whole, bytes);
    r.in[i] = value[i];
  }
  float* out[2];
  for (int i = 0; i < p.n_out; ++i) {
    out[i] = r.y<float>(i) + whole;
    r.out[i] = result[i];
  }
  r.n = kLanes;
  p.loop(r);
  for (int i = 0; i < p.n_out; ++i) std::memcpy(out[i], result[i], bytes);
}

// Loops over dense operands: what is one value is written out for a chunk first.
STRIATE_NOINLINE void run_dense(const Eltwise& p, Run r) {
  alignas(64) unsigned char value[kMaxIn][kChunk * kMaxElement];
  const int64_t n = r.n;
  bool repeats = false;
  Run chunk = r;
  for (int i = 0; i < p.n_in; ++i) {
    if (r.step[i] != 0) continue;
    repeats = true;
    repeat(value[i], r.in[i], smaller(n, kChunk), p.in_bytes[i]);
    chunk.in[i] = value[i];
  }
  if (!repeats) return p.loop(r);
  for (int64_t at = 0; at < n; at += kChunk) {
    chunk.n = smaller(kChunk, n - at);
    for (int i = 0; i < p.n_in; ++i)
      if (r.step[i] != 0) chunk.in[i] = byte_offset(r.in[i], at * p.in_bytes[i]);
    chunk.out[0] = byte_offset(r.out[0], at * p.out_bytes[0]);
    p.loop(chunk);
  }
}

inline void run_row(const Eltwise& p, const Run& r) { p.vectors ? run_vectors(p, r) : run_dense(p, r); }

// The offset, in elements, of each input at the `index`th place of all axes but the last `inner`.
inline void offsets(const Eltwise& p, int64_t index, int inner, int64_t* at) {
  for (int i = 0; i < p.n_in; ++i) at[i] = 0;
  for (int d = p.rank - 1 - inner; d >= 0; --d) {
    for (int i = 0; i < p.n_in; ++i) at[i] += index % p.dims[d] * p.stride[i][d];
    index /= p.dims[d];
  }
}

inline void eltwise_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Eltwise& p = args.as<Eltwise>();
  const int64_t length = p.dims[p.rank - 1];
  const int64_t first = piece / p.column_pieces * p.rows_a_piece, last = smaller(p.rows, first + p.rows_a_piece);
  const int64_t column = piece % p.column_pieces * p.columns;
  Run r;
  r.n = smaller(p.columns, length - column);
  r.alpha = p.alpha;
  for (int64_t row = first; row < last; ++row) {
    int64_t at[kMaxIn];
    offsets(p, row, 1, at);
    for (int i = 0; i < p.n_in; ++i) {
      r.step[i] = p.stride[i][p.rank - 1];
      r.in[i] = byte_offset(args.data[p.operand[i]], (at[i] + column * r.step[i]) * p.in_bytes[i]);
    }
    for (int i = 0; i < p.n_out; ++i)
      r.out[i] = byte_offset(args.data[p.n_in + i], (row * length + column) * p.out_bytes[i]);
    run_row(p, r);
  }
}

// Short rows, such as 3 channels against a bias: `joined` rows at once, what repeats written out in scratch, and only
// again when it changes.
inline void joined_piece(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Eltwise& p = args.as<Eltwise>();
  const int64_t length = p.dims[p.rank - 1], height = p.dims[p.rank - 2], joins = ceil_div(height, p.joined);
  const int64_t first = piece * p.rows_a_piece, last = smaller(p.rows, first + p.rows_a_piece);
  int64_t written = -1;
  for (int64_t row = first; row < last; ++row) {
    const int64_t outer = row / joins, top = row % joins * p.joined, rows = smaller(p.joined, height - top);
    int64_t at[kMaxIn];
    offsets(p, outer, 2, at);
    Run r;
    r.n = rows * length;
    r.alpha = p.alpha;
    for (int i = 0; i < p.n_in; ++i) {
      const int64_t down = p.stride[i][p.rank - 2], along = p.stride[i][p.rank - 1], bytes = p.in_bytes[i];
      const void* from = byte_offset(args.data[p.operand[i]], (at[i] + top * down) * bytes);
      r.in[i] = from;
      r.step[i] = along != 0 || down != 0;
      if (r.step[i] == 0 || (along == 1 && down == length)) continue;
      unsigned char* to = thread_scratch + i * kJoined * kMaxElement;
      r.in[i] = to;
      if (down == 0 && written == outer) continue;
      for (int64_t y = 0; y < rows; ++y, to += length * bytes) {
        const void* line = byte_offset(from, y * down * bytes);
        if (along == 0)
          repeat(to, line, length, bytes);
        else
          std::memcpy(to, line, static_cast<size_t>(length * bytes));
      }
    }
    if (rows == p.joined) written = outer;
    for (int i = 0; i < p.n_out; ++i)
      r.out[i] = byte_offset(args.data[p.n_in + i], (outer * height + top) * length * p.out_bytes[i]);
    run_row(p, r);
  }
}

// ---- Preparing

// The result's axes with each input's stride, adjacent axes merged where every operand walks them as one.
inline const char* merge_axes(const StepSpec& s, Eltwise* p) {
  const Operand& y = s.out(0);
  int64_t dense[kMaxIn] = {1, 1, 1};
  int64_t dims[kMaxRank], stride[kMaxIn][kMaxRank];  // from the last axis to the first
  int rank = 0;
  for (int back = 1; back <= y.rank; ++back) {
    const int64_t n = y.dims[y.rank - back];
    bool found = n == 1;
    int64_t step[kMaxIn];
    for (int i = 0; i < p->n_in; ++i) {
      const Operand& x = s.in(p->operand[i]);
      const int64_t own = back <= x.rank ? x.dims[x.rank - back] : 1;
      if (own != 1 && own != n) return "the inputs' shapes do not broadcast to the result's";
      found = found || own == n;
      step[i] = own == 1 ? 0 : dense[i];
      dense[i] *= own;
    }
    if (!found) return "the inputs' shapes do not broadcast to the result's";
    if (n == 1) continue;
    bool merges = rank > 0;
    for (int i = 0; i < p->n_in; ++i) merges = merges && step[i] == stride[i][rank - 1] * dims[rank - 1];
    if (merges) {
      dims[rank - 1] *= n;
      continue;
    }
    dims[rank] = n;
    for (int i = 0; i < p->n_in; ++i) stride[i][rank] = step[i];
    ++rank;
  }
  if (rank == 0) {  // one element
    dims[0] = 1;
    for (int i = 0; i < p->n_in; ++i) stride[i][0] = 1;
    rank = 1;
  }
  for (int i = 0; i < p->n_in; ++i)
    if (s.in(p->operand[i]).rank > y.rank) return "the inputs' shapes do not broadcast to the result's";
  p->rank = rank;
  for (int d = 0; d < rank; ++d) {
    p->dims[d] = dims[rank - 1 - d];
    for (int i = 0; i < p->n_in; ++i) p->stride[i][d] = stride[i][rank - 1 - d];
  }
  return nullptr;
}

// Lays out the work of a step whose operands are checked but for their dims. p holds loop, vectors, alpha and operand.
STRIATE_NOINLINE const char* plan_eltwise(const StepSpec& s, StepPlan* plan, Eltwise p) {
  p.n_in = s.n_inputs;
  p.n_out = s.n_outputs;
  for (int i = 0; i < p.n_in; ++i) p.in_bytes[i] = static_cast<int32_t>(element_bytes(s.in(p.operand[i]).dtype));
  for (int i = 0; i < p.n_out; ++i) {
    p.out_bytes[i] = static_cast<int32_t>(element_bytes(s.out(i).dtype));
    if (!same_dims(s.out(i), s.out(0))) return "the results' shapes differ";
  }
  if (const char* why = merge_axes(s, &p)) return why;
  if (s.out(0).size == 0) return nullptr;  // no phase, nothing to do
  const int64_t length = p.dims[p.rank - 1];
  p.rows = s.out(0).size / length;
  p.joined = 1;
  if (p.rank > 1 && length < kShortRow) p.joined = smaller(kJoined / length, p.dims[p.rank - 2]);
  if (p.joined > 1) {
    p.rows = p.rows / p.dims[p.rank - 2] * ceil_div(p.dims[p.rank - 2], p.joined);
    p.rows_a_piece = larger(1, kPieceElements / (p.joined * length));
    plan->thread_scratch_bytes = kMaxIn * kJoined * kMaxElement;
    plan->add_phase(joined_piece, ceil_div(p.rows, p.rows_a_piece));
  } else {
    p.columns = smaller(length, kPieceElements);
    p.column_pieces = ceil_div(length, p.columns);
    p.rows_a_piece = larger(1, kPieceElements / length);
    plan->add_phase(eltwise_piece, ceil_div(p.rows, p.rows_a_piece) * p.column_pieces);
  }
  plan->set_params(p);
  return nullptr;
}

inline Eltwise eltwise_of(Loop loop, bool vectors, float alpha = 0.0f) {
  Eltwise p = {};
  p.loop = loop;
  p.vectors = vectors;
  p.alpha = alpha;
  for (int i = 0; i < kMaxIn; ++i) p.operand[i] = i;
  return p;
}

STRIATE_NOINLINE const char* check_one_shape(const StepSpec& s) {
  for (int i = 1; i < s.n_inputs + s.n_outputs; ++i)
    if (!same_dims(s.operands[i], s.operands[0])) return "takes operands of one shape";
  return nullptr;
}

// Float ops whose operands all have one shape.
STRIATE_NOINLINE const char* plan_map(const StepSpec& s, StepPlan* plan, int inputs, int outputs, Loop loop,
                                      bool has_alpha) {
  if (const char* why = check_floats(s, inputs, outputs, 0, has_alpha)) return why;
  if (const char* why = check_one_shape(s)) return why;
  return plan_eltwise(s, plan, eltwise_of(loop, true, has_alpha ? static_cast<float>(s.floats[0]) : 0.0f));
}

}  // namespace
}  // namespace striate
