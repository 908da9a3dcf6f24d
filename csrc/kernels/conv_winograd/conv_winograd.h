// Winograd convolution F(4x4, 3x3) and F(4x4, 5x5): conv2d, conv2d_moments and the gradients for 3x3 and 5x5 windows at
// stride 1, dilation 1. Float32, NHWC, filters HWIO; the formula of a convolution is in base/conv.h. A group of a
// convolution is one of its own: pieces count through groups, tiles are the same for all.
//
//   Y = A^T [ sum_c (G w_c G^T) . (B^T x_c B) ] A        a tile: 4x4 outputs from 6x6 inputs (5x5 windows: from 8x8)
//   dw = G^T [ sum_tiles (B^T x B) . (A dy A^T) ] G
//
// 36 multiplications a tile and pair of channels where the direct sum has 144 (64 where it has 400). The points of
// interpolation are 0, 1, -1, 2, -1/2 and infinity (0, 1, -1, 2, -2, 1/2, -1/2 and infinity); transforms.h has the
// matrices. The gradient with respect to x is a forward convolution of g with filters turned round and transposed.
//
// conv2d_max_pool2d: the output transform leaves the 2x2 maxima of its tile instead of the tile (pool.h).
//
// Edge tiles need fewer products, exactly: output 0 is the only one that uses point 0, output 3 the only one that uses
// infinity. An axis of 4n + 3 outputs ends with a tile that leaves out infinity; one of 4n + 1 or 4n + 2 ends with a
// tile that starts one output earlier and leaves out both. 7x7 outputs take 121 multiplications a pair of channels, not
// 144.
//
// Bits. A tile belongs to one image. A product is summed over channels upwards, one fused multiply-add a term from
// zero; the transforms are the same code for every tile of a kind; the bias comes last. So an output's bits do not
// depend on the batch, on its block or on the thread. conv2d_grad_w sums tiles in the order of tiles.h, and in parts
// whose number depends on the shape only.
//
// Error of an element: |A^T| ((|G||w||G^T|) . (|B^T||x||B|)) |A|, summed over channels, times a factor times eps, with
// the operands of its whole tile: an output whose own window is all zero need not be 0, and a NaN, infinity or outlier
// reaches the tile (at most 4x4 outputs) that reads it. docs/numerics-winograd.md argues the factor.
//
// Phases.
//   conv2d, conv2d_grad_x: the filters are transformed, then each piece takes a block of tiles through input transform,
//   products and output transform in its own scratch. Of few tiles, each piece takes all, and some of the filters, and
//   of at most four in a prediction it transforms them on the fly (on_the_fly.h); of
//   tiles that are neither few nor many, the three are phases and pieces are points and panels of filters. All give
//   the same bits. conv2d_grad_w: sums of columns of points (weights.h), then they are transformed back.
//   conv2d_normed, conv2d_normed_moments: as those, of x through a batch norm's arithmetic (base/normalize.h): the
//   pixels of a tile are normalised into scratch before its transform, 2.25 times each. conv2d_moments: as conv2d, and
//   statistics of each tile as it is written, joined at the end (moments.h).
#pragma once

#include "base/conv.h"
#include "base/operands.h"
#include "kernels/gemm/gemm.h"
