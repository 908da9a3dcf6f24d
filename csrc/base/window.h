// One axis of a sliding window (convolution and pooling): sizes, padding, and which taps fall inside the image.
//
//   input index of output o at tap t:  o * stride + t * dilation - pad     (inside when 0 <= index < in)
#pragma once

#include <cstdint>

namespace striate {
namespace {

constexpr int64_t kPadValid = 0, kPadSame = 1, kPadExplicit = 2;  // the order of the attrs' Literal

[[maybe_unused]] inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
[[maybe_unused]] inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
// For b > 0 and any a.
[[maybe_unused]] inline int64_t div_floor(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
[[maybe_unused]] inline int64_t div_ceil(int64_t a, int64_t b) { return -div_floor(-a, b); }

struct Axis {
  int64_t in, out, kernel, stride, dilation, pad;  // pad: elements before the first
};

// Outputs (or, transposed, inputs) that a tap reaches, as two progressions of `count` steps:
// out0, out0 + out_step, ... takes from src0, src0 + src_step, ...
struct Run {
  int64_t out0, src0, count;
};

// Sizes are bounded so that no product of two of them leaves 63 bits.
constexpr int64_t kMaxExtent = int64_t(1) << 30;

// Fills `out` and `pad`; false when a number is out of bounds or no window fits.
[[maybe_unused]] inline bool resolve_axis(Axis* a, int64_t padding, int64_t before, int64_t after) {
  if (a->in < 0 || a->in > kMaxExtent || a->kernel < 1 || a->kernel > kMaxExtent) return false;
  if (a->stride < 1 || a->stride > kMaxExtent || a->dilation < 1 || a->dilation > kMaxExtent) return false;
  const int64_t span = (a->kernel - 1) * a->dilation + 1;
  if (padding == kPadSame) {
    a->out = (a->in + a->stride - 1) / a->stride;
    a->pad = max64((a->out - 1) * a->stride + span - a->in, 0) / 2;
    return a->out > 0;
  }
  if (padding == kPadValid) before = after = 0;
  if (before < 0 || after < 0 || before > kMaxExtent || after > kMaxExtent) return false;
  a->pad = before;
  a->out = div_floor(a->in + before + after - span, a->stride) + 1;
  return a->out > 0;
}

// Outputs o in [lo, hi) whose tap t is inside: steps of 1 in the output, of `stride` in the source.
[[maybe_unused]] inline Run run_forward(const Axis& a, int64_t t, int64_t lo, int64_t hi) {
  const int64_t shift = a.pad - t * a.dilation;
  lo = max64(lo, div_ceil(shift, a.stride));
  hi = min64(hi, div_floor(a.in - 1 + shift, a.stride) + 1);
  return {lo, lo * a.stride - shift, max64(hi - lo, 0)};
}

// Inputs i in [lo, hi) that feed an output through tap t: steps of `stride` in the input, of 1 in the output.
[[maybe_unused]] inline Run run_transposed(const Axis& a, int64_t t, int64_t lo, int64_t hi) {
  const int64_t shift = a.pad - t * a.dilation;
  const int64_t first = max64(0, div_ceil(lo + shift, a.stride));
  const int64_t last = min64(a.out, div_floor(hi - 1 + shift, a.stride) + 1);
  return {first * a.stride - shift, first, max64(last - first, 0)};
}

// Pairs of output and tap that lie inside the image.
[[maybe_unused]] inline int64_t pairs_inside(const Axis& a) {
  int64_t sum = 0;
  for (int64_t t = 0; t < a.kernel; ++t) sum += run_forward(a, t, 0, a.out).count;
  return sum;
}

// [begin, end) of part `i` of `parts` even parts of n.
struct Part {
  int64_t begin, end;
};
[[maybe_unused]] inline Part part_of(int64_t n, int64_t parts, int64_t i) {
  const int64_t q = n / parts, r = n % parts;
  const int64_t begin = i * q + min64(i, r);
  return {begin, begin + q + (i < r ? 1 : 0)};
}

}  // namespace
}  // namespace striate
