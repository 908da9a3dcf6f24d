// The rows of the family: decode, weigh, plan. The contract is in conv_winograd.h.
#pragma once

#include "kernels/conv_winograd/moments.h"
#include "kernels/conv_winograd/weights.h"

namespace striate {
namespace {

constexpr int64_t kLeastChannels = 16;

// In multiplications of one pair of channels by the direct algorithm: a point's product with its share of the two
// transforms, and transforming the filters, which costs more the further away U has to be kept. Measured; see
// docs/results/winograd.md.
constexpr double kPointCost = 1.3, kFilterCost = 500, kFilterCostOfFive = 2500, kFilterCostPerMiB = 80;

inline const char* refuse_window(const Conv& c) {
  if (c.rows.kernel != c.cols.kernel || (c.rows.kernel != 3 && c.rows.kernel != 5))
    return "takes 3x3 and 5x5 kernels only";
  if (c.rows.stride != 1 || c.cols.stride != 1) return "takes stride 1 only";
  if (c.rows.dilation != 1 || c.cols.dilation != 1) return "takes dilation 1 only";
  if (c.group_in() < kLeastChannels || c.group_out() < kLeastChannels)
    return "takes 16 channels and more: with few, transforms weigh too much";
  return nullptr;
}

// `images` pay for the filters' transform together. One where the batch has no say, since an image's bits may not
// depend on it.
inline const char* refuse(const Conv& c, const TileAxis& rows, const TileAxis& cols, int64_t images) {
  if (const char* why = refuse_window(c)) return why;
  const double direct = static_cast<double>(pairs_inside(c.rows)) * static_cast<double>(pairs_inside(c.cols));
  const double winograd = kPointCost * static_cast<double>(rows.points()) * static_cast<double>(cols.points());
  if (winograd >= direct) return "small maps: the tiles would reach too far past them";
  const double mebibytes =
      rows.all * cols.all * 4 / 1048576.0 * static_cast<double>(c.group_in()) * static_cast<double>(c.out_channels);
  const double filters = (c.rows.kernel == 5 ? kFilterCostOfFive : kFilterCost) + kFilterCostPerMiB * mebibytes;
  if (static_cast<double>(images) * (direct - winograd) < filters)
    return images == 1 ? "small maps, many channels: one image would not pay for transforming the filters"
                       : "small maps, many channels: the batch would not pay for transforming the filters";
  return nullptr;
}

// Tiles of the result: of y, or of the gradient with respect to x. Only windows that refuse_window() takes have any.
inline TileAxis tiles_of_y(const Axis& a) { return tile_axis(a.in, a.out, a.pad, a.kernel); }
inline TileAxis tiles_of_x(const Axis& a) { return tile_axis(a.out, a.in, a.kernel - 1 - a.pad, a.kernel); }

inline const char* forward(const StepSpec& spec, bool batch_counts, Give give, const Norming& norm, StepPlan* plan) {
  Conv c;
  const bool pooled = give != Give::kOutputs;
  if (const char* why =
          pooled ? decode_conv_pool(spec, give == Give::kPoolAndIndices, &c) : decode_conv_forward(spec, false, &c))
    return why;
  const TileAxis rows = tiles_of_y(c.rows), cols = tiles_of_y(c.cols);
  if (const char* why = refuse(c, rows, cols, batch_counts ? c.batch : 1)) return why;
  return plan_forward(c, make_tiles(c.batch, rows, cols), false, spec.n_inputs == 3, When::kFirst, give, norm, plan);
}
inline const char* forward_moments(const StepSpec& spec, bool batch_counts, const Norming& norm, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_moments(spec, false, &c)) return why;
  const TileAxis rows = tiles_of_y(c.rows), cols = tiles_of_y(c.cols);
  if (const char* why = refuse(c, rows, cols, batch_counts ? c.batch : 1)) return why;
  return plan_moments(c, make_tiles(c.batch, rows, cols), spec.n_inputs == 3, norm, plan);
}
inline const char* grad_x(const StepSpec& spec, bool batch_counts, Give give, StepPlan* plan) {
  Conv c;
  if (const char* why =
          give == Give::kMasked ? decode_conv_grad_x_masked(spec, &c) : decode_conv_grad_x(spec, false, &c))
    return why;
  const TileAxis rows = tiles_of_x(c.rows), cols = tiles_of_x(c.cols);
  if (const char* why = refuse(c, rows, cols, batch_counts ? c.batch : 1)) return why;
  return plan_forward(c, make_tiles(c.batch, rows, cols), true, false, When::kFirst, give, {}, plan);
}

// The same kernel under two names: "_batch" lets the whole batch pay for the filters. The planner asks it in training
// only, where the batch is part of the shape (src/striate/compiler/plan/select.py).
inline const char* conv2d_winograd(const StepSpec& spec, StepPlan* plan) {
  return forward(spec, false, Give::kOutputs, {}, plan);
}
inline const char* conv2d_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return forward(spec, true, Give::kOutputs, {}, plan);
}
inline const char* conv2d_max_pool2d_winograd(const StepSpec& spec, StepPlan* plan) {
  return forward(spec, false, Give::kPool, {}, plan);
}
inline const char* conv2d_max_pool2d_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return forward(spec, true, Give::kPool, {}, plan);
}
inline const char* conv2d_max_pool2d_indices_winograd(const StepSpec& spec, StepPlan* plan) {
  return forward(spec, false, Give::kPoolAndIndices, {}, plan);
}
inline const char* conv2d_max_pool2d_indices_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return forward(spec, true, Give::kPoolAndIndices, {}, plan);
}
inline const char* conv2d_moments_winograd(const StepSpec& spec, StepPlan* plan) {
  return forward_moments(spec, false, {}, plan);
}
inline const char* conv2d_moments_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return forward_moments(spec, true, {}, plan);
}
// x through a batch norm's arithmetic.
inline const char* forward_normed(const StepSpec& spec, bool batch_counts, bool moments, StepPlan* plan) {
  NormedStep step;
  if (const char* why = split_normed(spec, &step)) return why;
  return moments ? forward_moments(step.plain, batch_counts, step.norm, plan)
                 : forward(step.plain, batch_counts, Give::kOutputs, step.norm, plan);
}
inline const char* conv2d_normed_winograd(const StepSpec& spec, StepPlan* plan) {
  return forward_normed(spec, false, false, plan);
}
inline const char* conv2d_normed_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return forward_normed(spec, true, false, plan);
}
inline const char* conv2d_normed_moments_winograd(const StepSpec& spec, StepPlan* plan) {
  return forward_normed(spec, false, true, plan);
}
inline const char* conv2d_normed_moments_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return forward_normed(spec, true, true, plan);
}
inline const char* conv2d_grad_x_winograd(const StepSpec& spec, StepPlan* plan) {
  return grad_x(spec, false, Give::kOutputs, plan);
}
inline const char* conv2d_grad_x_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return grad_x(spec, true, Give::kOutputs, plan);
}
inline const char* conv2d_grad_x_masked_winograd(const StepSpec& spec, StepPlan* plan) {
  return grad_x(spec, false, Give::kMasked, plan);
}
inline const char* conv2d_grad_x_masked_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return grad_x(spec, true, Give::kMasked, plan);
}

inline const char* conv2d_grad_w_winograd(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  const TileAxis rows = tiles_of_y(c.rows), cols = tiles_of_y(c.cols);
  if (const char* why = refuse(c, rows, cols, c.batch)) return why;
  return plan_grad_w_winograd(c, make_tiles(c.batch, rows, cols), plan);
}

// ---- with filters transformed, or packed, once a change of the weights (src/striate/compiler/plan/prepack.py)
constexpr const char* kOtherPanel = "takes panels of another instruction set";
constexpr const char* kNoFlight = "filters are transformed on the fly by AVX-512 only";

// What u is made of, and its shape: transformed filters, or packed ones.
inline const char* decode_filters(const Operand& u, const Filters& f, int64_t panel, bool transformed) {
  if (panel != (transformed ? kPanel : kLanes)) return kOtherPanel;
  const int64_t rows = transformed ? f.all_points() * f.groups : f.groups;
  const int64_t floats = transformed ? u_floats(f.panels(), f.channels) : fly_floats(f);
  if (u.rank != 2 || u.dims[0] != rows || u.dims[1] != floats) return "u's shape does not fit w";
  return nullptr;
}

inline const char* winograd_filters(const StepSpec& s, StepPlan* plan) {
  if (const char* why = check_floats(s, 1, 1, 3, 0)) return why;
  const int64_t groups = s.ints[1];
  const bool transformed = s.ints[2] != 0;
  if (!transformed && !kFlies) return kNoFlight;
  const Operand& w = s.in(0);
  if (w.rank != 4 || w.dims[0] != w.dims[1] || (w.dims[0] != 3 && (w.dims[0] != 5 || !transformed)))
    return transformed ? "takes 3x3 and 5x5 kernels only" : "takes 3x3 kernels only";
  if (groups < 1 || groups > w.dims[3] || w.dims[3] % groups) return "groups do not divide the filters";
  const Filters f = {w.dims[2], w.dims[3] / groups, false, w.dims[0], groups};
  if (const char* why = decode_filters(s.out(0), f, s.ints[0], transformed)) return why;
  return transformed ? plan_filters(f, plan) : plan_taps(f, plan);
}

inline const char* forward_of_u(const StepSpec& s, Give give, StepPlan* plan) {
  if ((s.n_inputs != 2 && s.n_inputs != 3) || s.n_outputs != 1) return "takes x, u and an optional bias";
  if (s.n_ints != kConvInts + 4) return "unknown attributes";
  const int64_t filters = s.ints[kConvInts], window = s.ints[kConvInts + 2], groups = s.ints[12];
  const bool transformed = s.ints[kConvInts + 3] != 0;
  if (!transformed && !kFlies) return kNoFlight;
  if (window != 3 && window != 5) return "takes 3x3 and 5x5 kernels only";
  if (!is_float(s.in(0), 4) || !is_float(s.in(1), 2)) return "takes float32 only";
  if (groups < 1 || s.in(0).dims[3] % groups) return "groups do not divide the channels";
  StepSpec plain = s;
  plain.n_ints = kConvInts;
  Operand w = {};
  w.dtype = DType::kF32;
  w.rank = 4;
  w.dims[0] = w.dims[1] = window;
  w.dims[2] = s.in(0).dims[3] / groups;
  w.dims[3] = filters;
  Conv c;
  const bool pooled = give == Give::kPool;
  if (const char* why = decode_conv(plain, s.in(0), w, s.out(0), false, nullptr, &c, pooled ? kPooled : 1)) return why;
  if (const char* why = pooled ? check_conv_pool(s, false, c) : nullptr) return why;
  if (const char* why = refuse_window(c)) return why;
  const Filters f = {c.group_in(), c.group_out(), false, window, groups};
  if (const char* why = decode_filters(s.in(1), f, s.ints[kConvInts + 1], transformed)) return why;
  if (s.n_inputs == 3 && (!is_float(s.in(2), 1) || s.in(2).dims[0] != filters))
    return "takes a bias with one number an output channel";
  const TileAxis rows = tiles_of_y(c.rows), cols = tiles_of_y(c.cols);
  const double direct = static_cast<double>(pairs_inside(c.rows)) * static_cast<double>(pairs_inside(c.cols));
  if (kPointCost * static_cast<double>(rows.points()) * static_cast<double>(cols.points()) >= direct)
    return "small maps: the tiles would reach too far past them";
  return plan_forward(c, make_tiles(c.batch, rows, cols), false, s.n_inputs == 3,
                      transformed ? When::kBefore : When::kOnTheFly, give, {}, plan);
}
inline const char* winograd_conv2d(const StepSpec& s, StepPlan* plan) { return forward_of_u(s, Give::kOutputs, plan); }
inline const char* winograd_conv2d_max_pool2d(const StepSpec& s, StepPlan* plan) {
  return forward_of_u(s, Give::kPool, plan);
}

}  // namespace
}  // namespace striate
