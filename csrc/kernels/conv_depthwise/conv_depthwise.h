// Depthwise convolution: depthwise_conv2d, its _grad_x and _grad_w. Float32, NHWC, vectors along channels.
//
//   y[n, i, j, c*M + m] = act(b[c*M + m] + sum_uv x[n, i*SH + u*DH - PT, j*SW + v*DW - PL, c] * w[u, v, c, m])
//
// Shapes: x (N, H, W, C), w (KH, KW, C, M), y (N, OH, OW, C*M). Where M > 1, rows of x are first copied with every
// channel M times ("spread"), so that the rest knows one channel an output.
//
// Sums run over taps in row-major order, those outside the image left out, one fused multiply-add a term from zero; the
// bias comes last. So a pixel's bits depend on its window alone. grad_w sums rows of outputs in order, in a number of
// parts that depends on the shape only, added in order at the end. depthwise_moments gives mean and variance of y's
// channels too, gathered by the pieces (base/moments.h) and joined in their order.
//
// *_normed read x through a batch norm's arithmetic (base/normalize.h), with the bits of a result that is written: rows
// of x are normalised into a thread's scratch, forward a strip for several blocks of outputs, so that few rows of it
// are done twice; for grad_w the rows of a window, each when it is first met.
#pragma once

#include "base/conv.h"
#include "base/normalize.h"

namespace striate {
namespace {

struct Depthwise {
  Axis rows, cols;  // grad_x at stride 1: those of the equal forward convolution over g
  Epilogue epilogue;
  int64_t batch, channels, multiplier, out_channels;  // out_channels = channels * multiplier
  int64_t height, blocks;                             // forward: output rows of a piece, and such pieces an image
  int64_t parts, col_blocks;                          // grad_w
  bool has_bias, turned;                              // turned: w's taps from the last to the first
  // A vector of channels after another, all rows of each: lines of x come to the first-level cache once, not once a row
  // of taps. Pays where x lies in the second-level cache; from beyond, lines in the order of memory come sooner.
  bool near;
  Norming norm;                // of x
  int64_t groups, strip_rows;  // normalised: pieces an image, of some blocks each, and the rows of x that they read
};

inline Depthwise make_depthwise(const Conv& c) {
  Depthwise d = {};
  d.rows = c.rows;
  d.cols = c.cols;
  d.epilogue = c.epilogue;
  d.batch = c.batch;
  d.channels = c.in_channels;
  d.out_channels = c.out_channels;
  d.multiplier = c.out_channels / c.in_channels;
  return d;
}

}  // namespace
}  // namespace striate
