// Pooling over windows: max_pool2d, avg_pool2d and their gradients. Float32, NHWC, vectors along channels.
//
//   max_pool2d       y[n, i, j, c] = max_uv x[n, i*SH + u - PT, j*SW + v - PL, c]   over cells inside the image
//   max_pool2d_grad  dx gets g at the first cell of the window, in row-major order, that holds the maximum y
//   avg_pool2d       y = (sum_uv x) / (number of cells inside)
//   avg_pool2d_grad  dx gets g / (number of cells inside) at each of them
//
// A NaN in a window makes its maximum NaN (as NumPy's), and the gradient goes to the first NaN. Windows that overlap
// add up their gradients in row-major order of the windows, so the bits depend on the shape alone. A window that lies
// wholly in the padding gives -inf (max) or NaN (average); "same" never makes one.
#pragma once

#include "base/kernel.h"
#include "base/simd.h"
#include "base/window.h"

namespace striate {
namespace {

struct Pool {
  int64_t batch, channels;
  Axis rows, cols;
  bool average;
};

constexpr int kPoolInts = 7;  // [2, ph, pw, 2, sh, sw, padding]; a gradient adds [4, shape of x]

// x and y: the operands that play the image and the pooled image.
inline const char* decode_pool(const StepSpec& s, const Operand& x, const Operand& y, bool has_shape, Pool* p) {
  if (s.n_ints != kPoolInts + (has_shape ? 5 : 0)) return "unknown attributes";
  const int64_t* a = s.ints;
  if (a[0] != 2 || a[3] != 2 || (a[6] != kPadValid && a[6] != kPadSame)) return "unknown attributes";
  for (int i = 0; i < s.n_inputs + s.n_outputs; ++i)
    if (s.operands[i].dtype != DType::kF32 || s.operands[i].rank != 4) return "takes float32 of rank 4 only";
  if (has_shape) {
    if (a[kPoolInts] != 4) return "unknown attributes";
    for (int i = 0; i < 4; ++i)
      if (a[kPoolInts + 1 + i] != x.dims[i]) return "the result's shape is not the one in the attributes";
  }
  p->batch = x.dims[0];
  p->channels = x.dims[3];
  p->rows = Axis{x.dims[1], 0, a[1], a[4], 1, 0};
  p->cols = Axis{x.dims[2], 0, a[2], a[5], 1, 0};
  if (!resolve_axis(&p->rows, a[6], 0, 0) || !resolve_axis(&p->cols, a[6], 0, 0)) return "no window fits the image";
  if (y.dims[0] != p->batch || y.dims[1] != p->rows.out || y.dims[2] != p->cols.out || y.dims[3] != p->channels)
    return "the pooled image's shape does not fit";
  return nullptr;
}
inline bool same_shape(const Operand& a, const Operand& b) {
  for (int i = 0; i < 4; ++i)
    if (a.dims[i] != b.dims[i]) return false;
  return true;
}

// Cells of output o's window that lie inside the image, as input indices.
inline Part window_of(const Axis& a, int64_t o) {
  const int64_t first = o * a.stride - a.pad;
  return {max64(first, 0), min64(first + a.kernel, a.in)};
}

}  // namespace
}  // namespace striate
