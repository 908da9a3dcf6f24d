// conv2d_max_pool2d_few: two rows of outputs at a time, of one panel of filters, and the maxima of their 2x2 windows.
#pragma once

#include "base/maxima.h"
#include "kernels/conv_direct/strip.h"

namespace striate {
namespace {

struct FewPooled {
  Few few;  // first, so that few_pack finds it; a strip has an even number of output rows
  bool indices;

  int64_t rows() const { return few.strip.rows.out / 2; }
  int64_t cols() const { return few.strip.cols.out / 2; }
  int64_t row_floats() const { return few.strip.cols.out * kPanel; }
};

inline void few_pool_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const FewPooled& f = args.as<FewPooled>();
  const Strip& s = f.few.strip;
  const int64_t place = piece / f.few.panel_parts, image = place / s.per_image, filters = f.few.filters;
  const Part panels = part_of(f.few.panels, f.few.panel_parts, piece % f.few.panel_parts);
  const Part windows = part_of(f.rows(), s.per_image, place % s.per_image);
  FewPanel panel = few_panel(args, f.few, image, {2 * windows.begin, 2 * windows.end}, thread_scratch);
  float* top = reinterpret_cast<float*>(thread_scratch) + few_floats(f.few);
  float* bottom = top + f.row_floats();
  const int result = f.few.has_bias ? 3 : 2;
  for (int64_t p = panels.begin; p < panels.end; ++p) {
    take_panel(args, f.few, p, &panel);
    for (int64_t i = windows.begin; i < windows.end; ++i) {
      few_row(f.few, panel, 2 * i, top, kPanel);
      few_row(f.few, panel, 2 * i + 1, bottom, kPanel);
      const int64_t first = (image * f.rows() + i) * f.cols() * filters + p * kPanel;
      for (int64_t j = 0; j < f.cols(); ++j)
        for (int64_t k = 0; k < panel.n; k += kLanes) {
          const float *a = top + 2 * j * kPanel + k, *b = bottom + 2 * j * kPanel + k;
          const Vf four[4] = {load(a), load(a + kPanel), load(b), load(b + kPanel)};
          const int64_t to = first + j * filters + k;
          store_max_of_four(four, args.ptr<float>(result) + to,
                            f.indices ? args.ptr<uint8_t>(result + 1) + to : nullptr,
                            static_cast<int>(min64(kLanes, panel.n - k)));
        }
    }
  }
}

inline const char* plan_few_pool(const StepSpec& spec, bool indices, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_pool(spec, indices, &c)) return why;
  if (const char* why = plan_few(c, spec.n_inputs == 3, plan)) return why;
  FewPooled f = {};
  std::memcpy(&f.few, plan->params, sizeof f.few);
  f.indices = indices;
  Strip& s = f.few.strip;
  s.per_image = min64(s.per_image, f.rows());
  s.height = 2 * ceil_div(f.rows(), s.per_image);
  if (s.floats() > kStripFloats) return "the rows of a window do not fit a strip";
  const int64_t strips = f.few.batch * s.per_image;
  f.few.panel_parts = min64(f.few.panels, max64(1, kWantedPieces / max64(strips, 1)));
  plan->thread_scratch_bytes = static_cast<size_t>(few_floats(f.few) + 2 * f.row_floats()) * sizeof(float);
  plan->phases[plan->n_phases - 1] = {few_pool_run, strips * f.few.panel_parts};
  plan->set_params(f);
  return nullptr;
}

inline const char* conv2d_max_pool2d_few(const StepSpec& spec, StepPlan* plan) {
  return plan_few_pool(spec, false, plan);
}
inline const char* conv2d_max_pool2d_indices_few(const StepSpec& spec, StepPlan* plan) {
  return plan_few_pool(spec, true, plan);
}

}  // namespace
}  // namespace striate
