// The forward kernel and the filters' gradient where x is normalised as it is read: rows of it, into scratch.
#pragma once

#include "kernels/conv_depthwise/gradients.h"
#include "kernels/conv_depthwise/moments.h"

namespace striate {
namespace {

constexpr int64_t kAheadPixels = 32;  // asked for ahead: they lie apart, and scratch is written meanwhile

// Row `row` of all images', channels [first, end) of the result from `to` on. `line`: room for a row of x where M > 1.
inline void normalize_row(const Depthwise& d, const Normalizer& norm, const float* x, int64_t row, Part part,
                          float* line, float* to) {
  const float* from = x + row * d.cols.in * d.channels;
  const int64_t width = part.end - part.begin, ahead = kAheadPixels * d.channels;
  if (d.multiplier == 1) {
    from += part.begin;
    normalize_rows(
        norm, [&](int64_t i) { return from + i * d.channels; }, d.cols.in, part.begin, width, to, width, ahead);
    return;
  }
  normalize_rows(norm, [&](int64_t i) { return from + i * d.channels; }, d.cols.in, 0, d.channels, line, d.channels);
  spread_row(line, d.cols.in, d.channels, d.multiplier, part, to);
}

// ---- forward: a strip of x for some blocks of outputs
constexpr int64_t kStripFloats = 128 * 1024;  // of a strip, about: in the second-level cache, a few rows of it twice

inline void plan_strips(Depthwise* d, StepPlan* plan) {
  const int64_t line = d->cols.in * d->out_channels, halo = (d->rows.kernel - 1) * d->rows.dilation + 1;
  const int64_t fit = max64(kStripFloats / max64(line, 1) - halo, 0) / d->rows.stride + 1;  // rows of outputs
  const int64_t blocks = max64(fit / max64(d->height, 1), 1);
  d->groups = min64(d->blocks, max64(ceil_div(d->blocks, blocks), ceil_div(kLeastPieces, max64(d->batch, 1))));
  const int64_t rows = ceil_div(d->blocks, max64(d->groups, 1)) * d->height;
  d->strip_rows = min64(d->rows.in, (rows - 1) * d->rows.stride + halo);
  d->near = true;  // the strip is
  plan->thread_scratch_bytes =
      static_cast<size_t>(d->strip_rows * line + (d->multiplier > 1 ? d->cols.in * d->channels : 0)) * 4;
}

template <bool kMoments>
void depthwise_normed_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const DepthwiseMoments& p = args.as<DepthwiseMoments>();
  const Depthwise& d = p.d;
  const Axis& rows = d.rows;
  const int64_t image = piece / d.groups, channels = d.out_channels, line = d.cols.in * channels;
  const Part blocks = part_of(d.blocks, d.groups, piece % d.groups);
  const int64_t first = part_of(rows.out, d.blocks, blocks.begin).begin;
  const int64_t last = part_of(rows.out, d.blocks, blocks.end - 1).end - 1;
  const int64_t top = min64(max64(0, first * rows.stride - rows.pad), rows.in);
  const int64_t bottom =
      max64(top, min64(rows.in, last * rows.stride - rows.pad + (rows.kernel - 1) * rows.dilation + 1));
  const Normalizer norm = d.norm.of(args);
  float* strip = reinterpret_cast<float*>(thread_scratch);
  for (int64_t r = top; r < bottom; ++r)
    normalize_row(d, norm, args.ptr<const float>(0), image * rows.in + r, {0, channels}, strip + d.strip_rows * line,
                  strip + (r - top) * line);
  const float* bias = d.has_bias ? args.ptr<const float>(2) : nullptr;
  float* y = args.ptr<float>(p.result) + image * rows.out * d.cols.out * channels;
  for (int64_t b = blocks.begin; b < blocks.end; ++b) {
    const Part block = part_of(rows.out, d.blocks, b);
    depthwise_rows(d, {channels, channels}, strip, top, args.ptr<const float>(1), bias, block,
                   y + block.begin * d.cols.out * channels);
    if (kMoments) take_block(args, p, image * d.blocks + b);
  }
}

// ---- grad_w: the rows of a window, each at its number modulo how many there are; a window's rows are of one image
// Channels at a time: a window of 3 rows of 112 pixels is 43 KB then, of 56 half of that: the first-level cache.
constexpr int64_t kWindowChannels = 32;
inline int64_t window_rows(const Depthwise& d) { return min64((d.rows.kernel - 1) * d.rows.dilation + 1, d.rows.in); }
inline int64_t window_floats(const Depthwise& d) {
  return window_rows(d) * d.cols.in * min64(kWindowChannels, d.out_channels);
}
inline size_t window_bytes(const Depthwise& d) {
  return static_cast<size_t>(window_rows(d)) * sizeof(int64_t) +
         static_cast<size_t>(window_floats(d) + (d.multiplier > 1 ? d.cols.in * d.channels : 0)) * sizeof(float);
}

// Some of the channels of a piece.
inline void normed_grad_w(const StepArgs& args, const Depthwise& d, int64_t piece, Part mine,
                          unsigned char* thread_scratch) {
  const int64_t width = mine.end - mine.begin, held = window_rows(d);
  int64_t* holds = reinterpret_cast<int64_t*>(thread_scratch);  // row of all images' that lies there
  float* window = reinterpret_cast<float*>(holds + held);
  for (int64_t i = 0; i < held; ++i) holds[i] = -1;
  const Normalizer norm = d.norm.of(args);
  grad_w_piece(args, d, piece, mine, width, [&](int64_t row) {
    float* at = window + row % held * d.cols.in * width;
    if (holds[row % held] != row) {
      normalize_row(d, norm, args.ptr<const float>(0), row, mine, window + window_floats(d), at);
      holds[row % held] = row;
    }
    return static_cast<const float*>(at);
  });
}
inline void depthwise_normed_grad_w_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Part mine = grad_w_channels(d, piece);
  for (int64_t c = mine.begin; c < mine.end; c += kWindowChannels)
    normed_grad_w(args, d, piece, {c, min64(c + kWindowChannels, mine.end)}, thread_scratch);
}

}  // namespace
}  // namespace striate
