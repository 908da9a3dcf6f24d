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
  int64_t ldw;
  bool transposed, has_bias;
};

inline void pointwise_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pointwise& p = args.as<Pointwise>();
  pack_piece(args.ptr<const float>(1), p.ldw, p.transposed, p.gemm.n, p.gemm.k, piece,
             reinterpret_cast<float*>(args.scratch));
}

inline void pointwise_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Pointwise& p = args.as<Pointwise>();
  const Gemm& g = p.gemm;
  const float* w = g.packed ? reinterpret_cast<const float*>(args.scratch) : args.ptr<const float>(1);
  gemm_block(g, args.ptr<const float>(0), w, p.has_bias ? args.ptr<const float>(2) : nullptr,
             args.ptr<float>(p.has_bias ? 3 : 2), part_of(g.m, g.row_blocks, piece % g.row_blocks),
             part_of(g.panels, g.groups, piece / g.row_blocks), thread_scratch);
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
  g.packed = transposed || worth_packing(g.m, g.n);
  g.epilogue = transposed ? make_epilogue(0, 0) : c.epilogue;
  layout_gemm(&g, 1);
  p.ldw = g.ldb = c.out_channels;
  p.transposed = transposed;
  p.has_bias = has_bias;
  plan->thread_scratch_bytes = kGemmScratchBytes;
  plan->flops = c.flops();
  if (g.packed) {
    plan->scratch_bytes = sizeof(float) * static_cast<size_t>(packed_floats(g.k, g.n));
    plan->add_phase(pointwise_pack, g.m > 0 ? pack_pieces(g.n, g.k) : 0);
  }
  plan->add_phase(pointwise_run, g.row_blocks * g.groups);
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
