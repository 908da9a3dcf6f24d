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

// Quotients of what mostly is 1: a division takes as long as eight taps of a vector.
inline int64_t steps_up(int64_t n, int64_t by) { return by == 1 ? n : div_ceil(n, by); }
inline int64_t steps_down(int64_t n, int64_t by) { return by == 1 ? n : div_floor(n, by); }

// Taps of a window that starts at `first` that are inside.
inline Part taps_inside(const Axis& a, int64_t first) {
  const int64_t begin = min64(max64(0, steps_up(-first, a.dilation)), a.kernel);
  return {begin, max64(begin, min64(a.kernel, steps_down(a.in - 1 - first, a.dilation) + 1))};
}

// Outputs that have every tap inside.
inline Part whole_windows(const Axis& a) {
  const int64_t last = (a.kernel - 1) * a.dilation;
  const int64_t begin = min64(max64(steps_up(a.pad, a.stride), 0), a.out);
  return {begin, max64(begin, min64(a.out, steps_down(a.in - 1 + a.pad - last, a.stride) + 1))};
}

// Floats from pixel to pixel.
struct Steps {
  int64_t x, y;
};

// One row of outputs. x points at input row `first row inside`, w at its tap; `inner`: the outputs that have every
// column inside.
STRIATE_INLINE void depthwise_row(const Axis& cols, Part inner, Steps steps, Taps t, const float* x, const float* w,
                                  Vf bias, const Epilogue& e, float* y, int lanes) {
  for (int64_t j = 0; j < cols.out;) {
    const int64_t first = j * cols.stride - cols.pad;
    float* to = y + j * steps.y;
    if (j < inner.begin || j >= inner.end) {
      const Part inside = taps_inside(cols, first);
      t.x = x + (first + inside.begin * cols.dilation) * steps.x;
      t.w = w + inside.begin * t.w_v;
      t.v = inside.end - inside.begin;
      depthwise_tile<1>(t, bias, e, to, steps.y, lanes);
      ++j;
      continue;
    }
    t.x = x + first * steps.x;
    t.w = w;
    t.v = cols.kernel;
    const int64_t left = inner.end - j;
    if (left >= 8) {
      depthwise_tile<8>(t, bias, e, to, steps.y, lanes);
      j += 8;
    } else if (left >= 4) {
      depthwise_tile<4>(t, bias, e, to, steps.y, lanes);
      j += 4;
    } else {
      depthwise_tile<1>(t, bias, e, to, steps.y, lanes);
      ++j;
    }
  }
}

// Output rows `block` of an image: x starts at its row `top`, w at the first tap, y at row block.begin.
inline void depthwise_rows(const Depthwise& d, Steps steps, const float* x, int64_t top, const float* w,
                           const float* bias, Part block, float* y) {
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t channels = d.out_channels, line = cols.in * steps.x;
  const Part inner = whole_windows(cols);
  Taps t = {};
  t.x_u = rows.dilation * line;
  t.x_v = cols.dilation * steps.x;
  t.w_u = (d.turned ? -1 : 1) * cols.kernel * channels;
  t.w_v = (d.turned ? -1 : 1) * channels;
  t.x_pixel = cols.stride * steps.x;
  const float* w0 = d.turned ? w + (rows.kernel * cols.kernel - 1) * channels : w;
  const auto vectors = [&](int64_t i, int64_t begin, int64_t end) {
    const int64_t first = i * rows.stride - rows.pad;
    const Part inside = taps_inside(rows, first);
    t.u = inside.end - inside.begin;
    const float* from = t.u > 0 ? x + (first + inside.begin * rows.dilation - top) * line : x;
    const float* taps = w0 + inside.begin * t.w_u;
    float* to = y + (i - block.begin) * cols.out * steps.y;
    for (int64_t c = begin; c < end; c += kLanes) {
      const int lanes = static_cast<int>(min64(end - c, kLanes));
      const Vf b = bias ? load_n(bias + c, lanes) : Vf{};
      if (lanes == kLanes) {
        depthwise_row(cols, inner, steps, t, from + c, taps + c, b, d.epilogue, to + c, kLanes);
      } else {
        depthwise_row(cols, inner, steps, t, from + c, taps + c, b, d.epilogue, to + c, lanes);
      }
    }
  };
  if (d.near) {
    for (int64_t c = 0; c < channels; c += kLanes)
      for (int64_t i = block.begin; i < block.end; ++i) vectors(i, c, min64(c + kLanes, channels));
  } else {
    for (int64_t i = block.begin; i < block.end; ++i) vectors(i, 0, channels);
  }
  if (!d.epilogue.is_clamp()) activate(y, (block.end - block.begin) * cols.out, steps.y, channels, d.epilogue);
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
  depthwise_rows(d, {channels, channels}, x, top, w, bias, block, y + block.begin * cols.out * channels);
}

constexpr int64_t kPiecePixels = 256;     // outputs of a piece, about: enough for the halo of a 3x3 not to matter
constexpr int64_t kLeastPieces = 16;      // but single images are shared out too
constexpr int64_t kNearMap = 512 * 1024;  // floats of x that a few second-level caches hold

inline void plan_rows(Depthwise* d, StepPlan* plan) {
  d->near = d->batch * d->rows.in * d->cols.in * d->channels <= kNearMap;
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
