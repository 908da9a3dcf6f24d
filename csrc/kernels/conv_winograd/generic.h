// The rows of the family: decode, weigh, plan. The contract is in conv_winograd.h.
#pragma once

#include "kernels/conv_winograd/forward.h"
#include "kernels/conv_winograd/weights.h"

namespace striate {
namespace {

constexpr int64_t kLeastChannels = 16;

// In multiplications of one pair of channels by the direct algorithm: a point's product with its share of the two
// transforms, and transforming the filters, which costs more the further away U has to be kept. Measured; see
// docs/results/winograd.md.
constexpr double kPointCost = 1.3, kFilterCost = 500, kFilterCostPerMiB = 80;

// `images` pay for the filters' transform together. One where the batch has no say, since an image's bits may not
// depend on it.
inline const char* refuse(const Conv& c, const TileAxis& rows, const TileAxis& cols, int64_t images) {
  if (c.rows.kernel != 3 || c.cols.kernel != 3) return "takes 3x3 kernels only";
  if (c.rows.stride != 1 || c.cols.stride != 1) return "takes stride 1 only";
  if (c.rows.dilation != 1 || c.cols.dilation != 1) return "takes dilation 1 only";
  if (c.groups != 1) return "takes one group only";
  if (c.in_channels < kLeastChannels || c.out_channels < kLeastChannels)
    return "takes 16 channels and more: with few, transforms weigh too much";
  const double direct = static_cast<double>(pairs_inside(c.rows)) * static_cast<double>(pairs_inside(c.cols));
  const double winograd = kPointCost * static_cast<double>(rows.points()) * static_cast<double>(cols.points());
  if (winograd >= direct) return "small maps: the tiles would reach too far past them";
  const double mebibytes =
      36 * 4 / 1048576.0 * static_cast<double>(c.in_channels) * static_cast<double>(c.out_channels);
  if (static_cast<double>(images) * (direct - winograd) < kFilterCost + kFilterCostPerMiB * mebibytes)
    return images == 1 ? "small maps, many channels: one image would not pay for transforming the filters"
                       : "small maps, many channels: the batch would not pay for transforming the filters";
  return nullptr;
}

inline const char* forward(const StepSpec& spec, bool batch_counts, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, false, &c)) return why;
  const TileAxis rows = tile_axis(c.rows.in, c.rows.out, c.rows.pad),
                 cols = tile_axis(c.cols.in, c.cols.out, c.cols.pad);
  if (const char* why = refuse(c, rows, cols, batch_counts ? c.batch : 1)) return why;
  return plan_forward(c, make_tiles(c.batch, rows, cols), false, spec.n_inputs == 3, plan);
}
inline const char* grad_x(const StepSpec& spec, bool batch_counts, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, false, &c)) return why;
  const TileAxis rows = tile_axis(c.rows.out, c.rows.in, 2 - c.rows.pad),
                 cols = tile_axis(c.cols.out, c.cols.in, 2 - c.cols.pad);
  if (const char* why = refuse(c, rows, cols, batch_counts ? c.batch : 1)) return why;
  return plan_forward(c, make_tiles(c.batch, rows, cols), true, false, plan);
}

// The same kernel under two names: "_batch" lets the whole batch pay for the filters. The planner asks it in training
// only, where the batch is part of the shape (src/striate/compiler/plan/select.py).
inline const char* conv2d_winograd(const StepSpec& spec, StepPlan* plan) { return forward(spec, false, plan); }
inline const char* conv2d_winograd_batch(const StepSpec& spec, StepPlan* plan) { return forward(spec, true, plan); }
inline const char* conv2d_grad_x_winograd(const StepSpec& spec, StepPlan* plan) { return grad_x(spec, false, plan); }
inline const char* conv2d_grad_x_winograd_batch(const StepSpec& spec, StepPlan* plan) {
  return grad_x(spec, true, plan);
}

inline const char* conv2d_grad_w_winograd(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, false, &c)) return why;
  const TileAxis rows = tile_axis(c.rows.in, c.rows.out, c.rows.pad),
                 cols = tile_axis(c.cols.in, c.cols.out, c.cols.pad);
  if (const char* why = refuse(c, rows, cols, c.batch)) return why;
  return plan_grad_w_winograd(c, make_tiles(c.batch, rows, cols), plan);
}

}  // namespace
}  // namespace striate
