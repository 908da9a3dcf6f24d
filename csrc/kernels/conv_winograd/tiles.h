// Which tiles there are, in which order, and which of the 36 (64) points each needs.
#pragma once

#include "kernels/conv_winograd/conv_winograd.h"
#include "kernels/conv_winograd/transforms.h"

namespace striate {
namespace {

// How a tile covers an axis; the numbers are indices of kKinds.
struct Kind {
  int lo, hi;  // points
  int first;   // the first of its outputs that it gives
  int count;   // outputs it gives at most
};
// All outputs, all but the last, the middle two of four.
constexpr int kWhole = 0, kButLast = 1, kTwo = 2;
[[maybe_unused]] inline Kind kind_of(int k, int points) {
  return k == kWhole     ? Kind{0, points, 0, kOutputs}
         : k == kButLast ? Kind{0, points - 1, 0, kOutputs - 1}
                         : Kind{1, points - 1, 1, 2};
}

struct TileAxis {
  int64_t in, out;  // pixels
  int64_t pad;      // before the first; may be negative (a gradient's)
  int all;          // points of a whole tile
  int64_t whole;    // tiles of all outputs; there is one more where last != kWhole
  int last;         // kind of the last tile

  int64_t count() const { return whole + (last != kWhole); }
  int64_t points() const { return whole * all + (last == kButLast ? all - 1 : last == kTwo ? all - 2 : 0); }
};

[[maybe_unused]] inline TileAxis tile_axis(int64_t in, int64_t out, int64_t pad, int64_t window) {
  const int64_t rest = out % kOutputs;
  const int last = rest == 0 ? kWhole : rest == kOutputs - 1 ? kButLast : kTwo;
  return {in, out, pad, points_of(window), out / kOutputs, last};
}

struct Tile {
  int64_t image, row, col;  // output pixel of the tile's first output, which may be one before the image's
  int row_kind, col_kind;
};

// Tiles by kind: (last row, whole columns), (whole, whole), (whole, last), (last, last), in each by image, row and
// column. So that the tiles which need a point are one run of them, in any run of tiles.
struct Tiles {
  TileAxis rows, cols;
  int64_t images;
  int64_t end[4];

  int64_t count() const { return end[3]; }
  int points() const { return rows.all; }  // of a whole tile along an axis
  int all_points() const { return rows.all * cols.all; }

  // Multiplications and additions of the products, transforms left out.
  double done(int64_t channels, int64_t filters) const {
    return 2.0 * static_cast<double>(images * rows.points() * cols.points()) * static_cast<double>(channels * filters);
  }

  Tile at(int64_t i) const {
    const int group = i < end[0] ? 0 : i < end[1] ? 1 : i < end[2] ? 2 : 3;
    if (group > 0) i -= end[group - 1];
    const bool last_row = group == 0 || group == 3, last_col = group >= 2;
    const int64_t n_rows = last_row ? 1 : rows.whole, n_cols = last_col ? 1 : cols.whole;
    const int64_t row = last_row ? rows.whole : i / n_cols % n_rows, col = last_col ? cols.whole : i % n_cols;
    Tile t;
    t.image = i / (n_rows * n_cols);
    t.row_kind = last_row ? rows.last : kWhole;
    t.col_kind = last_col ? cols.last : kWhole;
    t.row = row * kOutputs - (t.row_kind == kTwo);
    t.col = col * kOutputs - (t.col_kind == kTwo);
    return t;
  }

  // The tiles of [begin, end) that need point (i, j), counted from `begin`.
  Part needing(int i, int j, Part tiles) const {
    const Kind r = kind_of(rows.last, rows.all), c = kind_of(cols.last, cols.all);
    const bool all_rows = rows.last == kWhole || (i >= r.lo && i < r.hi);
    const bool all_cols = cols.last == kWhole || (j >= c.lo && j < c.hi);
    const int64_t first = all_cols && all_rows ? 0 : all_rows ? 0 : end[0];
    const int64_t past = all_cols && all_rows ? end[3] : all_rows ? end[1] : all_cols ? end[2] : end[1];
    const int64_t a = max64(first, tiles.begin), b = min64(past, tiles.end);
    return {a - tiles.begin, max64(a, b) - tiles.begin};
  }
};

[[maybe_unused]] inline Tiles make_tiles(int64_t images, const TileAxis& rows, const TileAxis& cols) {
  const int64_t last_row = rows.last != kWhole, last_col = cols.last != kWhole;
  Tiles t = {rows, cols, images, {}};
  t.end[0] = images * last_row * cols.whole;
  t.end[1] = t.end[0] + images * rows.whole * cols.whole;
  t.end[2] = t.end[1] + images * rows.whole * last_col;
  t.end[3] = t.end[2] + images * last_row * last_col;
  return t;
}

// Calls f<N, RLo, RHi, CLo, CHi>() for a tile of N points along an axis.
#define STRIATE_WINOGRAD_KINDS_OF(f, n, row_kind, col_kind, ...) \
  switch ((row_kind) * 3 + (col_kind)) {                         \
    case 0:                                                      \
      return f<n, 0, n, 0, n>(__VA_ARGS__);                      \
    case 1:                                                      \
      return f<n, 0, n, 0, n - 1>(__VA_ARGS__);                  \
    case 2:                                                      \
      return f<n, 0, n, 1, n - 1>(__VA_ARGS__);                  \
    case 3:                                                      \
      return f<n, 0, n - 1, 0, n>(__VA_ARGS__);                  \
    case 4:                                                      \
      return f<n, 0, n - 1, 0, n - 1>(__VA_ARGS__);              \
    case 5:                                                      \
      return f<n, 0, n - 1, 1, n - 1>(__VA_ARGS__);              \
    case 6:                                                      \
      return f<n, 1, n - 1, 0, n>(__VA_ARGS__);                  \
    case 7:                                                      \
      return f<n, 1, n - 1, 0, n - 1>(__VA_ARGS__);              \
    default:                                                     \
      return f<n, 1, n - 1, 1, n - 1>(__VA_ARGS__);              \
  }
#define STRIATE_WINOGRAD_KINDS(f, points, row_kind, col_kind, ...)   \
  if ((points) == 8) {                                               \
    STRIATE_WINOGRAD_KINDS_OF(f, 8, row_kind, col_kind, __VA_ARGS__) \
  } else {                                                           \
    STRIATE_WINOGRAD_KINDS_OF(f, 6, row_kind, col_kind, __VA_ARGS__) \
  }

// Where things lie, in floats. V, the transformed inputs: [point][channels / kChunk][tile][kChunk]. M, the products
// (and transformed gradients): [point][panel][tile][kPanel]. U, the transformed filters (and their gradients' sums):
// [point][panel][channel][kPanel]. Points lie an odd number of cache lines apart: 36 or 64 streams must not
// share cache sets.
constexpr int64_t kChunk = 16;
[[maybe_unused]] inline int64_t odd_lines(int64_t floats) { return ((floats + 15) / 16 | 1) * 16; }
[[maybe_unused]] inline int64_t chunks_of(int64_t channels) { return (channels + kChunk - 1) / kChunk; }
[[maybe_unused]] inline int64_t v_floats(int64_t channels, int64_t tiles) {
  return odd_lines(chunks_of(channels) * tiles * kChunk);
}
[[maybe_unused]] inline int64_t m_floats(int64_t panels, int64_t tiles) { return odd_lines(panels * tiles * kPanel); }
[[maybe_unused]] inline int64_t u_floats(int64_t panels, int64_t channels) {
  return odd_lines(panels * channels * kPanel);
}

}  // namespace
}  // namespace striate
