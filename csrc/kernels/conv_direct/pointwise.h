// 1x1 convolutions as one product; the contract is in conv_direct.h.
#pragma once

#include "base/normalize.h"
#include "kernels/conv_direct/conv_direct.h"
#include "kernels/gemm/blocked.h"

namespace striate {
namespace {

// ---- 1x1: a product of matrices with a row a pixel
struct Pointwise {
  Gemm gemm;
  Norming norm;  // of x
  bool has_bias;
};
inline int result_of(const Pointwise& p) { return (p.has_bias ? 3 : 2) + p.norm.inputs(); }

inline void pointwise_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pointwise& p = args.as<Pointwise>();
  const Normalizer norm = p.norm.on() ? p.norm.of(args) : Normalizer{};
  pack_piece(p.gemm, args.ptr<const float>(0), args.ptr<const float>(1), piece, packed_at(p.gemm, args.scratch),
             p.norm.on() ? &norm : nullptr);
}

inline void pointwise_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Pointwise& p = args.as<Pointwise>();
  const Normalizer norm = p.norm.on() ? p.norm.of(args) : Normalizer{};
  gemm_piece(p.gemm, args.ptr<const float>(0), args.ptr<const float>(1),
             p.has_bias ? args.ptr<const float>(2) : nullptr, args.ptr<float>(result_of(p)),
             packed_at(p.gemm, args.scratch), piece, thread_scratch, p.norm.on() ? &norm : nullptr);
}

inline const char* plan_product(Gemm* g, bool has_bias, const Norming& norm, const Conv& c, StepPlan* plan) {
  Pointwise p = {};
  g->normed = norm.on();
  layout_gemm(g, 1);
  p.gemm = *g;
  p.norm = norm;
  p.has_bias = has_bias;
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(packed_floats(*g));
  if (norm.on()) p.norm.book(plan);
  add_norm_scales<Pointwise>(norm, plan);
  plan->thread_scratch_bytes = gemm_scratch_bytes(*g);
  plan->flops = c.flops();
  if (g->m > 0 && pack_pieces(*g) > 0) plan->add_phase(pointwise_pack, pack_pieces(*g));
  plan->add_phase(pointwise_run, g->pieces());
  plan->set_params(p);
  return nullptr;
}

inline const char* why_not_1x1(const Conv& c) {
  if (c.taps() != 1) return "takes 1x1 kernels only";
  if (c.groups != 1) return "takes one group only";
  const auto padded = [](const Axis& a) { return a.pad != 0 || (a.out - 1) * a.stride >= a.in; };
  return padded(c.rows) || padded(c.cols) ? "takes no padding" : nullptr;
}

// The pixels of x that have an output, as rows.
inline Rows pixels_of_x(const Conv& c) {
  Rows rows = {};
  rows.step = c.cols.stride * c.in_channels;
  if (c.rows.stride == 1 && c.cols.stride == 1 && c.rows.out == c.rows.in && c.cols.out == c.cols.in) return rows;
  rows.width = c.cols.out;
  rows.height = c.rows.out;
  rows.stride_h = c.rows.stride;
  rows.stride_w = c.cols.stride;
  rows.image_h = c.rows.in;
  rows.image_w = c.cols.in;
  rows.channels = c.in_channels;
  return rows;
}
inline Rows pixels_of_y(const Conv& c) {
  Rows rows = {};
  rows.step = c.out_channels;
  return rows;
}

// Forward, or transposed: with respect to x.
inline const char* plan_pointwise(const Conv& c, bool transposed, bool has_bias, const Norming& norm, StepPlan* plan) {
  if (const char* why = why_not_1x1(c)) return why;
  if (norm.on() && c.batch * c.rows.out * c.cols.out <= kWideRows) return "takes three pixels at least";
  Gemm g = {};
  g.m = c.batch * c.rows.out * c.cols.out;
  g.k = transposed ? c.out_channels : c.in_channels;
  g.n = transposed ? c.in_channels : c.out_channels;
  g.a = transposed ? pixels_of_y(c) : pixels_of_x(c);
  g.c = transposed ? pixels_of_x(c) : pixels_of_y(c);
  g.ldb = c.out_channels;
  g.b_transposed = transposed;
  g.epilogue = transposed ? make_epilogue(0, 0) : c.epilogue;
  return plan_product(&g, has_bias, norm, c, plan);
}

}  // namespace
}  // namespace striate
