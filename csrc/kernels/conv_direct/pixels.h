// Which pixel of the source feeds which pixel of the result, tap by tap.
#pragma once

#include "kernels/conv_direct/conv_direct.h"

namespace striate {
namespace {

constexpr int64_t kWantedSums = 16;  // of a filters' gradient: pieces; below, images are cut into parts

// Forward (and grad_w): result pixels are outputs, the source is x. Transposed: result pixels are x's, the source is g.
struct PixelMap {
  Axis rows, cols;
  bool transposed;
  int64_t src_channels;  // of a source pixel

  int64_t dst_h() const { return transposed ? rows.in : rows.out; }
  int64_t dst_w() const { return transposed ? cols.in : cols.out; }
  int64_t src_h() const { return transposed ? rows.out : rows.in; }
  int64_t src_w() const { return transposed ? cols.out : cols.in; }
  int64_t dst_step() const { return transposed ? cols.stride : 1; }
  int64_t src_step() const { return transposed ? 1 : cols.stride; }
  Run row_run(int64_t u, int64_t y) const {
    return transposed ? run_transposed(rows, u, y, y + 1) : run_forward(rows, u, y, y + 1);
  }
  Run col_run(int64_t v, int64_t lo, int64_t hi) const {
    return transposed ? run_transposed(cols, v, lo, hi) : run_forward(cols, v, lo, hi);
  }
};

// Calls f(tap, first, source, count) for every run of result pixels in [begin, end) (flat over batch, rows, columns)
// and every tap of kernel rows [u0, u1) that reaches inside: pixels begin + first + i * dst_step() read
// source + i * src_step() * src_channels. Taps count from u0; for one tap, runs come in the order of pixels.
// `whole` holds one Run a kernel column, filled here.
template <typename F>
STRIATE_INLINE void each_run(const PixelMap& map, const float* src, int64_t begin, int64_t end, int64_t u0, int64_t u1,
                             Run* whole, F f) {
  const int64_t width = map.dst_w(), height = map.dst_h(), kernel_w = map.cols.kernel;
  for (int64_t v = 0; v < kernel_w; ++v) whole[v] = map.col_run(v, 0, width);
  int64_t row = begin / width, lo = begin % width;
  for (int64_t p = begin; p < end; ++row, lo = 0) {
    const int64_t hi = min64(width, lo + end - p);
    const int64_t image = row / height, y = row % height;
    for (int64_t u = u0; u < u1; ++u) {
      const Run in = map.row_run(u, y);
      if (in.count == 0) continue;
      const float* line = src + (image * map.src_h() + in.src0) * map.src_w() * map.src_channels;
      for (int64_t v = 0; v < kernel_w; ++v) {
        const Run r = lo == 0 && hi == width ? whole[v] : map.col_run(v, lo, hi);
        if (r.count > 0) f((u - u0) * kernel_w + v, p - begin + r.out0 - lo, line + r.src0 * map.src_channels, r.count);
      }
    }
    p += hi - lo;
  }
}

}  // namespace
}  // namespace striate
