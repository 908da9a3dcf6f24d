// Gradients: tap by tap into rows (x), and sums over rows of outputs (w).
#pragma once

#include "kernels/conv_depthwise/rows.h"

namespace striate {
namespace {

// ---- grad_x. At stride 1 and M = 1 a forward convolution of g with the taps turned round; else tap by tap into rows.
inline void depthwise_grad_x_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t channels = d.out_channels, image = piece / rows.in, i = piece % rows.in;
  const float* g = args.ptr<const float>(0) + image * rows.out * cols.out * channels;
  const float* w = args.ptr<const float>(1);
  float* dx = args.ptr<float>(2) + piece * cols.in * d.channels;
  float* sums = d.multiplier > 1 ? reinterpret_cast<float*>(thread_scratch) : dx;  // [column][channels]
  std::memset(sums, 0, static_cast<size_t>(cols.in * channels) * 4);
  for (int64_t u = 0; u < rows.kernel; ++u) {
    const Run row = run_transposed(rows, u, i, i + 1);
    if (row.count == 0) continue;
    for (int64_t v = 0; v < cols.kernel; ++v) {
      const Run run = run_transposed(cols, v, 0, cols.in);
      const float* from = g + (row.src0 * cols.out + run.src0) * channels;
      const float* tap = w + (u * cols.kernel + v) * channels;
      float* to = sums + run.out0 * channels;
      for (int64_t j = 0; j < run.count; ++j, from += channels, to += cols.stride * channels) {
        int64_t k = 0;
        for (; k + kLanes <= channels; k += kLanes) store(to + k, load(to + k) + load(from + k) * load(tap + k));
        if (k < channels) {
          const int n = static_cast<int>(channels - k);
          store_n(to + k, load_n(to + k, n) + load_n(from + k, n) * load_n(tap + k, n), n);
        }
      }
    }
  }
  if (d.multiplier == 1) return;
  for (int64_t j = 0; j < cols.in * d.channels; ++j) {
    float sum = sums[j * d.multiplier];
    for (int64_t m = 1; m < d.multiplier; ++m) sum += sums[j * d.multiplier + m];
    dx[j] = sum;
  }
}

// ---- grad_w: sums[part][tap][channels], a piece is one part's block of channels.
constexpr int64_t kColumnBlock = 64;  // channels
constexpr int64_t kWantedParts = 32;
constexpr int kTapGroup = 4;  // taps of a kernel row summed at once: with two vectors of channels, eight sums

// Adds a row of outputs to V taps of one kernel row, C vectors of channels. x: the image row; taps v0, v0 + 1, ...
template <int V, int C>
STRIATE_INLINE void grad_w_row(const Axis& cols, int64_t v0, const float* x, int64_t x_pixel, const float* g,
                               int64_t g_pixel, float* sums, int64_t tap_stride, int lanes) {
  Vf acc[V][C];
  Run inside[V];
  int64_t lo = 0, hi = cols.out;  // where all V taps are inside
  STRIATE_UNROLL
  for (int v = 0; v < V; ++v) {
    inside[v] = run_forward(cols, v0 + v, 0, cols.out);
    lo = max64(lo, inside[v].out0);
    hi = min64(hi, inside[v].out0 + inside[v].count);
    STRIATE_UNROLL
    for (int c = 0; c < C; ++c) acc[v][c] = load_n(sums + v * tap_stride + c * kLanes, lanes);
  }
  if (hi < lo) hi = lo;
  const auto at = [&](int64_t j, int v) {
    return x + (j * cols.stride + (v0 + v) * cols.dilation - cols.pad) * x_pixel;
  };
  for (int64_t j = lo; j < hi; ++j) {
    const float* first = at(j, 0);
    STRIATE_UNROLL
    for (int c = 0; c < C; ++c) {
      const Vf gradient = load_n(g + j * g_pixel + c * kLanes, lanes);
      STRIATE_UNROLL
      for (int v = 0; v < V; ++v)
        acc[v][c] += load_n(first + v * cols.dilation * x_pixel + c * kLanes, lanes) * gradient;
    }
  }
  STRIATE_UNROLL
  for (int v = 0; v < V; ++v) {
    const int64_t begin = inside[v].out0, end = begin + inside[v].count;
    for (int64_t j = begin; j < end; ++j) {
      if (j >= lo && j < hi) {
        j = hi - 1;
        continue;
      }
      STRIATE_UNROLL
      for (int c = 0; c < C; ++c)
        acc[v][c] += load_n(at(j, v) + c * kLanes, lanes) * load_n(g + j * g_pixel + c * kLanes, lanes);
    }
    STRIATE_UNROLL
    for (int c = 0; c < C; ++c) store_n(sums + v * tap_stride + c * kLanes, acc[v][c], lanes);
  }
}

template <int C>
STRIATE_INLINE void grad_w_taps(const Axis& cols, const float* x, int64_t x_pixel, const float* g, int64_t g_pixel,
                                float* sums, int64_t tap_stride, int lanes) {
  int64_t v = 0;
  for (; v + kTapGroup <= cols.kernel; v += kTapGroup)
    grad_w_row<kTapGroup, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
  switch (cols.kernel - v) {
    case 3:
      return grad_w_row<3, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
    case 2:
      return grad_w_row<2, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
    case 1:
      return grad_w_row<1, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
    default:
      return;
  }
}

// A piece's channels of the result.
inline Part grad_w_channels(const Depthwise& d, int64_t piece) {
  const int64_t first = piece % d.col_blocks * kColumnBlock;
  return {first, min64(first + kColumnBlock, d.out_channels)};
}
// For channels `mine` of the piece's; row_of(row of all images') -> where that row of x has them; its pixels lie
// x_pixel apart.
template <typename RowOf>
STRIATE_INLINE void grad_w_piece(const StepArgs& args, const Depthwise& d, int64_t piece, Part mine, int64_t x_pixel,
                                 RowOf row_of) {
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t part = piece / d.col_blocks, channels = d.out_channels, taps = rows.kernel * cols.kernel;
  const int64_t c0 = mine.begin, c1 = mine.end;
  const Part lines = part_of(d.batch * rows.out, d.parts, part);
  float* sums = reinterpret_cast<float*>(args.scratch) + part * taps * channels + c0;
  for (int64_t t = 0; t < taps; ++t) std::memset(sums + t * channels, 0, static_cast<size_t>(c1 - c0) * 4);
  for (int64_t line = lines.begin; line < lines.end; ++line) {
    const int64_t image = line / rows.out, first = line % rows.out * rows.stride - rows.pad;
    const float* g = args.ptr<const float>(1) + line * cols.out * channels + c0;
    for (int64_t u = 0; u < rows.kernel; ++u) {
      const int64_t i = first + u * rows.dilation;
      if (i < 0 || i >= rows.in) continue;
      const float* x = row_of(image * rows.in + i);
      float* to = sums + u * cols.kernel * channels;
      int64_t c = 0;
      for (; c + 2 * kLanes <= c1 - c0; c += 2 * kLanes)
        grad_w_taps<2>(cols, x + c, x_pixel, g + c, channels, to + c, channels, kLanes);
      for (; c < c1 - c0; c += kLanes)
        grad_w_taps<1>(cols, x + c, x_pixel, g + c, channels, to + c, channels,
                       static_cast<int>(min64(kLanes, c1 - c0 - c)));
    }
  }
}

inline void depthwise_grad_w_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Part mine = grad_w_channels(d, piece);
  float* spread = reinterpret_cast<float*>(thread_scratch);
  const int64_t x_pixel = d.multiplier > 1 ? mine.end - mine.begin : d.channels;
  grad_w_piece(args, d, piece, mine, x_pixel, [&](int64_t row) {
    const float* x = args.ptr<const float>(0) + row * d.cols.in * d.channels;
    if (d.multiplier == 1) return x + mine.begin;
    spread_row(x, d.cols.in, d.channels, d.multiplier, mine, spread);
    return static_cast<const float*>(spread);
  });
}

inline void depthwise_grad_w_reduce(const StepArgs& args, int64_t piece, unsigned char*) {
  const Depthwise& d = args.as<Depthwise>();
  const int64_t channels = d.out_channels, stride = d.rows.kernel * d.cols.kernel * channels;
  const float* sums = reinterpret_cast<const float*>(args.scratch) + piece * channels;
  float* dw = args.ptr<float>(2 + d.norm.inputs()) + piece * channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int lanes = static_cast<int>(min64(kLanes, channels - c));
    Vf sum = load_n(sums + c, lanes);
    for (int64_t part = 1; part < d.parts; ++part) sum += load_n(sums + part * stride + c, lanes);
    store_n(dw + c, sum, lanes);
  }
}

}  // namespace
}  // namespace striate
