// Outputs that only their 2x2 max pool reads: a tile starts at an even row and column, so a window lies within one.
#pragma once

#include "base/maxima.h"
#include "kernels/conv_winograd/move.h"

namespace striate {
namespace {

// The pooled image; `at`: which of the four cells holds the maximum, or null.
struct Pooled {
  float* y;  // first channel wanted of the batch's first window
  uint8_t* at;
};
// Where a tile's windows start, counted over the batch, and how many there are: a last odd row or column has none.
struct Windows {
  int64_t first, rows, cols;
};
[[maybe_unused]] inline Windows windows_of(const Tiles& tiles, const Tile& t) {
  const Outputs o = outputs_of(tiles, t);
  const int64_t high = tiles.rows.out / 2, wide = tiles.cols.out / 2;
  const int64_t row = (t.row + o.row0) / 2, col = (t.col + o.col0) / 2;
  return {(t.image * high + row) * wide + col, o.rows / 2, o.cols / 2};
}

// pool(Y), Y = A^T M A with bias and activation
template <int N, int RLo, int RHi, int CLo, int CHi>
STRIATE_INLINE void pooled_vector(const float* m, int64_t point, const Pooled& to, int64_t line, int64_t channels,
                                  const Windows& w, Vf bias, float lo, float hi, int n) {
  constexpr int kRow0 = first_output(RLo), kRows = past_output(RHi, N);
  constexpr int kCol0 = first_output(CLo), kCols = past_output(CHi, N);
  Vf t[kOutputs][N];
  output_rows<N, RLo, RHi, CLo, CHi>(m, point, t);
  STRIATE_UNROLL
  for (int i = kRow0; i + 1 < kRows; i += 2) {
    if ((i - kRow0) / 2 >= w.rows) break;
    Vf top[kOutputs], bottom[kOutputs];
    transform_output<CLo, CHi>(t[i], top);
    transform_output<CLo, CHi>(t[i + 1], bottom);
    const int64_t row = (i - kRow0) / 2 * line;
    STRIATE_UNROLL
    for (int j = kCol0; j + 1 < kCols; j += 2) {
      if ((j - kCol0) / 2 >= w.cols) break;
      const Vf four[4] = {clamp(top[j] + bias, lo, hi), clamp(top[j + 1] + bias, lo, hi),
                          clamp(bottom[j] + bias, lo, hi), clamp(bottom[j + 1] + bias, lo, hi)};
      const int64_t at = row + (j - kCol0) / 2 * channels;
      store_max_of_four(four, to.y + at, to.at ? to.at + at : nullptr, n);
    }
  }
}

template <int N, int RLo, int RHi, int CLo, int CHi>
inline void pooled_channels(const float* m, int64_t panel, int64_t point, const Pooled& to, int64_t line,
                            const Windows& w, const Result& r) {
  const auto vector = [&](int64_t k, int n) {
    const Pooled here = {to.y + k, to.at ? to.at + k : nullptr};
    pooled_vector<N, RLo, RHi, CLo, CHi>(m + k / kPanel * panel + k % kPanel, point, here, line, r.channels, w,
                                         r.bias ? load_n(r.bias + k, n) : Vf{}, r.epilogue.lo, r.epilogue.hi, n);
  };
  int64_t k = 0;
  for (; k + kLanes <= r.width; k += kLanes) vector(k, kLanes);
  if (k < r.width) vector(k, static_cast<int>(r.width - k));
}

// The tile at place `place` of an M with room for `room` tiles and `panels` panels; r.y is the pooled image's.
[[maybe_unused]] inline void pooled_tile(const Tiles& tiles, int64_t tile, const float* m, int64_t place, int64_t room,
                                         int64_t panels, const Result& r, uint8_t* at) {
  const Tile t = tiles.at(tile);
  const Windows w = windows_of(tiles, t);
  const int64_t line = tiles.cols.out / 2 * r.channels, first = w.first * r.channels;
  const Pooled to = {r.y + first, at ? at + first : nullptr};
  m += place * kPanel;
  STRIATE_WINOGRAD_KINDS(pooled_channels, tiles.points(), t.row_kind, t.col_kind, m, room * kPanel,
                         m_floats(panels, room), to, line, w, r)
}

}  // namespace
}  // namespace striate
