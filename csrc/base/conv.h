// A 2-D convolution as a step says it: shapes and attributes, decoded and checked once for every family that has one.
//
//   y[n, i, j, k] = act(b[k] + sum_uvc x[n, i*SH + u*DH - PT, j*SW + v*DW - PL, c] * w[u, v, c, k])
//
// Shapes: x (N, H, W, C), w (KH, KW, C/groups, K), y (N, OH, OW, K). Attributes: ConvAttrs, ConvGradAttrs of
// src/striate/ir/ops (fields in order).
#pragma once

#include "base/epilogue.h"
#include "base/kernel.h"
#include "base/window.h"

namespace striate {
namespace {

struct Conv {
  int64_t batch, in_channels, out_channels, groups;  // depthwise: groups = in_channels
  Axis rows, cols;
  Epilogue epilogue;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return rows.kernel * cols.kernel; }
  // Multiplications and additions, taps outside the image left out.
  double flops() const {
    return 2.0 * static_cast<double>(batch) * static_cast<double>(pairs_inside(rows)) *
           static_cast<double>(pairs_inside(cols)) * static_cast<double>(group_in()) *
           static_cast<double>(out_channels);
  }
};

constexpr int kConvInts = 14, kConvGradInts = kConvInts + 5;

[[maybe_unused]] inline bool is_float(const Operand& o, int rank) { return o.dtype == DType::kF32 && o.rank == rank; }

// From the operands that play x, w and y, whichever way the step computes them. `shape` is what a gradient's attributes
// say of its result, null for a forward step. `pool`: y is what windows of so many rows and columns make of the
// outputs.
[[maybe_unused]] inline const char* decode_conv(const StepSpec& s, const Operand& x, const Operand& w, const Operand& y,
                                                bool depthwise, const Operand* shape, Conv* c, int64_t pool = 1) {
  if (s.n_ints != (shape ? kConvGradInts : kConvInts) || s.n_floats != 1) return "unknown attributes";
  const int64_t* a = s.ints;
  if (a[0] != 2 || a[4] != 4 || a[9] != 2 || a[3] < 0 || a[3] > kPadExplicit) return "unknown attributes";
  if (a[13] < 0 || a[13] >= kActs) return "unknown epilogue";
  if (!is_float(x, 4) || !is_float(w, 4) || !is_float(y, 4)) return "takes float32 of rank 4 only";
  if (shape) {
    if (a[kConvInts] != 4) return "unknown attributes";
    for (int i = 0; i < 4; ++i)
      if (a[kConvInts + 1 + i] != shape->dims[i]) return "the result's shape is not the one in the attributes";
  }
  c->batch = x.dims[0];
  c->in_channels = x.dims[3];
  c->groups = depthwise ? c->in_channels : a[12];
  c->out_channels = depthwise ? c->in_channels * w.dims[3] : w.dims[3];
  c->rows = Axis{x.dims[1], 0, w.dims[0], a[1], a[10], 0};
  c->cols = Axis{x.dims[2], 0, w.dims[1], a[2], a[11], 0};
  if (!resolve_axis(&c->rows, a[3], a[5], a[6]) || !resolve_axis(&c->cols, a[3], a[7], a[8]))
    return "no window fits the image";
  if (c->groups < 1 || c->in_channels < 1 || c->out_channels < 1) return "takes at least one channel";
  if (c->in_channels % c->groups || c->out_channels % c->groups) return "groups do not divide the channels";
  if (w.dims[2] != (depthwise ? c->in_channels : c->group_in())) return "x and w differ in channels";
  if (y.dims[0] != c->batch || y.dims[1] != c->rows.out / pool || y.dims[2] != c->cols.out / pool ||
      y.dims[3] != c->out_channels)
    return "y's shape does not fit x and w";
  if (c->rows.out < pool || c->cols.out < pool) return "no window of the pool fits the outputs";
  c->epilogue = make_epilogue(a[13], s.floats[0]);
  return nullptr;
}

[[maybe_unused]] inline const char* decode_conv_forward(const StepSpec& s, bool depthwise, Conv* c, int outputs = 1) {
  if ((s.n_inputs != 2 && s.n_inputs != 3) || s.n_outputs != outputs) return "takes x, w and an optional bias";
  if (const char* why = decode_conv(s, s.in(0), s.in(1), s.out(0), depthwise, nullptr, c)) return why;
  if (s.n_inputs == 3 && (!is_float(s.in(2), 1) || s.in(2).dims[0] != c->out_channels))
    return "takes a bias with one number an output channel";
  return nullptr;
}
// Windows of the pool that convolutions take along, conv2d_max_pool2d: kPooled x kPooled, as far apart.
constexpr int64_t kPooled = 2;
[[maybe_unused]] inline const char* check_indices(const Operand& at, const Operand& y) {
  if (at.dtype != DType::kU8 || at.rank != 4) return "takes indices of a byte";
  for (int i = 0; i < 4; ++i)
    if (at.dims[i] != y.dims[i]) return "the pool and its indices differ in shape";
  return nullptr;
}
// What such a step gives, once the convolution is decoded: the pool, and where `indices`, which cell holds each
// maximum.
[[maybe_unused]] inline const char* check_conv_pool(const StepSpec& s, bool indices, const Conv& c) {
  if (s.n_outputs != (indices ? 2 : 1)) return "takes x, w and an optional bias";
  if (!c.epilogue.is_clamp()) return "takes activations that are a clamp: others are applied to what is stored";
  return indices ? check_indices(s.out(1), s.out(0)) : nullptr;
}
// (x, w[, b]) -> (y[, at])
[[maybe_unused]] inline const char* decode_conv_pool(const StepSpec& s, bool indices, Conv* c) {
  if ((s.n_inputs != 2 && s.n_inputs != 3) || s.n_outputs < 1) return "takes x, w and an optional bias";
  if (const char* why = decode_conv(s, s.in(0), s.in(1), s.out(0), false, nullptr, c, kPooled)) return why;
  if (s.n_inputs == 3 && (!is_float(s.in(2), 1) || s.in(2).dims[0] != c->out_channels))
    return "takes a bias with one number an output channel";
  return check_conv_pool(s, indices, *c);
}
// (x, w[, b]) -> (y, mean, variance)
[[maybe_unused]] inline const char* decode_conv_moments(const StepSpec& s, bool depthwise, Conv* c) {
  if (const char* why = decode_conv_forward(s, depthwise, c, 3)) return why;
  for (int i = 1; i < 3; ++i)
    if (!is_float(s.out(i), 1) || s.out(i).dims[0] != c->out_channels)
      return "gives statistics with one number an output channel";
  return c->epilogue.act == Act::kNone ? nullptr : "takes no activation";
}
[[maybe_unused]] inline const char* decode_conv_grad_x(const StepSpec& s, bool depthwise, Conv* c) {  // (g, w) -> dx
  if (s.n_inputs != 2 || s.n_outputs != 1) return "takes g and w";
  return decode_conv(s, s.out(0), s.in(1), s.in(0), depthwise, &s.out(0), c);
}
// (g, w, y) -> dx where the activation in the attributes let its result y through, else 0
[[maybe_unused]] inline const char* decode_conv_grad_x_masked(const StepSpec& s, Conv* c) {
  if (s.n_inputs != 3 || s.n_outputs != 1) return "takes g, w and y";
  if (const char* why = decode_conv(s, s.out(0), s.in(1), s.in(0), false, &s.out(0), c)) return why;
  if (c->epilogue.act != Act::kRelu && c->epilogue.act != Act::kRelu6) return "takes relu and relu6 only";
  if (!is_float(s.in(2), 4)) return "takes float32 of rank 4 only";
  for (int i = 0; i < 4; ++i)
    if (s.in(2).dims[i] != s.out(0).dims[i]) return "y and the result differ in shape";
  return nullptr;
}
[[maybe_unused]] inline const char* decode_conv_grad_w(const StepSpec& s, bool depthwise, Conv* c) {  // (x, g) -> dw
  if (s.n_inputs != 2 || s.n_outputs != 1) return "takes x and g";
  return decode_conv(s, s.in(0), s.out(0), s.in(1), depthwise, &s.out(0), c);
}
// (x, g of the pool, at) -> dw
[[maybe_unused]] inline const char* decode_conv_grad_w_unpool(const StepSpec& s, Conv* c) {
  if (s.n_inputs != 3 || s.n_outputs != 1) return "takes x, g and indices";
  if (const char* why = decode_conv(s, s.in(0), s.out(0), s.in(1), false, &s.out(0), c, kPooled)) return why;
  return check_indices(s.in(2), s.in(1));
}

}  // namespace
}  // namespace striate
