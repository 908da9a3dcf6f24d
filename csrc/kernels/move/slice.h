// slice, and its inverse: putting elements into a field of one value (slice_grad, pad).
#pragma once

#include "kernels/move/strided.h"

namespace striate {
namespace {

constexpr int64_t kFar = int64_t{1} << 46;  // no axis is longer, so nothing below overflows

// The elements begin, begin + step, ... of an axis of n that x[begin:end:step] takes; see ir/ops/slice.py for what a
// negative end means. False for what that page does not allow.
inline bool slice_length(int64_t n, int64_t* begin, int64_t end, int64_t step, int64_t* length) {
  if (step == 0 || step > kFar || step < -kFar) return false;
  if (*begin < 0 && n > 0) return false;
  if (step > 0) {
    const int64_t stop = end < 0 ? n : least(end, n);
    *begin = most(0, least(*begin, n));
    *length = stop > *begin ? (stop - *begin + step - 1) / step : 0;
  } else {
    const int64_t stop = end < 0 ? -1 : end;
    *begin = least(*begin, n - 1);
    *length = *begin > stop ? (*begin - stop - step - 1) / -step : 0;
  }
  return true;
}

struct Part {
  int64_t begin[kMaxRank], step[kMaxRank];
};

// Reads begin, end and step for slices of `whole` that have the shape of `part`.
inline const char* read_part(const StepSpec& spec, int* at, const Operand& whole, const Operand& part, Part* p) {
  const int64_t* begin = read_tuple(spec, at, whole.rank);
  const int64_t* end = read_tuple(spec, at, whole.rank);
  const int64_t* step = read_tuple(spec, at, whole.rank);
  if (begin == nullptr || end == nullptr || step == nullptr) return "begin, end and step do not fit the rank";
  if (part.rank != whole.rank) return "the slice has another rank";
  for (int a = 0; a < whole.rank; ++a) {
    int64_t length = 0;
    p->begin[a] = begin[a];
    p->step[a] = step[a];
    if (!slice_length(whole.dims[a], &p->begin[a], end[a], step[a], &length)) return "a slice is not normalised";
    if (length != part.dims[a]) return "the slice's shape does not fit begin, end and step";
  }
  return nullptr;
}

inline const char* slice_strided(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  const Operand &x = spec.in(0), &y = spec.out(0);
  Part part{};
  int at = 0;
  if (const char* why = read_part(spec, &at, x, y, &part)) return why;
  int64_t x_strides[kMaxRank];
  dense_strides(x, x_strides);
  Strided s{};
  s.rank = y.rank;
  s.size = y.size;
  for (int a = 0; a < y.rank && y.size > 0; ++a) {
    s.dims[a] = y.dims[a];
    s.strides[a] = part.step[a] * x_strides[a];
    s.offset += part.begin[a] * x_strides[a];
  }
  if (y.size > 0) collapse(&s);
  return plan_strided(&s, y.dtype, plan);
}

// A result of rows of dims[rank - 1], filled with one value but where x's element i goes to begin + i * step.
struct Placing {
  int64_t rank, rows, rows_per_piece;
  int64_t dims[kMaxRank], x_dims[kMaxRank], begin[kMaxRank], step[kMaxRank];
  uint64_t fill;  // the element's bits
};

template <typename E>
void fill_run(E* y, int64_t n, E value) {
  for (int64_t i = 0; i < n; ++i) y[i] = value;
}

template <typename E>
void placing_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Placing& p = args.as<Placing>();
  const int64_t last = p.rank - 1, inner = p.dims[last], x_inner = p.x_dims[last];
  const int64_t begin = p.begin[last], step = p.step[last];
  const E fill = static_cast<E>(p.fill);
  const int64_t stop = least((piece + 1) * p.rows_per_piece, p.rows);
  for (int64_t row = piece * p.rows_per_piece; row < stop; ++row) {
    E* y = args.ptr<E>(1) + row * inner;
    int64_t rest = row, x_row = 0, x_stride = 1;
    bool inside = x_inner > 0;
    for (int64_t a = last - 1; a >= 0 && inside; --a) {
      const int64_t from = rest % p.dims[a] - p.begin[a], i = from / p.step[a];
      rest /= p.dims[a];
      inside = from % p.step[a] == 0 && i >= 0 && i < p.x_dims[a];
      x_row += i * x_stride;
      x_stride *= p.x_dims[a];
    }
    if (!inside) {
      fill_run(y, inner, fill);
      continue;
    }
    const E* x = args.ptr<const E>(0) + x_row * x_inner;
    if (step == 1) {
      fill_run(y, begin, fill);
      std::memcpy(y + begin, x, static_cast<size_t>(x_inner) * sizeof(E));
      fill_run(y + begin + x_inner, inner - begin - x_inner, fill);
    } else {
      fill_run(y, inner, fill);
      for (int64_t i = 0; i < x_inner; ++i) y[begin + i * step] = x[i];
    }
  }
}

inline const char* plan_placing(const Operand& x, const Operand& y, const Part& part, uint64_t fill, StepPlan* plan) {
  Placing p{};
  // An axis that is whole in the result joins the one before it: padded rows of pixels become rows of elements.
  for (int a = 0; a < y.rank; ++a) {
    const int64_t r = p.rank - 1;
    if (r >= 0 && p.step[r] == 1 && part.step[a] == 1 && x.dims[a] == y.dims[a]) {
      p.dims[r] *= y.dims[a];
      p.x_dims[r] *= x.dims[a];
      p.begin[r] *= y.dims[a];
    } else {
      p.dims[p.rank] = y.dims[a];
      p.x_dims[p.rank] = x.dims[a];
      p.begin[p.rank] = part.begin[a];
      p.step[p.rank++] = part.step[a];
    }
  }
  if (p.rank == 0) p.rank = p.dims[0] = p.x_dims[0] = p.step[0] = 1;
  p.fill = fill;
  const int64_t inner = p.dims[p.rank - 1];
  p.rows = y.size == 0 ? 0 : y.size / inner;
  p.rows_per_piece = most(1, kPieceElements / most(1, inner));
  plan->set_params(p);
  plan->add_phase(STRIATE_BY_SIZE(placing_run, y.dtype), pieces_of(p.rows, p.rows_per_piece));
  return nullptr;
}

inline const char* slice_grad_rows(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  const Operand &g = spec.in(0), &x = spec.out(0);
  Part part{};
  int at = 0;
  if (const char* why = read_part(spec, &at, x, g, &part)) return why;
  const int64_t* shape = read_tuple(spec, &at, x.rank);
  if (shape == nullptr) return "shape does not fit the result";
  for (int a = 0; a < x.rank; ++a) {
    if (shape[a] != x.dims[a]) return "shape does not fit the result";
  }
  return plan_placing(g, x, part, 0, plan);
}

// The bits of `value` as one element; false where the dtype has no such value here.
inline bool element_bits(double value, DType dtype, uint64_t* bits) {
  const auto put = [bits](auto element) {
    *bits = 0;
    std::memcpy(bits, &element, sizeof element);  // little-endian, as every CPU we build for
  };
  if (dtype == DType::kF32) return put(static_cast<float>(value)), true;
  if (dtype == DType::kF64) return put(value), true;
  if (dtype == DType::kBool) return put(static_cast<uint8_t>(value != 0)), true;
  const bool small = value >= -2147483648.0 && value <= 2147483647.0;  // else the conversion is undefined
  if (dtype == DType::kI64 && small) return put(static_cast<int64_t>(value)), true;
  if (dtype == DType::kI32 && small) return put(static_cast<int32_t>(value)), true;
  if (dtype == DType::kU8 && value >= 0 && value < 256) return put(static_cast<uint8_t>(value)), true;
  *bits = 0;
  return value == 0;
}

inline const char* pad_rows(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  const Operand &x = spec.in(0), &y = spec.out(0);
  int at = 0;
  const int64_t* pads = read_tuple(spec, &at, 2 * x.rank);
  if (pads == nullptr || spec.n_floats != 1 || y.rank != x.rank) return "pads do not fit the input's rank";
  Part part{};
  for (int a = 0; a < x.rank; ++a) {
    const int64_t before = pads[2 * a], after = pads[2 * a + 1];
    if (before < 0 || after < 0 || before > kFar || after > kFar) return "takes pads of 0 or more";
    if (before + x.dims[a] + after != y.dims[a]) return "the result's shape does not fit the pads";
    part.begin[a] = before;
    part.step[a] = 1;
  }
  uint64_t fill;
  if (!element_bits(spec.floats[0], y.dtype, &fill)) return "the value does not fit the dtype";
  return plan_placing(x, y, part, fill, plan);
}

}  // namespace
}  // namespace striate
