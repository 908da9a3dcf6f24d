// Images read at places between their pixels, float32. Reference: ir/ops/sample.py.
//
//   y[n][m][c] = sum over corners of prod_a weight[a] * x[n][pixel_0]..[pixel_r-1][c]      r = 1, 2 or 3 axes
//
// Linear: a place p takes the pixels floor(p) and floor(p) + 1, weighted 1 - f and f, f = p - floor(p). Nearest: the
// one next to p, of two the one farther from 0. A pixel that the image lacks is, by the mode, the fill value or another
// pixel of the image; a place that is no number gives NaN (linear) or reads pixel 0. All indices end within the image.
//
// Bound: (2 r + 2^r) eps S, S the op on |x| (docs/numerics.md). Nearest copies. A value's arithmetic depends on its own
// place alone. Results never lie on inputs.
#pragma once

#include "base/kernel.h"
#include "base/simd.h"
