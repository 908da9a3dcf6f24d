// The rows of the family: decode, choose, plan. The contract is in conv_direct.h.
#pragma once

#include "kernels/conv_direct/gather.h"
#include "kernels/conv_direct/moments.h"
#include "kernels/conv_direct/narrow.h"
#include "kernels/conv_direct/narrow_weights.h"
#include "kernels/conv_direct/strip.h"
#include "kernels/conv_direct/strip_pool.h"
#include "kernels/conv_direct/weights.h"

namespace striate {
namespace {

// ---- 1x1, with respect to w
// The product of x's pixels, transposed, and g's.
inline const char* plan_pointwise_grad_w(const Conv& c, const Norming& norm, StepPlan* plan) {
  if (const char* why = why_not_1x1(c)) return why;
  Gemm g = {};
  g.m = c.in_channels;
  g.k = c.batch * c.rows.out * c.cols.out;
  g.n = c.out_channels;
  g.a = pixels_of_x(c);
  g.a_transposed = true;
  g.c.step = g.ldb = c.out_channels;
  g.epilogue = make_epilogue(0, 0);
  if (g.m * panels_of(g.n) < kBlockRows * kProductPieces) return "too few sums to share out: pixels are";
  return plan_product(&g, false, norm, c, plan);
}

inline const char* forward_1x1(const StepSpec& spec, const Norming& norm, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, false, &c)) return why;
  return plan_pointwise(c, false, spec.n_inputs == 3, norm, plan);
}
inline const char* conv2d_1x1(const StepSpec& spec, StepPlan* plan) { return forward_1x1(spec, {}, plan); }
inline const char* conv2d_normed_1x1(const StepSpec& spec, StepPlan* plan) {
  NormedStep step;
  if (const char* why = split_normed(spec, &step)) return why;
  return forward_1x1(step.plain, step.norm, plan);
}
inline const char* conv2d_few(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, false, &c)) return why;
  return plan_few(c, spec.n_inputs == 3, plan);
}
inline const char* conv2d_direct(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, false, &c)) return why;
  return plan_gather(c, false, spec.n_inputs == 3, plan);
}
inline const char* conv2d_narrow(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, false, &c)) return why;
  return plan_narrow(c, false, spec.n_inputs == 3, plan);
}
inline const char* conv2d_grad_x_narrow(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, false, &c)) return why;
  return plan_narrow(c, true, false, plan);
}
inline const char* conv2d_grad_x_1x1(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, false, &c)) return why;
  return plan_pointwise(c, true, false, {}, plan);
}
inline const char* conv2d_grad_x_direct(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, false, &c)) return why;
  return plan_gather(c, true, false, plan);
}
inline const char* conv2d_grad_w_1x1(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  return plan_pointwise_grad_w(c, {}, plan);
}
inline const char* conv2d_normed_grad_w_1x1(const StepSpec& spec, StepPlan* plan) {
  NormedStep step;
  Conv c;
  if (const char* why = split_normed(spec, &step)) return why;
  if (const char* why = decode_conv_grad_w(step.plain, false, &c)) return why;
  return plan_pointwise_grad_w(c, step.norm, plan);
}
inline const char* conv2d_grad_w_narrow(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  return plan_grad_w_narrow(c, plan);
}
inline const char* conv2d_grad_w_few(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  return plan_grad_w(c, true, false, {}, plan);
}
inline const char* conv2d_grad_w_unpool_few(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w_unpool(spec, &c)) return why;
  return plan_grad_w(c, true, true, {}, plan);
}
inline const char* conv2d_grad_w_direct(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  return plan_grad_w(c, false, false, {}, plan);
}
inline const char* conv2d_normed_grad_w_direct(const StepSpec& spec, StepPlan* plan) {
  NormedStep step;
  Conv c;
  if (const char* why = split_normed(spec, &step)) return why;
  if (const char* why = decode_conv_grad_w(step.plain, false, &c)) return why;
  if (const char* why = why_not_1x1(c)) return why;
  return plan_grad_w(c, false, false, step.norm, plan);
}

}  // namespace
}  // namespace striate
