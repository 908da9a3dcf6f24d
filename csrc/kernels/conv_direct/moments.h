// conv2d_moments: a convolution that gathers its result's statistics: each piece those of what it has just written, a
// run of y's pixels by some channels, while that lies in the second-level cache.
#pragma once

#include "base/moments.h"
#include "kernels/conv_direct/gather.h"
#include "kernels/conv_direct/narrow.h"
#include "kernels/conv_direct/pointwise.h"
#include "kernels/conv_direct/strip.h"

namespace striate {
namespace {

// What a piece writes. Runs are numbered, follow each other without gaps, and are the same for all channels.
struct Written {
  int64_t run;
  Part columns;
};
inline Part columns_of(int64_t width, Part panels) {
  return {panels.begin * kPanel, min64(panels.end * kPanel, width)};
}
inline Part rows_of_image(const Axis& rows, const Axis& cols, int64_t per_image, int64_t run) {
  const int64_t first = run / per_image * rows.out;
  const Part part = part_of(rows.out, per_image, run % per_image);
  return {(first + part.begin) * cols.out, (first + part.end) * cols.out};
}

inline Written written(const Pointwise& p, int64_t piece) {
  return {p.gemm.row_block(piece), columns_of(p.gemm.n, part_of(p.gemm.panels, p.gemm.groups, p.gemm.group(piece)))};
}
inline Part run_pixels(const Pointwise& p, int64_t run) { return part_of(p.gemm.m, p.gemm.row_blocks, run); }

inline Written written(const Narrow& n, int64_t piece) { return {piece, {0, n.filters}}; }
inline Part run_pixels(const Narrow& n, int64_t run) { return rows_of_image(n.rows, n.cols, n.per_image, run); }

inline Written written(const Few& f, int64_t piece) {
  return {piece / f.panel_parts, columns_of(f.filters, part_of(f.panels, f.panel_parts, piece % f.panel_parts))};
}
inline Part run_pixels(const Few& f, int64_t run) {
  return rows_of_image(f.strip.rows, f.strip.cols, f.strip.per_image, run);
}

// A group's panels cover its channels, so that those of some units lie side by side.
inline int64_t unit_column(const Gather& g, int64_t unit) {
  return unit / g.panels * g.width + unit % g.panels * kPanel;
}
inline Written written(const Gather& g, int64_t piece) {
  const Part units = part_of(g.units, g.unit_parts, piece % g.unit_parts);
  return {piece / g.unit_parts, {unit_column(g, units.begin), unit_column(g, units.end)}};
}
inline Part run_pixels(const Gather& g, int64_t run) { return part_of(g.pixels, g.blocks, run); }

template <typename Product>
inline int result_of(const Product& p) {
  return p.has_bias ? 3 : 2;
}

template <typename Product>
struct WithMoments {
  Product product;  // first, so that its own phases find it
  MomentBlocks blocks;
  int64_t from;  // of scratch, in floats: behind what is packed
  int64_t cuts;  // blocks of a run

  float* at(const StepArgs& args) const { return reinterpret_cast<float*>(args.scratch) + from; }
};

template <typename Product, PhaseFn run>
inline void moments_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const WithMoments<Product>& p = args.as<WithMoments<Product>>();
  run(args, piece, thread_scratch);
  const Written to = written(p.product, piece);
  const Part pixels = run_pixels(p.product, to.run);
  const int64_t columns = to.columns.end - to.columns.begin;
  if (pixels.end <= pixels.begin || columns <= 0) return;
  const float* y = args.ptr<const float>(result_of(p.product)) + to.columns.begin;
  for (int64_t i = 0; i < p.cuts; ++i) {
    const Part cut = part_of(pixels.end - pixels.begin, p.cuts, i);
    block_moments(y + (pixels.begin + cut.begin) * p.blocks.columns, p.blocks.columns, cut.end - cut.begin, columns,
                  p.blocks.at(p.at(args), to.run * p.cuts + i, to.columns.begin));
  }
}
template <typename Product>
inline void moments_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const WithMoments<Product>& p = args.as<WithMoments<Product>>();
  const auto rows_of = [&p](int64_t k) {
    const Part pixels = run_pixels(p.product, k / p.cuts), cut = part_of(pixels.end - pixels.begin, p.cuts, k % p.cuts);
    return cut.end - cut.begin;
  };
  const int y = result_of(p.product);
  join_moments(p.blocks, p.at(args), piece, rows_of, args.ptr<float>(y + 1), args.ptr<float>(y + 2));
}

// Of a planned convolution whose last phase is `run`, which writes y in `runs` runs.
template <typename Product, PhaseFn run>
inline const char* gather_moments(const Conv& c, int64_t runs, StepPlan* plan) {
  WithMoments<Product> p = {};
  std::memcpy(&p.product, plan->params, sizeof p.product);
  if (c.batch * c.rows.out * c.cols.out == 0) return "takes one pixel at least";
  const Part longest = run_pixels(p.product, 0), columns = written(p.product, 0).columns;  // parts get shorter
  const bool few = columns.end - columns.begin == c.out_channels && has_few(c.out_channels);
  p.cuts = ceil_div(longest.end - longest.begin, few ? kMomentRows * kLanes : kMomentRows);
  p.blocks = moment_blocks(runs * p.cuts, c.out_channels);
  p.from = static_cast<int64_t>((plan->scratch_bytes + 63) / 64 * 16);
  plan->scratch_bytes = static_cast<size_t>(p.from + p.blocks.floats()) * sizeof(float);
  plan->phases[plan->n_phases - 1].run = moments_run<Product, run>;
  plan->add_phase(moments_join<Product>, ceil_div(p.blocks.columns, kJoined));
  plan->set_params(p);
  return nullptr;
}
template <typename Product>
inline Product planned(const StepPlan* plan) {
  Product p;
  std::memcpy(&p, plan->params, sizeof p);
  return p;
}

inline const char* moments_1x1(const StepSpec& spec, const Norming& norm, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_moments(spec, false, &c)) return why;
  if (const char* why = plan_pointwise(c, false, spec.n_inputs == 3, norm, plan)) return why;
  return gather_moments<Pointwise, pointwise_run>(c, planned<Pointwise>(plan).gemm.row_blocks, plan);
}
inline const char* conv2d_moments_1x1(const StepSpec& spec, StepPlan* plan) { return moments_1x1(spec, {}, plan); }
inline const char* conv2d_normed_moments_1x1(const StepSpec& spec, StepPlan* plan) {
  NormedStep step;
  if (const char* why = split_normed(spec, &step)) return why;
  return moments_1x1(step.plain, step.norm, plan);
}
inline const char* conv2d_moments_narrow(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_moments(spec, false, &c)) return why;
  if (const char* why = plan_narrow(c, false, spec.n_inputs == 3, plan)) return why;
  return gather_moments<Narrow, narrow_run>(c, c.batch * planned<Narrow>(plan).per_image, plan);
}
inline const char* conv2d_moments_few(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_moments(spec, false, &c)) return why;
  if (const char* why = plan_few(c, spec.n_inputs == 3, plan)) return why;
  return gather_moments<Few, few_run>(c, c.batch * planned<Few>(plan).strip.per_image, plan);
}
inline const char* conv2d_moments_direct(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_moments(spec, false, &c)) return why;
  if (const char* why = plan_gather(c, false, spec.n_inputs == 3, plan)) return why;
  return gather_moments<Gather, gather_run>(c, planned<Gather>(plan).blocks, plan);
}

}  // namespace
}  // namespace striate
