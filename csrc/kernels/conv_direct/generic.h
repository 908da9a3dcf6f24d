// The rows of the family: decode, choose, plan. The contract is in conv_direct.h.
#pragma once

#include "kernels/conv_direct/gather.h"
#include "kernels/conv_direct/strip.h"
#include "kernels/conv_direct/weights.h"

namespace striate {
namespace {

// ---- 1x1: one row of the product a pixel
struct Pointwise {
  Gemm gemm;
  bool has_bias;
};

inline void pointwise_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Gemm& g = args.as<Pointwise>().gemm;
  pack_piece(g, args.ptr<const float>(0), args.ptr<const float>(1), piece, packed_at(g, args.scratch));
}

inline void pointwise_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Pointwise& p = args.as<Pointwise>();
  gemm_piece(p.gemm, args.ptr<const float>(0), args.ptr<const float>(1),
             p.has_bias ? args.ptr<const float>(2) : nullptr, args.ptr<float>(p.has_bias ? 3 : 2),
             packed_at(p.gemm, args.scratch), piece, thread_scratch);
}

inline const char* plan_pointwise(const Conv& c, bool transposed, bool has_bias, StepPlan* plan) {
  if (c.taps() != 1 || c.rows.stride != 1 || c.cols.stride != 1) return "takes 1x1 kernels with stride 1 only";
  if (c.rows.pad || c.cols.pad || c.rows.out != c.rows.in || c.cols.out != c.cols.in) return "takes no padding";
  if (c.groups != 1) return "takes one group only";
  Pointwise p = {};
  Gemm& g = p.gemm;
  g.m = c.batch * c.rows.out * c.cols.out;
  g.k = g.lda = transposed ? c.out_channels : c.in_channels;
  g.n = g.ldc = transposed ? c.in_channels : c.out_channels;
  g.ldb = c.out_channels;
  g.b_transposed = transposed;
  g.epilogue = transposed ? make_epilogue(0, 0) : c.epilogue;
  layout_gemm(&g, 1);
  p.has_bias = has_bias;
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(packed_floats(g));
  plan->thread_scratch_bytes = gemm_scratch_bytes(g);
  plan->flops = c.flops();
  if (pack_pieces(g) > 0) plan->add_phase(pointwise_pack, g.m > 0 ? pack_pieces(g) : 0);
  plan->add_phase(pointwise_run, g.pieces());
  plan->set_params(p);
  return nullptr;
}

inline const char* conv2d_1x1(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, false, &c)) return why;
  return plan_pointwise(c, false, spec.n_inputs == 3, plan);
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
inline const char* conv2d_grad_x_1x1(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, false, &c)) return why;
  return plan_pointwise(c, true, false, plan);
}
inline const char* conv2d_grad_x_direct(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, false, &c)) return why;
  return plan_gather(c, true, false, plan);
}
inline const char* conv2d_grad_w_few(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  return plan_grad_w(c, true, plan);
}
inline const char* conv2d_grad_w_direct(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  return plan_grad_w(c, false, plan);
}

}  // namespace
}  // namespace striate
