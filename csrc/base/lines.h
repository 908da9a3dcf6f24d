// Folding float32 along contiguous rows, and down the columns of a matrix: sums for reductions and normalisation.
//
// Everything is cut by the matrix's own size, so that the bits do not depend on threads. In float32 a sum is at most
// 100 additions deep here; whoever joins blocks does it in float64. Bound: 100 eps sum |x|, eps = 2^-24.
#pragma once

#include "base/operands.h"
#include "base/simd_math.h"

namespace striate {
namespace {

// A fold: `start` changes nothing, `add` joins; `Wide` is what blocks' results are joined in.
struct Sum {
  using Wide = double;
  static constexpr float start = 0.0f;
  STRIATE_INLINE static Vf add(Vf a, Vf b) { return a + b; }
  static float add(float a, float b) { return a + b; }
  static double add(double a, double b) { return a + b; }
};
struct Max {  // keeps NaN
  using Wide = float;
  static constexpr float start = -kInf;
  STRIATE_INLINE static Vf add(Vf a, Vf b) { return select(b != b, b, vmax(a, b)); }
  static float add(float a, float b) { return b != b ? b : a < b ? b : a; }
};
struct Min {
  using Wide = float;
  static constexpr float start = kInf;
  STRIATE_INLINE static Vf add(Vf a, Vf b) { return select(b != b, b, vmin(a, b)); }
  static float add(float a, float b) { return b != b ? b : b < a ? b : a; }
};

// The first n lanes from memory, the others `pad`.
STRIATE_VFN load_padded(const float* p, int64_t n, float pad) {
  if (n >= kLanes) return load(p);
  float t[kLanes];
  store(t, splat(pad));
  std::memcpy(t, p, static_cast<size_t>(n) * sizeof(float));
  return load(t);
}
STRIATE_VFN load_some(const float* p, int64_t n) { return load_padded(p, n, 0.0f); }
[[maybe_unused]] STRIATE_INLINE void store_some(float* p, Vf v, int64_t n) {
  if (n >= kLanes) return store(p, v);
  float t[kLanes];
  store(t, v);
  std::memcpy(p, t, static_cast<size_t>(n) * sizeof(float));
}

template <typename F>
float fold_lanes(Vf v) {
  float t[kLanes];
  store(t, v);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) t[i] = F::add(t[i], t[i + half]);
  return t[0];
}

// n elements: four vectors of accumulators, emptied into a total every 32 rounds so that chains stay short.
template <typename F>
STRIATE_NOINLINE float fold_row(const float* x, int64_t n) {
  constexpr int64_t kStep = 4 * kLanes, kRounds = 32;
  const int64_t steps = n - n % kStep;
  Vf total = splat(F::start);
  int64_t i = 0;
  while (i < steps) {
    const int64_t end = smaller(i + kRounds * kStep, steps);
    Vf a = load(x + i), b = load(x + i + kLanes), c = load(x + i + 2 * kLanes), d = load(x + i + 3 * kLanes);
    for (i += kStep; i < end; i += kStep) {
      a = F::add(a, load(x + i));
      b = F::add(b, load(x + i + kLanes));
      c = F::add(c, load(x + i + 2 * kLanes));
      d = F::add(d, load(x + i + 3 * kLanes));
    }
    total = F::add(total, F::add(F::add(a, b), F::add(c, d)));
  }
  for (; i < n; i += kLanes) total = F::add(total, load_padded(x + i, n - i, F::start));
  return fold_lanes<F>(total);
}

// ---- Columns. A Source says what is folded: at(row, column, n) is n <= kLanes elements from there. `width` is the
// distance of rows, `widen(k)` the same elements seen as rows of k * width.

struct Plain {
  const float* x;
  int64_t width;

  STRIATE_INLINE Vf at(int64_t row, int64_t column, int64_t n) const { return load_some(x + row * width + column, n); }
  Plain widened(int64_t k, float*) const { return Plain{x, width * k}; }
};

constexpr int64_t kFewColumns = 64;
constexpr int64_t kWidest = kFewColumns * kLanes;

// values[0 .. n) again and again, k times.
[[maybe_unused]] inline const float* repeated(const float* values, int64_t n, int64_t k, float* to) {
  for (int64_t i = 0; i < k; ++i) std::memcpy(to + i * n, values, static_cast<size_t>(n) * sizeof(float));
  return to;
}

template <typename F, typename S>
STRIATE_INLINE Vf fold_eight(const S& s, int64_t row, int64_t column, int64_t n) {
  const Vf a = F::add(F::add(s.at(row, column, n), s.at(row + 1, column, n)),
                      F::add(s.at(row + 2, column, n), s.at(row + 3, column, n)));
  const Vf b = F::add(F::add(s.at(row + 4, column, n), s.at(row + 5, column, n)),
                      F::add(s.at(row + 6, column, n), s.at(row + 7, column, n)));
  return F::add(a, b);
}

// y[c] = the fold of rows 0 .. rows of column c: eight rows at a time, joined into y (which stays in L1).
template <typename F, typename S>
STRIATE_NOINLINE void fold_columns(const S& s, int64_t rows, int64_t columns, float* y) {
  const int64_t whole = columns - columns % kLanes;
  for (int64_t c = 0; c < whole; c += kLanes) store(y + c, splat(F::start));
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8)
    for (int64_t c = 0; c < whole; c += kLanes) store(y + c, F::add(load(y + c), fold_eight<F>(s, r, c, kLanes)));
  for (; r < rows; ++r)
    for (int64_t c = 0; c < whole; c += kLanes) store(y + c, F::add(load(y + c), s.at(r, c, kLanes)));
  if (whole == columns) return;
  // The columns left over: as a whole vector that overlaps the one before where there is one.
  const int64_t c = columns >= kLanes ? columns - kLanes : 0, n = columns - c;
  Vf total = splat(F::start);
  for (r = 0; r + 8 <= rows; r += 8) total = F::add(total, fold_eight<F>(s, r, c, n));
  for (; r < rows; ++r) total = F::add(total, s.at(r, c, n));
  store_some(y + c, total, n);
}

[[maybe_unused]] inline bool has_few(int64_t columns) { return columns <= kFewColumns && columns % kLanes != 0; }

// Few columns that fill no whole vectors: kLanes rows are seen as one of kLanes * columns, so that vectors are full,
// and folded to columns at the end.
template <typename F, typename S>
STRIATE_NOINLINE void fold_few(const S& narrow, int64_t rows, int64_t columns, float* y) {
  float wide[kWidest], per_column[kWidest];
  const int64_t width = columns * kLanes, tall = rows / kLanes, rest = rows % kLanes * columns;
  const S s = narrow.widened(kLanes, per_column);
  fold_columns<F>(s, tall, width, wide);
  for (int64_t c = 0; c < rest; c += kLanes) {
    const int64_t n = smaller(kLanes, rest - c);
    store_some(wide + c, F::add(load(wide + c), s.at(tall, c, n)), n);
  }
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * columns; ++i) wide[i] = F::add(wide[i], wide[i + half * columns]);
  std::memcpy(y, wide, static_cast<size_t>(columns) * sizeof(float));
}

// Folds a block of a matrix of `all` columns: `columns` of them from where s starts.
template <typename F, typename S>
void fold_block(const S& s, int64_t all, int64_t rows, int64_t columns, float* y) {
  if (columns == all && has_few(columns))
    fold_few<F>(s, rows, columns, y);
  else
    fold_columns<F>(s, rows, columns, y);
}

// How a (rows, columns) matrix is cut into blocks: by its own size alone.
struct Blocks {
  int64_t rows, columns;           // of the matrix
  int64_t block_rows, row_blocks;  // 128 KB a block, at most 512 rows of whole vectors
  int64_t block_columns, column_blocks;

  struct Place {
    int64_t row, column, rows, columns, index;  // index: of the row block
  };
  Place place(int64_t unit) const {
    Place p;
    p.index = unit / column_blocks;
    p.row = p.index * block_rows;
    p.rows = smaller(block_rows, rows - p.row);
    p.column = unit % column_blocks * block_columns;
    p.columns = smaller(block_columns, columns - p.column);
    return p;
  }
  int64_t units() const { return row_blocks * column_blocks; }
};
STRIATE_NOINLINE Blocks cut(int64_t rows, int64_t columns) {
  constexpr int64_t kElements = 32768, kColumns = 1024, kRows = 512;
  Blocks b;
  b.rows = rows;
  b.columns = columns;
  b.block_columns = smaller(columns, kColumns);
  b.column_blocks = ceil_div(columns, b.block_columns);
  b.block_rows = smaller(kElements / b.block_columns, has_few(columns) ? kRows * kLanes : kRows);
  b.row_blocks = ceil_div(rows, b.block_rows);
  return b;
}

}  // namespace
}  // namespace striate
