// Tiles into the transformed domain one column of points at a time: what the gradient with respect to the filters
// needs.
#pragma once

#include "kernels/conv_winograd/move.h"

namespace striate {
namespace {

// Where a column's transform goes: [point][channels / kWide][tile][kWide].
struct Column {
  float* to;      // the tile's place in the first block of channels
  int64_t block;  // floats from a block of channels to the next
  int64_t point;  // and from a point to the next
};

// ---- Column J of V = B^T d B
template <int N, int J, int RLo, int RHi, bool Tail>
STRIATE_INLINE void input_column(const float* const* px, int64_t c, int n, float* to, int64_t point) {
  Vf t[N], v[N];
  STRIATE_UNROLL
  for (int i = RLo; i < RHi; ++i) {
    Vf d[N];
    STRIATE_UNROLL
    for (int j = J == 0 ? 0 : 1; j < (J == N - 1 ? N : N - 1); ++j)
      d[j] = Tail ? load_n(px[i * N + j] + c, n) : load(px[i * N + j] + c);
    t[i] = input_point<J>(d);
  }
  transform_input<RLo, RHi>(t, v);
  STRIATE_UNROLL
  for (int i = RLo; i < RHi; ++i) store(to + i * point, v[i]);
}

// ---- Column J of dM = A g A^T; pixels outside are zeros
template <int N, int J, int RLo, int RHi, bool Tail>
STRIATE_INLINE void grad_column(const float* const* px, int64_t c, int n, float* to, int64_t point) {
  constexpr int kRow0 = first_output(RLo), kRows = past_output(RHi, N);
  Vf t[kOutputs], m[N];
  STRIATE_UNROLL
  for (int i = kRow0; i < kRows; ++i) {
    Vf y[kOutputs];
    STRIATE_UNROLL
    for (int j = J == N - 1 ? kOutputs - 1 : 0; j < (J == 0 ? 1 : kOutputs); ++j)
      y[j] = Tail ? load_n(px[i * kOutputs + j] + c, n) : load(px[i * kOutputs + j] + c);
    t[i] = grad_point<N, J, true, true>(y);
  }
  transform_grad<RLo, RHi>(t, m);
  STRIATE_UNROLL
  for (int i = RLo; i < RHi; ++i) store(to + i * point, m[i]);
}

// A tile's channels: of gradients, or of images.
template <int N, bool Grad, int J, int RLo, int RHi>
inline void column_channels(const float* const* px, Part channels, const Column& k) {
  constexpr int64_t kWide = Grad ? kPanel : kChunk;
  const int64_t n = channels.end - channels.begin;
  int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) {
    float* to = k.to + c / kWide * k.block + c % kWide;
    if constexpr (Grad) {
      grad_column<N, J, RLo, RHi, false>(px, channels.begin + c, kLanes, to, k.point);
    } else {
      input_column<N, J, RLo, RHi, false>(px, channels.begin + c, kLanes, to, k.point);
    }
  }
  if (c < n) {
    float* to = k.to + c / kWide * k.block + c % kWide;
    if constexpr (Grad) {
      grad_column<N, J, RLo, RHi, true>(px, channels.begin + c, static_cast<int>(n - c), to, k.point);
    } else {
      input_column<N, J, RLo, RHi, true>(px, channels.begin + c, static_cast<int>(n - c), to, k.point);
    }
  }
}

template <int N, bool Grad, int J>
inline void column_kind(int row_kind, const float* const* px, Part channels, const Column& k) {
  if (row_kind == kWhole) return column_channels<N, Grad, J, 0, N>(px, channels, k);
  if (row_kind == kButLast) return column_channels<N, Grad, J, 0, N - 1>(px, channels, k);
  return column_channels<N, Grad, J, 1, N - 1>(px, channels, k);
}

template <int N, bool Grad, int J = 0>
inline void column_of(int j, int row_kind, const float* const* px, Part channels, const Column& k) {
  if constexpr (J < N) {
    if (j == J) return column_kind<N, Grad, J>(row_kind, px, channels, k);
    column_of<N, Grad, J + 1>(j, row_kind, px, channels, k);
  }
}

// Column j of a tile with `points` along an axis.
template <bool Grad>
inline void transform_column(int points, int j, int row_kind, const Pixels& px, Part channels, const Column& k) {
  points == 8 ? column_of<8, Grad>(j, row_kind, px.at, channels, k)
              : column_of<6, Grad>(j, row_kind, px.at, channels, k);
}

// Where the outputs of a tile lie, in the first places.
[[maybe_unused]] inline Pixels output_pixels(const Tiles& tiles, const Tile& t, const Image& grad) {
  const Outputs o = outputs_of(tiles, t);
  Pixels px;
  for (int64_t i = 0; i < kOutputs; ++i)
    for (int64_t j = 0; j < kOutputs; ++j) {
      const int64_t row = i - o.row0, col = j - o.col0;
      const bool inside = row >= 0 && row < o.rows && col >= 0 && col < o.cols;
      px.at[i * kOutputs + j] =
          inside ? grad.pixels + (o.first + row * tiles.cols.out + col) * grad.stride : grad.zeros;
    }
  return px;
}

}  // namespace
}  // namespace striate
