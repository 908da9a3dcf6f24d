// Mean and squares about it, M2 = sum (x - mean)^2, of the columns of a matrix's block, in one pass over memory: of
// x - base, base the block's first row, so that a float32 holds differences, not a far mean; eight rows at a time about
// their own mean, joined by the rule of Chan, Golub and LeVeque (1979),
//
//   d = m_b - m_a,   m = m_a + d n_b / (n_a + n_b),   M2 = M2_a + M2_b + d^2 n_a n_b / (n_a + n_b).
//
// Never a sum and a sum of squares: at mean 1e4 and deviation 1 those would leave nothing of the variance. Up to
// kMomentRows rows (times kLanes where has_few(columns)). A NaN or an infinity spoils both. Bounds: docs/numerics.md.
#pragma once

#include "base/lines.h"

namespace striate {
namespace {

constexpr int64_t kMomentRows = 384;

// Of a block's columns: the mean is base + mean, to be added in float64.
struct MomentsTo {
  float *base, *mean, *squares;
};

struct Moments {
  Vf mean, squares;
};

STRIATE_VFN load_few(const float* p, int64_t n) { return n == kLanes ? load(p) : load_n(p, static_cast<int>(n)); }

// Of n <= kLanes columns of x - base, over `rows` <= 8 rows; kRows = 8 unrolls.
template <int kRows>
STRIATE_INLINE Moments rows_moments(const float* x, Vf base, int64_t stride, int64_t n, int64_t rows) {
  if (kRows == 8) {
    Vf r[8];
    STRIATE_UNROLL
    for (int i = 0; i < 8; ++i) r[i] = load_few(x + i * stride, n) - base;
    const Vf mean = (((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))) * splat(0.125f);
    STRIATE_UNROLL
    for (int i = 0; i < 8; ++i) r[i] = (r[i] - mean) * (r[i] - mean);
    return {mean, ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))};
  }
  Vf sum = {}, squares = {};
  for (int64_t i = 0; i < rows; ++i) sum += load_few(x + i * stride, n) - base;
  const Vf mean = sum / splat(static_cast<float>(rows));
  for (int64_t i = 0; i < rows; ++i) {
    const Vf d = (load_few(x + i * stride, n) - base) - mean;
    squares += d * d;
  }
  return {mean, squares};
}

// b of n_b rows after a of n_a > 0: share = n_b / (n_a + n_b), weight = n_a share.
STRIATE_INLINE Moments joined(Moments a, Moments b, float share, float weight) {
  const Vf d = b.mean - a.mean;
  return {a.mean + d * splat(share), (a.squares + b.squares) + (d * splat(weight)) * d};
}

// `columns` columns whose rows lie `stride` apart; to.base is given.
STRIATE_NOINLINE void columns_moments(const float* x, int64_t stride, int64_t rows, int64_t columns,
                                      const MomentsTo& to) {
  float *mean = to.mean, *squares = to.squares;
  const int64_t whole = columns - columns % kLanes, eights = rows / 8, rest = rows % 8;
  const float last_share = static_cast<float>(rest) / static_cast<float>(larger(rows, 1));
  const float last_weight = last_share * static_cast<float>(eights * 8);
  for (int64_t k = 0; k < eights; ++k, x += 8 * stride) {
    const float share = 1.0f / static_cast<float>(k + 1), weight = static_cast<float>(8 * k) * share;
    for (int64_t c = 0; c < whole; c += kLanes) {
      Moments m = rows_moments<8>(x + c, load(to.base + c), stride, kLanes, 8);
      if (k > 0) m = joined({load(mean + c), load(squares + c)}, m, share, weight);
      store(mean + c, m.mean);
      store(squares + c, m.squares);
    }
  }
  for (int64_t c = 0; c < whole && rest > 0; c += kLanes) {
    Moments m = rows_moments<0>(x + c, load(to.base + c), stride, kLanes, rest);
    if (eights > 0) m = joined({load(mean + c), load(squares + c)}, m, last_share, last_weight);
    store(mean + c, m.mean);
    store(squares + c, m.squares);
  }
  if (whole == columns) return;
  // The columns left over: as a whole vector that overlaps the one before where there is one.
  const int64_t c = columns >= kLanes ? columns - kLanes : 0, n = columns - c;
  x += c - eights * 8 * stride;
  const Vf base = load_few(to.base + c, n);
  Moments all = {};
  for (int64_t k = 0; k < eights; ++k, x += 8 * stride) {
    const float share = 1.0f / static_cast<float>(k + 1), weight = static_cast<float>(8 * k) * share;
    const Moments m = rows_moments<8>(x, base, stride, n, 8);
    all = k > 0 ? joined(all, m, share, weight) : m;
  }
  if (rest > 0) {
    const Moments m = rows_moments<0>(x, base, stride, n, rest);
    all = eights > 0 ? joined(all, m, last_share, last_weight) : m;
  }
  store_n(mean + c, all.mean, static_cast<int>(n));
  store_n(squares + c, all.squares, static_cast<int>(n));
}

// Few columns that lie row after row and fill no whole vectors: kLanes rows are seen as one of kLanes * columns.
STRIATE_NOINLINE void few_moments(const float* x, int64_t rows, int64_t columns, const MomentsTo& to) {
  float base[kWidest], m[kWidest], q[kWidest];
  const int64_t tall = rows / kLanes, rest = rows % kLanes;
  repeated(to.base, columns, kLanes, base);
  if (tall > 0) columns_moments(x, columns * kLanes, tall, columns * kLanes, {base, m, q});
  float half_rows = 0.5f * static_cast<float>(tall);  // n_a n_b / (n_a + n_b) of equal halves
  for (int64_t half = tall > 0 ? kLanes / 2 : 0; half > 0; half /= 2, half_rows *= 2.0f)
    for (int64_t i = 0; i < half * columns; ++i) {
      const float a = m[i], d = m[i + half * columns] - a;
      m[i] = a + 0.5f * d;
      q[i] = (q[i] + q[i + half * columns]) + (d * half_rows) * d;
    }
  const float share = static_cast<float>(rest) / static_cast<float>(rows);
  const float weight = share * static_cast<float>(rows - rest);
  x += (rows - rest) * columns;
  for (int64_t c = 0; c < columns; ++c) {
    if (rest > 0) {
      float sum = 0.0f, about = 0.0f;
      for (int64_t i = 0; i < rest; ++i) sum += x[i * columns + c] - base[c];
      const float own = sum / static_cast<float>(rest);
      for (int64_t i = 0; i < rest; ++i) {
        const float d = (x[i * columns + c] - base[c]) - own;
        about += d * d;
      }
      const float d = tall > 0 ? own - m[c] : 0.0f;
      m[c] = tall > 0 ? m[c] + d * share : own;
      q[c] = tall > 0 ? (q[c] + about) + (d * weight) * d : about;
    }
    to.mean[c] = m[c];
    to.squares[c] = q[c];
  }
}

// Of a block of a matrix of `all` columns; rows > 0.
[[maybe_unused]] inline void block_moments(const float* x, int64_t all, int64_t rows, int64_t columns,
                                           const MomentsTo& to) {
  std::memcpy(to.base, x, static_cast<size_t>(columns) * sizeof(float));
  if (columns == all && has_few(columns))
    few_moments(x, rows, columns, to);
  else
    columns_moments(x, all, rows, columns, to);
}

// The moments of a matrix's blocks in scratch: three arrays of `count` x `padded`.
struct MomentBlocks {
  int64_t count, padded, columns;

  int64_t floats() const { return 3 * count * padded; }
  MomentsTo at(float* from, int64_t block, int64_t column) const {
    float* base = from + block * padded + column;
    return {base, base + count * padded, base + 2 * count * padded};
  }
};
[[maybe_unused]] inline MomentBlocks moment_blocks(int64_t count, int64_t columns) {
  return {count, ceil_div(columns, 16) * 16, columns};
}

constexpr int64_t kJoined = 64;  // channels of a joining piece

// Mean and variance of a piece's channels: blocks are joined in float64 in their order; block k has rows_of(k) rows.
template <typename RowsOf>
void join_moments(const MomentBlocks& b, float* from, int64_t piece, RowsOf rows_of, float* to_mean, float* variance) {
  const int64_t first = piece * kJoined, n = smaller(kJoined, b.columns - first);
  double mean[kJoined] = {}, squares[kJoined] = {}, rows = 0.0;
  for (int64_t k = 0; k < b.count; ++k) {
    const double own = static_cast<double>(rows_of(k)), share = own / (rows + own), weight = rows * share;
    const MomentsTo m = b.at(from, k, first);
    if (k == 0)  // nothing before: an infinity times a weight of 0 would be NaN
      for (int64_t c = 0; c < n; ++c) {
        mean[c] = static_cast<double>(m.base[c]) + static_cast<double>(m.mean[c]);
        squares[c] = static_cast<double>(m.squares[c]);
      }
    else
      for (int64_t c = 0; c < n; ++c) {
        const double d = (static_cast<double>(m.base[c]) + static_cast<double>(m.mean[c])) - mean[c];
        mean[c] += d * share;
        squares[c] += static_cast<double>(m.squares[c]) + d * d * weight;
      }
    rows += own;
  }
  for (int64_t c = 0; c < n; ++c) {  // no rows: 0 / 0, as in the reference
    variance[first + c] = static_cast<float>(squares[c] / rows);
    to_mean[first + c] = static_cast<float>(rows > 0.0 ? mean[c] : squares[c] / rows);
  }
}

}  // namespace
}  // namespace striate
