// Pooling over windows: max_pool2d, avg_pool2d and their gradients. Float32, NHWC, vectors along channels.
//
//   max_pool2d       y[n, i, j, c] = max_uv x[n, i*SH + u - PT, j*SW + v - PL, c]   over cells inside the image
//   max_pool2d_grad  dx gets g at the first cell of the window, in row-major order, that holds the maximum y
//   max_pool2d_indices, max_unpool2d  the same two, with that cell's number (u * PW + v, a byte) between them
//   avg_pool2d       y = (sum_uv x) / (number of cells inside)
//   avg_pool2d_grad  dx gets g / (number of cells inside) at each of them
//
// A NaN in a window makes its maximum NaN (as NumPy's), and the gradient goes to the first NaN. Windows that overlap
// add up their gradients in row-major order of the windows, so the bits depend on the shape alone. A window that lies
// wholly in the padding gives -inf (max) or NaN (average); "same" never makes one.
#pragma once

#include "base/kernel.h"
#include "base/maxima.h"
#include "base/simd.h"
#include "base/window.h"

namespace striate {
namespace {

struct Pool {
  int64_t batch, channels;
  Axis rows, cols;
  bool average;
};

constexpr int64_t kIndexedCells = 256;  // of a window whose indices are bytes
constexpr int kPoolInts = 7;            // [2, ph, pw, 2, sh, sw, padding]; a gradient adds [4, shape of x]

// x and y: the operands that play the image and the pooled image.
// `bytes`: the operand that holds cells' numbers, null where there is none.
inline const char* decode_pool(const StepSpec& s, const Operand& x, const Operand& y, bool has_shape, Pool* p,
                               const Operand* bytes = nullptr) {
  if (s.n_ints != kPoolInts + (has_shape ? 5 : 0)) return "unknown attributes";
  const int64_t* a = s.ints;
  if (a[0] != 2 || a[3] != 2 || (a[6] != kPadValid && a[6] != kPadSame)) return "unknown attributes";
  for (int i = 0; i < s.n_inputs + s.n_outputs; ++i) {
    const Operand& o = s.operands[i];
    if (o.rank != 4 || o.dtype != (&o == bytes ? DType::kU8 : DType::kF32)) return "takes float32 of rank 4 only";
  }
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

inline double pool_flops(const Pool& p) {
  return static_cast<double>(p.batch * p.channels) * static_cast<double>(pairs_inside(p.rows)) *
         static_cast<double>(pairs_inside(p.cols));
}

// f(offset, lanes) over the channels: whole vectors with `lanes` a constant, then the tail.
template <typename F>
STRIATE_INLINE void each_vector(int64_t begin, int64_t end, F f) {
  int64_t c = begin;
  for (; c + kLanes <= end; c += kLanes) f(c, kLanes);
  if (c < end) f(c, static_cast<int>(end - c));
}

// Where windows do not overlap, each cell of a gradient is written once; else they are added up.
inline bool overlapping(const Pool& p) { return p.rows.stride < p.rows.kernel || p.cols.stride < p.cols.kernel; }
constexpr int64_t kChannelBlock = 64;  // of an image's gradient that is added up
inline int64_t channel_blocks(const Pool& p) { return (p.channels + kChannelBlock - 1) / kChannelBlock; }

// Cells of output o's window that lie inside the image, as input indices.
inline Part window_of(const Axis& a, int64_t o) {
  const int64_t first = o * a.stride - a.pad;
  return {max64(first, 0), min64(first + a.kernel, a.in)};
}

}  // namespace
}  // namespace striate
