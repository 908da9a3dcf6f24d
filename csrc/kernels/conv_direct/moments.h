// conv2d_moments: a 1x1 convolution that gathers its result's statistics: each piece those of what it has just written,
// while that lies in the second-level cache.
#pragma once

#include "base/moments.h"
#include "kernels/conv_direct/pointwise.h"

namespace striate {
namespace {

struct PointwiseMoments {
  Pointwise product;  // first, so that the product's own phases find it
  MomentBlocks blocks;
  int64_t from;  // of scratch, in floats: behind what is packed

  float* at(const StepArgs& args) const { return reinterpret_cast<float*>(args.scratch) + from; }
};

inline void moments_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const PointwiseMoments& p = args.as<PointwiseMoments>();
  const Gemm& g = p.product.gemm;
  pointwise_run(args, piece, thread_scratch);
  const Part rows = part_of(g.m, g.row_blocks, g.row_block(piece));
  const Part panels = part_of(g.panels, g.groups, g.group(piece));
  const int64_t column = panels.begin * kPanel, columns = min64(panels.end * kPanel, g.n) - column;
  if (rows.end <= rows.begin || columns <= 0) return;
  const float* y = args.ptr<const float>(p.product.has_bias ? 3 : 2) + rows.begin * g.n + column;
  block_moments(y, g.n, rows.end - rows.begin, columns, p.blocks.at(p.at(args), g.row_block(piece), column));
}
inline void moments_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const PointwiseMoments& p = args.as<PointwiseMoments>();
  const Gemm& g = p.product.gemm;
  const auto rows_of = [&g](int64_t k) {
    const Part rows = part_of(g.m, g.row_blocks, k);
    return rows.end - rows.begin;
  };
  const int y = p.product.has_bias ? 3 : 2;
  join_moments(p.blocks, p.at(args), piece, rows_of, args.ptr<float>(y + 1), args.ptr<float>(y + 2));
}

inline const char* conv2d_moments_1x1(const StepSpec& spec, StepPlan* plan) {
  static_assert(kBlockRows <= kMomentRows, "a piece's rows are one block of moments");
  Conv c;
  if (const char* why = decode_conv_moments(spec, false, &c)) return why;
  if (const char* why = plan_pointwise(c, false, spec.n_inputs == 3, plan)) return why;
  PointwiseMoments p = {};
  std::memcpy(&p.product, plan->params, sizeof p.product);
  if (p.product.gemm.m == 0) return "takes one pixel at least";
  p.blocks = moment_blocks(p.product.gemm.row_blocks, p.product.gemm.n);
  p.from = static_cast<int64_t>((plan->scratch_bytes + 63) / 64 * 16);
  plan->scratch_bytes = static_cast<size_t>(p.from + p.blocks.floats()) * sizeof(float);
  plan->phases[plan->n_phases - 1].run = moments_run;
  plan->add_phase(moments_join, ceil_div(p.blocks.columns, kJoined));
  plan->set_params(p);
  return nullptr;
}

}  // namespace
}  // namespace striate
