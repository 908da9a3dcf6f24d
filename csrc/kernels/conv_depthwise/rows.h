// The forward kernel: rows of outputs, tiles of neighbouring pixels by one vector of channels.
#pragma once

#include "kernels/conv_depthwise/conv_depthwise.h"

namespace striate {
namespace {

// A row of pixels with every channel M times: to[i][c*M + m] = from[i][c], for channels [begin, end) of the result.
inline void spread_row(const float* from, int64_t pixels, int64_t channels, int64_t multiplier, Part part, float* to) {
  for (int64_t i = 0; i < pixels; ++i, from += channels)
    for (int64_t j = part.begin; j < part.end; ++j) *to++ = from[j / multiplier];
}

// Taps of a row of windows: first cell inside, and the steps from tap to tap, in floats.
struct Taps {
  const float* x;
  const float* w;
  int64_t u, v;  // how many
  int64_t x_u, x_v, w_u, w_v, x_pixel;
};

// T neighbouring outputs, one vector of channels. Eight sums keep two FMA ports busy.
template <int T>
STRIATE_INLINE void depthwise_tile(const Taps& t, Vf bias, const Epilogue& e, float* y, int64_t y_pixel, int lanes) {
  Vf acc[T];
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) acc[i] = Vf{};
  for (int64_t u = 0; u < t.u; ++u)
    for (int64_t v = 0; v < t.v; ++v) {
      const Vf w = load_n(t.w + u * t.w_u + v * t.w_v, lanes);
      const float* x = t.x + u * t.x_u + v * t.x_v;
      STRIATE_UNROLL
      for (int i = 0; i < T; ++i) acc[i] += load_n(x + i * t.x_pixel, lanes) * w;
    }
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) store_n(y + i * y_pixel, clamp(acc[i] + bias, e.lo, e.hi), lanes);
}

// One row of outputs. x points at input row `first row inside`, w at its tap.
STRIATE_INLINE void depthwise_row(const Axis& cols, int64_t channels, Taps t, const float* x, const float* w,
                                  const float* bias, const Epilogue& e, float* y, int lanes) {
  const Vf b = bias ? load_n(bias, lanes) : Vf{};
  // Outputs [inner.begin, inner.end) have every column inside.
  const int64_t last = (cols.kernel - 1) * cols.dilation;
  const int64_t begin = min64(max64(div_ceil(cols.pad, cols.stride), 0), cols.out);
  const int64_t end = max64(begin, min64(cols.out, div_floor(cols.in - 1 + cols.pad - last, cols.stride) + 1));
  for (int64_t j = 0; j < cols.out;) {
    const int64_t first = j * cols.stride - cols.pad;
    float* to = y + j * channels;
    if (j < begin || j >= end) {
      const int64_t v0 = min64(max64(0, div_ceil(-first, cols.dilation)), cols.kernel);
      const int64_t v1 = max64(v0, min64(cols.kernel, div_floor(cols.in - 1 - first, cols.dilation) + 1));
      t.x = x + (first + v0 * cols.dilation) * channels;
      t.w = w + v0 * t.w_v;
      t.v = v1 - v0;
      depthwise_tile<1>(t, b, e, to, channels, lanes);
      ++j;
      continue;
    }
    t.x = x + first * channels;
    t.w = w;
    t.v = cols.kernel;
    const int64_t left = end - j;
    if (left >= 8) {
      depthwise_tile<8>(t, b, e, to, channels, lanes);
      j += 8;
    } else if (left >= 4) {
      depthwise_tile<4>(t, b, e, to, channels, lanes);
      j += 4;
    } else {
      depthwise_tile<1>(t, b, e, to, channels, lanes);
      ++j;
    }
  }
}

// A block of output rows of one image: x (or g) and y with d.out_channels channels each.
template <int Inputs>
inline void depthwise_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t image = piece / d.blocks, channels = d.out_channels, line = cols.in * channels;
  const Part block = part_of(rows.out, d.blocks, piece % d.blocks);
  const float* x = args.ptr<const float>(0) + image * rows.in * cols.in * d.channels;
  const float* w = args.ptr<const float>(1);
  const float* bias = Inputs == 3 ? args.ptr<const float>(2) : nullptr;
  float* y = args.ptr<float>(Inputs) + image * rows.out * cols.out * channels;
  int64_t top = 0;  // image row at which x now starts
  if (d.multiplier > 1) {
    float* spread = reinterpret_cast<float*>(thread_scratch);
    top = max64(0, block.begin * rows.stride - rows.pad);
    const int64_t bottom =
        min64(rows.in, (block.end - 1) * rows.stride - rows.pad + (rows.kernel - 1) * rows.dilation + 1);
    for (int64_t r = top; r < bottom; ++r)
      spread_row(x + r * cols.in * d.channels, cols.in, d.channels, d.multiplier, {0, channels},
                 spread + (r - top) * line);
    x = spread;
  }
  Taps t = {};
  t.x_u = rows.dilation * line;
  t.x_v = cols.dilation * channels;
  t.w_u = (d.turned ? -1 : 1) * cols.kernel * channels;
  t.w_v = (d.turned ? -1 : 1) * channels;
  t.x_pixel = cols.stride * channels;
  const float* w0 = d.turned ? w + (rows.kernel * cols.kernel - 1) * channels : w;
  for (int64_t i = block.begin; i < block.end; ++i) {
    const int64_t first = i * rows.stride - rows.pad;
    const int64_t u0 = min64(max64(0, div_ceil(-first, rows.dilation)), rows.kernel);
    t.u = max64(0, min64(rows.kernel, div_floor(rows.in - 1 - first, rows.dilation) + 1) - u0);
    const float* from = t.u > 0 ? x + (first + u0 * rows.dilation - top) * line : x;
    const float* taps = w0 + u0 * t.w_u;
    float* to = y + i * cols.out * channels;
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes)
      depthwise_row(cols, channels, t, from + c, taps + c, bias ? bias + c : nullptr, d.epilogue, to + c, kLanes);
    if (c < channels)
      depthwise_row(cols, channels, t, from + c, taps + c, bias ? bias + c : nullptr, d.epilogue, to + c,
                    static_cast<int>(channels - c));
    if (!d.epilogue.is_clamp()) activate(to, 1, 0, cols.out * channels, d.epilogue);
  }
}

constexpr int64_t kPiecePixels = 256;  // outputs of a piece, about: enough for the halo of a 3x3 not to matter
constexpr int64_t kLeastPieces = 16;   // but single images are shared out too

inline void plan_rows(Depthwise* d, StepPlan* plan) {
  const int64_t rows = max64(1, kPiecePixels / d->cols.out);
  d->blocks = max64((d->rows.out + rows - 1) / rows, min64(d->rows.out, kLeastPieces / max64(d->batch, 1)));
  d->height = (d->rows.out + d->blocks - 1) / d->blocks;
  if (d->multiplier > 1) {
    const int64_t seen =
        min64(d->rows.in, (d->height - 1) * d->rows.stride + (d->rows.kernel - 1) * d->rows.dilation + 1);
    plan->thread_scratch_bytes = static_cast<size_t>(seen * d->cols.in * d->out_channels) * 4;
  }
}

}  // namespace
}  // namespace striate
