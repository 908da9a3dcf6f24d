// Tiles into the transformed domain one column of points at a time: what the gradient with respect to the filters
// needs.
#pragma once

#include "kernels/conv_winograd/move.h"

namespace striate {
namespace {

// Where a column's transform goes: [point][channels / kWide][tile][kWide], six points.
struct Column {
  float* to;      // the tile's place in the first block of channels
  int64_t block;  // floats from a block of channels to the next
  int64_t point;  // and from a point to the next
};

// ---- Column J of V = B^T d B
template <int J, int RLo, int RHi, bool Tail>
STRIATE_INLINE void input_column(const float* const (&px)[36], int64_t c, int n, float* to, int64_t point) {
  Vf t[6], v[6];
  STRIATE_UNROLL
  for (int i = RLo == 0 ? 0 : 1; i < (RHi == 6 ? 6 : 5); ++i) {
    Vf d[6];
    STRIATE_UNROLL
    for (int j = J == 0 ? 0 : 1; j < (J == 5 ? 6 : 5); ++j)
      d[j] = Tail ? load_n(px[i * 6 + j] + c, n) : load(px[i * 6 + j] + c);
    t[i] = input_point<J>(d);
  }
  transform_input<RLo, RHi>(t, v);
  STRIATE_UNROLL
  for (int i = RLo; i < RHi; ++i) store(to + i * point, v[i]);
}

// ---- Column J of dM = A g A^T; pixels outside are zeros
template <int Side, int J, int RLo, int RHi, bool Tail>
STRIATE_INLINE void grad_column(const float* const (&px)[36], int64_t c, int n, float* to, int64_t point) {
  Vf t[Side], m[6];
  STRIATE_UNROLL
  for (int i = RLo == 0 ? 0 : 1; i < (RHi == 6 ? Side : Side - 1); ++i) {
    Vf y[Side];
    STRIATE_UNROLL
    for (int j = J == 5 ? Side - 1 : 0; j < (J == 0 ? 1 : Side); ++j)
      y[j] = Tail ? load_n(px[i * Side + j] + c, n) : load(px[i * Side + j] + c);
    t[i] = grad_point<J, true, true>(y);
  }
  transform_grad<RLo, RHi>(t, m);
  STRIATE_UNROLL
  for (int i = RLo; i < RHi; ++i) store(to + i * point, m[i]);
}

// A tile's channels; Grad: the outputs of a tile along an axis where gradients are transformed, 0 where images are.
template <int Grad, int J, int RLo, int RHi>
inline void column_channels(const float* const (&px)[36], Part channels, const Column& k) {
  constexpr int64_t kWide = Grad ? kPanel : kChunk;
  const int64_t n = channels.end - channels.begin;
  int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) {
    float* to = k.to + c / kWide * k.block + c % kWide;
    if constexpr (Grad > 0) {
      grad_column<Grad, J, RLo, RHi, false>(px, channels.begin + c, kLanes, to, k.point);
    } else {
      input_column<J, RLo, RHi, false>(px, channels.begin + c, kLanes, to, k.point);
    }
  }
  if (c < n) {
    float* to = k.to + c / kWide * k.block + c % kWide;
    if constexpr (Grad > 0) {
      grad_column<Grad, J, RLo, RHi, true>(px, channels.begin + c, static_cast<int>(n - c), to, k.point);
    } else {
      input_column<J, RLo, RHi, true>(px, channels.begin + c, static_cast<int>(n - c), to, k.point);
    }
  }
}

template <int Grad, int J>
inline void column_kind(int row_kind, const float* const (&px)[36], Part channels, const Column& k) {
  if (row_kind == kWhole) return column_channels<Grad, J, 0, 6>(px, channels, k);
  if (row_kind == kButLast) return column_channels<Grad, J, 0, 5>(px, channels, k);
  if constexpr (Grad != 2) return column_channels<Grad, J, 1, 5>(px, channels, k);
}

template <int Grad>
inline void transform_column(int j, int row_kind, const Pixels& px, Part channels, const Column& k) {
  switch (j) {
    case 0:
      return column_kind<Grad, 0>(row_kind, px.at, channels, k);
    case 1:
      return column_kind<Grad, 1>(row_kind, px.at, channels, k);
    case 2:
      return column_kind<Grad, 2>(row_kind, px.at, channels, k);
    case 3:
      return column_kind<Grad, 3>(row_kind, px.at, channels, k);
    case 4:
      return column_kind<Grad, 4>(row_kind, px.at, channels, k);
    default:
      return column_kind<Grad, 5>(row_kind, px.at, channels, k);
  }
}

// Where the outputs of a tile lie, in the first places.
[[maybe_unused]] inline Pixels output_pixels(const Tiles& tiles, const Tile& t, const Image& grad) {
  const Outputs o = outputs_of(tiles, t);
  Pixels px;
  const int64_t side = tiles.rows.outputs;
  for (int64_t i = 0; i < side; ++i)
    for (int64_t j = 0; j < side; ++j) {
      const int64_t row = i - o.row0, col = j - o.col0;
      const bool inside = row >= 0 && row < o.rows && col >= 0 && col < o.cols;
      px.at[i * side + j] = inside ? grad.pixels + (o.first + row * tiles.cols.out + col) * grad.stride : grad.zeros;
    }
  return px;
}

}  // namespace
}  // namespace striate
