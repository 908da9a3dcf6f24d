// The gradient of batch_norm_train: both sums in one pass over g and x, then dx in another.
#pragma once

#include "kernels/norm/rows.h"

namespace striate {
namespace {

// g where the activation's slope is 1, told from x: the mask's own result need not be kept or read.
struct Gate {
  Vf mean, scale, beta;
  float lo, hi;

  template <bool kMasked>
  STRIATE_INLINE Vf through(Vf g, Vf x) const {
    if (!kMasked) return g;
    const Vf y = normalized(x, mean, scale, beta);
    return select((y > splat(lo)) & ~(y >= splat(hi)), g, Vf{});
  }
};

constexpr int64_t kAhead = 2048;  // floats: 8 KB

struct GradRows {
  const float *g, *x, *mean, *scale, *beta;
  int64_t stride;
  float lo, hi;
};

// sum g and sum g (x - mean) of n <= kLanes columns: eight rows at a time, joined into what a and b hold.
template <bool kMasked>
STRIATE_INLINE void add_rows(const GradRows& s, int64_t row, int64_t rows, int64_t column, int64_t n, Vf* a, Vf* b) {
  Gate gate = {load_few(s.mean + column, n), Vf{}, Vf{}, s.lo, s.hi};
  if (kMasked) {
    gate.scale = load_few(s.scale + column, n);
    gate.beta = load_few(s.beta + column, n);
  }
  const float *g = s.g + row * s.stride + column, *x = s.x + row * s.stride + column;
  if (rows == 8) {
    Vf sum[8], products[8];
    STRIATE_UNROLL
    for (int i = 0; i < 8; ++i) {
      // Past the rows too: a prefetch never faults. Two arrays at once outrun the machine's own prefetching.
      __builtin_prefetch(g + i * s.stride + kAhead);
      __builtin_prefetch(x + i * s.stride + kAhead);
      const Vf value = load_few(x + i * s.stride, n);
      sum[i] = gate.through<kMasked>(load_few(g + i * s.stride, n), value);
      products[i] = sum[i] * (value - gate.mean);
    }
    *a += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    *b += ((products[0] + products[1]) + (products[2] + products[3])) +
          ((products[4] + products[5]) + (products[6] + products[7]));
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    const Vf value = load_few(x + i * s.stride, n),
             through = gate.through<kMasked>(load_few(g + i * s.stride, n), value);
    *a += through;
    *b += through * (value - gate.mean);
  }
}

template <bool kMasked>
void columns_sums(const GradRows& s, int64_t rows, int64_t columns, float* sum, float* products) {
  const int64_t whole = columns - columns % kLanes;
  for (int64_t r = 0; r < rows; r += 8)
    for (int64_t c = 0; c < whole; c += kLanes) {
      Vf a = r > 0 ? load(sum + c) : Vf{}, b = r > 0 ? load(products + c) : Vf{};
      const int64_t height = smaller(8, rows - r);
      if (height == 8)
        add_rows<kMasked>(s, r, 8, c, kLanes, &a, &b);
      else
        add_rows<kMasked>(s, r, height, c, kLanes, &a, &b);
      store(sum + c, a);
      store(products + c, b);
    }
  if (whole == columns) return;
  const int64_t c = columns >= kLanes ? columns - kLanes : 0, n = columns - c;  // overlapping the vector before
  Vf a = {}, b = {};
  for (int64_t r = 0; r < rows; r += 8) add_rows<kMasked>(s, r, smaller(8, rows - r), c, n, &a, &b);
  store_n(sum + c, a, static_cast<int>(n));
  store_n(products + c, b, static_cast<int>(n));
}

// Few columns: kLanes rows are seen as one, and what is left is added row by row.
template <bool kMasked>
STRIATE_NOINLINE void few_sums(const GradRows& s, int64_t rows, int64_t columns, float* sum, float* products) {
  float wide[5][kWidest] = {};
  const int64_t tall = rows / kLanes, width = columns * kLanes;
  GradRows w = {s.g, s.x, repeated(s.mean, columns, kLanes, wide[0]), nullptr, nullptr, width, s.lo, s.hi};
  if (kMasked) {
    w.scale = repeated(s.scale, columns, kLanes, wide[1]);
    w.beta = repeated(s.beta, columns, kLanes, wide[2]);
  }
  columns_sums<kMasked>(w, tall, width, wide[3], wide[4]);
  const int64_t rest = rows % kLanes * columns;
  for (int64_t c = 0; c < rest; c += kLanes) {
    const int64_t n = smaller(kLanes, rest - c);
    Vf a = load(wide[3] + c), b = load(wide[4] + c);
    add_rows<kMasked>(w, tall, 1, c, n, &a, &b);
    store(wide[3] + c, a);
    store(wide[4] + c, b);
  }
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * columns; ++i) {
      wide[3][i] += wide[3][i + half * columns];
      wide[4][i] += wide[4][i + half * columns];
    }
  std::memcpy(sum, wide[3], static_cast<size_t>(columns) * sizeof(float));
  std::memcpy(products, wide[4], static_cast<size_t>(columns) * sizeof(float));
}

// ---- batch_norm_train_grad(g, x, gamma, mean, variance[, beta]) -> (dx, dgamma, dbeta)
void grad_scale(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const int64_t last = smaller(p.b.columns, (piece + 1) * kJoined);
  for (int64_t c = piece * kJoined; c < last; ++c)
    p.channels(args, 0)[c] = args.ptr<float>(2)[c] * inverse_deviation(args.ptr<float>(4)[c], p.epsilon);
}
template <bool kMasked>
void grad_block(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const Blocks::Place at = p.b.place(piece);
  const int64_t from = at.row * p.b.columns + at.column, to = at.index * p.padded + at.column;
  GradRows s = {args.ptr<float>(0) + from,
                args.ptr<float>(1) + from,
                args.ptr<float>(3) + at.column,
                nullptr,
                nullptr,
                p.b.columns,
                p.lo,
                p.hi};
  if (kMasked) {
    s.scale = p.channels(args, 0) + at.column;
    s.beta = args.ptr<float>(5) + at.column;
  }
  float *sum = p.sums(args, 0) + to, *products = p.sums(args, 1) + to;
  if (at.columns == p.b.columns && has_few(at.columns))
    few_sums<kMasked>(s, at.rows, at.columns, sum, products);
  else
    columns_sums<kMasked>(s, at.rows, at.columns, sum, products);
}
// dx = a (g - b - (x - mean) k), a = gamma r, b = dbeta / m, k = r dgamma / m.
void grad_join(const StepArgs& args, int64_t piece, int results) {
  const Norm& p = args.as<Norm>();
  const double share = p.b.rows > 0 ? 1.0 / static_cast<double>(p.b.rows) : 1.0;
  const int64_t first = piece * kJoined, n = smaller(kJoined, p.b.columns - first);
  double sum[kJoined] = {}, products[kJoined] = {};
  for (int64_t k = 0; k < p.b.row_blocks; ++k) {
    const float *s = p.sums(args, 0) + k * p.padded + first, *q = p.sums(args, 1) + k * p.padded + first;
    for (int64_t c = 0; c < n; ++c) {
      sum[c] += static_cast<double>(s[c]);
      products[c] += static_cast<double>(q[c]);
    }
  }
  for (int64_t c = 0; c < n; ++c) {
    const int64_t to = first + c;
    const float r = inverse_deviation(args.ptr<float>(4)[to], p.epsilon);
    const double dgamma = products[c] * static_cast<double>(r);
    p.channels(args, 0)[to] = args.ptr<float>(2)[to] * r;
    p.channels(args, 1)[to] = static_cast<float>(sum[c] * share);
    p.channels(args, 2)[to] = static_cast<float>(static_cast<double>(r) * dgamma * share);
    args.ptr<float>(results + 1)[to] = static_cast<float>(dgamma);
    args.ptr<float>(results + 2)[to] = static_cast<float>(sum[c]);
  }
}
void plain_join(const StepArgs& args, int64_t piece, unsigned char*) { grad_join(args, piece, 5); }
void plain_map(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const float* in[2] = {args.ptr<float>(0), args.ptr<float>(1)};
  const float* constants[4] = {args.ptr<float>(3), p.channels(args, 0), p.channels(args, 1), p.channels(args, 2)};
  map_norm<2, 4>(p, piece, in, constants, args.ptr<float>(5),
                 [](const Vf* v, const Vf* k) { return k[1] * ((v[0] - k[2]) - (v[1] - k[0]) * k[3]); });
}
void masked_join(const StepArgs& args, int64_t piece, unsigned char*) { grad_join(args, piece, 6); }
void masked_map(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const float lo = p.lo, hi = p.hi;
  const float* in[2] = {args.ptr<float>(0), args.ptr<float>(1)};
  const float* constants[5] = {args.ptr<float>(3), p.channels(args, 0), p.channels(args, 1), p.channels(args, 2),
                               args.ptr<float>(5)};
  map_norm<2, 5>(p, piece, in, constants, args.ptr<float>(6), [lo, hi](const Vf* v, const Vf* k) {
    const Vf g = Gate{k[0], k[1], k[4], lo, hi}.through<true>(v[0], v[1]);
    return k[1] * ((g - k[2]) - (v[1] - k[0]) * k[3]);
  });
}

}  // namespace
}  // namespace striate
