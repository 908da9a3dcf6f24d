// Which tiles there are, in which order, and which of the 36 points each needs.
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
[[maybe_unused]] inline Kind kind_of(int k, int outputs) {
  return k == kWhole ? Kind{0, 6, 0, outputs} : k == kButLast ? Kind{0, 5, 0, outputs - 1} : Kind{1, 5, 1, 2};
}

struct TileAxis {
  int64_t in, out;  // pixels
  int64_t pad;      // before the first; may be negative (a gradient's)
  int outputs;      // of a tile: 4 for windows of 3, 2 for windows of 5
  int64_t whole;    // tiles of all outputs; there is one more where last != kWhole
  int last;         // kind of the last tile

  int64_t count() const { return whole + (last != kWhole); }
  int64_t points() const { return whole * 6 + (last == kButLast ? 5 : last == kTwo ? 4 : 0); }
};

[[maybe_unused]] inline TileAxis tile_axis(int64_t in, int64_t out, int64_t pad, int outputs) {
  const int64_t rest = out % outputs;
  return {in, out, pad, outputs, out / outputs, rest == 0 ? kWhole : rest == outputs - 1 ? kButLast : kTwo};
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
    t.row = row * rows.outputs - (t.row_kind == kTwo);
    t.col = col * cols.outputs - (t.col_kind == kTwo);
    return t;
  }

  // The tiles of [begin, end) that need point (i, j), counted from `begin`.
  Part needing(int i, int j, Part tiles) const {
    const Kind r = kind_of(rows.last, rows.outputs), c = kind_of(cols.last, cols.outputs);
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

// Calls f<outputs, RLo, RHi, CLo, CHi>() for the points of a tile.
#define STRIATE_WINOGRAD_KINDS(f, outputs, row_kind, col_kind, ...) \
  switch ((row_kind) * 3 + (col_kind)) {                            \
    case 0:                                                         \
      return f<outputs, 0, 6, 0, 6>(__VA_ARGS__);                   \
    case 1:                                                         \
      return f<outputs, 0, 6, 0, 5>(__VA_ARGS__);                   \
    case 2:                                                         \
      return f<outputs, 0, 6, 1, 5>(__VA_ARGS__);                   \
    case 3:                                                         \
      return f<outputs, 0, 5, 0, 6>(__VA_ARGS__);                   \
    case 4:                                                         \
      return f<outputs, 0, 5, 0, 5>(__VA_ARGS__);                   \
    case 5:                                                         \
      return f<outputs, 0, 5, 1, 5>(__VA_ARGS__);                   \
    case 6:                                                         \
      return f<outputs, 1, 5, 0, 6>(__VA_ARGS__);                   \
    case 7:                                                         \
      return f<outputs, 1, 5, 0, 5>(__VA_ARGS__);                   \
    default:                                                        \
      return f<outputs, 1, 5, 1, 5>(__VA_ARGS__);                   \
  }

// The same for tiles of two outputs along an axis, of which there are no kTwo.
#define STRIATE_WINOGRAD_KINDS_OF_TWO(f, row_kind, col_kind, ...) \
  switch ((row_kind) * 2 + (col_kind)) {                          \
    case 0:                                                       \
      return f<2, 0, 6, 0, 6>(__VA_ARGS__);                       \
    case 1:                                                       \
      return f<2, 0, 6, 0, 5>(__VA_ARGS__);                       \
    case 2:                                                       \
      return f<2, 0, 5, 0, 6>(__VA_ARGS__);                       \
    default:                                                      \
      return f<2, 0, 5, 0, 5>(__VA_ARGS__);                       \
  }

// Where things lie, in floats. V, the transformed inputs: [point][channels / kChunk][tile][kChunk]. M, the products
// (and transformed gradients): [point][panel][tile][kPanel]. U, the transformed filters (and their gradients' sums):
// [point][panel][channel][kPanel]. Points lie an odd number of cache lines apart: 36 streams must not share cache sets.
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
