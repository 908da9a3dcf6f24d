// The rows of the family: decode and plan. The contract is in conv_depthwise.h.
#pragma once

#include "kernels/conv_depthwise/bottleneck.h"
#include "kernels/conv_depthwise/gradients.h"
#include "kernels/conv_depthwise/moments.h"
#include "kernels/conv_depthwise/normed.h"

namespace striate {
namespace {

inline void plan_forward(const Conv& c, bool bias, StepPlan* plan) {
  Depthwise d = make_depthwise(c);
  plan_rows(&d, plan);
  plan->flops = c.flops();
  plan->add_phase(bias ? depthwise_run<3> : depthwise_run<2>, d.batch * d.blocks);
  plan->set_params(d);
}
inline const char* make_moments(const Depthwise& d, int result, DepthwiseMoments* p) {
  p->d = d;
  p->result = result;
  const int64_t pieces = d.batch * d.blocks;
  if (pieces == 0 || d.cols.out == 0 || d.out_channels == 0) return "takes one pixel at least";
  if (d.height * d.cols.out > kMomentRows) return "takes rows of at most 384 pixels";
  p->blocks = moment_blocks(pieces, d.out_channels);
  return nullptr;
}

inline const char* depthwise(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, true, &c)) return why;
  plan_forward(c, spec.n_inputs == 3, plan);
  return nullptr;
}

inline const char* depthwise_moments(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_moments(spec, true, &c)) return why;
  const bool bias = spec.n_inputs == 3;
  plan_forward(c, bias, plan);
  Depthwise d;
  std::memcpy(&d, plan->params, sizeof d);
  DepthwiseMoments p = {};
  if (const char* why = make_moments(d, spec.n_inputs, &p)) return why;
  plan->scratch_bytes = static_cast<size_t>(p.blocks.floats()) * sizeof(float);
  plan->phases[0].run = bias ? depthwise_moments_run<3> : depthwise_moments_run<2>;
  plan->add_phase(depthwise_moments_join, ceil_div(p.blocks.columns, kJoined));
  plan->set_params(p);
  return nullptr;
}

// *_normed: `moments` too, or y alone.
inline const char* plan_normed(const StepSpec& spec, bool moments, StepPlan* plan) {
  NormedStep step;
  Conv c;
  if (const char* why = split_normed(spec, &step)) return why;
  if (const char* why = moments ? decode_conv_moments(step.plain, true, &c) : decode_conv_forward(step.plain, true, &c))
    return why;
  Depthwise d = make_depthwise(c);
  plan_rows(&d, plan);
  d.has_bias = step.plain.n_inputs == 3;
  d.norm = step.norm;
  plan_strips(&d, plan);
  DepthwiseMoments p = {};
  p.d = d;
  p.result = spec.n_inputs;
  if (moments) {
    if (const char* why = make_moments(d, spec.n_inputs, &p)) return why;
    plan->scratch_bytes = static_cast<size_t>(p.blocks.floats()) * sizeof(float);
  }
  p.d.norm.book(plan);
  plan->flops = c.flops();
  add_norm_scales<Depthwise>(d.norm, plan);
  plan->add_phase(moments ? depthwise_normed_run<true> : depthwise_normed_run<false>, d.batch * d.groups);
  if (moments) plan->add_phase(depthwise_moments_join, ceil_div(p.blocks.columns, kJoined));
  plan->set_params(p);
  return nullptr;
}
inline const char* depthwise_normed(const StepSpec& spec, StepPlan* plan) { return plan_normed(spec, false, plan); }
inline const char* depthwise_normed_moments(const StepSpec& spec, StepPlan* plan) {
  return plan_normed(spec, true, plan);
}

inline const char* depthwise_grad_x(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, true, &c)) return why;
  Depthwise d = make_depthwise(c);
  d.epilogue = make_epilogue(0, 0);
  plan->flops = c.flops();
  if (d.multiplier == 1 && c.rows.stride == 1 && c.cols.stride == 1) {
    const auto turn = [](const Axis& a) {
      return Axis{a.out, a.in, a.kernel, 1, a.dilation, (a.kernel - 1) * a.dilation - a.pad};
    };
    d.rows = turn(c.rows);
    d.cols = turn(c.cols);
    d.turned = true;
    plan_rows(&d, plan);
    plan->add_phase(depthwise_run<2>, d.batch * d.blocks);
  } else {
    plan->add_phase(depthwise_grad_x_run, d.batch * d.rows.in);
    if (d.multiplier > 1) plan->thread_scratch_bytes = static_cast<size_t>(d.cols.in * d.out_channels) * 4;
  }
  plan->set_params(d);
  return nullptr;
}

inline const char* plan_grad_w(const StepSpec& spec, const Norming& norm, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, true, &c)) return why;
  Depthwise d = make_depthwise(c);
  d.norm = norm;
  d.col_blocks = (d.out_channels + kColumnBlock - 1) / kColumnBlock;
  d.parts = max64(1, min64(kWantedParts / d.col_blocks, d.batch * d.rows.out));
  plan->scratch_bytes = static_cast<size_t>(d.parts * c.taps() * d.out_channels) * 4;
  if (d.multiplier > 1) plan->thread_scratch_bytes = static_cast<size_t>(d.cols.in * kColumnBlock) * 4;
  if (norm.on()) {
    d.norm.book(plan);
    plan->thread_scratch_bytes = window_bytes(d);
    add_norm_scales<Depthwise>(norm, plan);
  }
  plan->flops = c.flops();
  plan->add_phase(norm.on() ? depthwise_normed_grad_w_run : depthwise_grad_w_run, d.parts * d.col_blocks);
  plan->add_phase(depthwise_grad_w_reduce, c.taps());
  plan->set_params(d);
  return nullptr;
}

inline const char* depthwise_grad_w(const StepSpec& spec, StepPlan* plan) { return plan_grad_w(spec, {}, plan); }
inline const char* depthwise_normed_grad_w(const StepSpec& spec, StepPlan* plan) {
  NormedStep step;
  if (const char* why = split_normed(spec, &step)) return why;
  return plan_grad_w(step.plain, step.norm, plan);
}

}  // namespace
}  // namespace striate
