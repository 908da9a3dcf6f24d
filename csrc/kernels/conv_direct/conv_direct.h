// Direct convolution: conv2d, conv2d_grad_x, conv2d_grad_w. Float32, NHWC, filters HWIO; the formula is in base/conv.h.
//
// An output pixel's sum runs over taps (u, v) in row-major order, then input channels upwards, one fused multiply-add a
// term as in gemm.h, from zero; the bias comes last. The same order in every algorithm here, so that the bits depend on
// nothing but the pixel's own window: not on the batch, the tile or the thread.
//
// Algorithms, and what each is for:
//   *_1x1     a product of matrices (gemm); kernel 1x1, stride 1, no padding, one group.
//   *_narrow  few result channels: vectors along rows of pixels, whose channels lie in planes of a copy. Padding is
//             multiplied.
//   *_few     few input channels: strips of the image are copied with their left and right padding, and a kernel row's
//             columns and channels become one run of terms. Padding columns are multiplied (rows are not).
//   *_direct  everything. A block of output pixels; for each tap the table of the pixels whose tap lies inside the
//             image and where its channels start; tiles of those pixels by panels of filters. Nothing outside the image
//             is multiplied, and the gradient with respect to x at stride 2 costs a quarter a tap, since only a quarter
//             of the pixels has one.
//
// conv2d_moments, by the same algorithms, gives mean and variance of y's channels too (base/moments.h): a piece gathers
// those of what it has written, and they are joined in the pieces' order.
//
// conv2d_max_pool2d_few keeps two rows of outputs in its scratch, and stores the 2x2 maxima; conv2d_grad_w_unpool_few
// spreads the pool's gradient over a strip of outputs in its scratch.
//
// conv2d_normed, conv2d_normed_moments, conv2d_normed_grad_w (1x1 kernels) read x through a batch norm's arithmetic
// (base/normalize.h): blocks of x are normalised as they are packed, or into scratch; the rest is as it is, bits too.
//
// conv2d_grad_x is the same gather with taps turned round and filters transposed. conv2d_grad_w sums pixels (in blocks
// of kBlockPixels, images in order) into tiles of input channels by filters; where a kernel has too few tiles to share
// out, images are cut into parts, a number that depends on the shape only, whose sums are added in order at the end.
#pragma once

#include "base/conv.h"
#include "kernels/gemm/blocked.h"
