// The kernels of pool.h.
#pragma once

#include "kernels/pool/pool.h"

namespace striate {
namespace {

// b where it is larger or NaN, but a NaN in a stays: the maximum of NumPy.
STRIATE_INLINE Vf nan_max(Vf a, Vf b) {
  const Vf larger = vmax(a, b);
  return b == b ? larger : b;
}

// f(offset, lanes) over the channels: whole vectors with `lanes` a constant, then the tail.
template <typename F>
STRIATE_INLINE void each_vector(int64_t begin, int64_t end, F f) {
  int64_t c = begin;
  for (; c + kLanes <= end; c += kLanes) f(c, kLanes);
  if (c < end) f(c, static_cast<int>(end - c));
}

STRIATE_INLINE void add_to(float* p, Vf v, int lanes) { store_n(p, load_n(p, lanes) + v, lanes); }

// ---- Forward: a piece is one row of windows.
template <bool Average>
inline void pool_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pool& p = args.as<Pool>();
  const int64_t image = piece / p.rows.out, channels = p.channels, line = p.cols.in * channels;
  const Part rows = window_of(p.rows, piece % p.rows.out);
  const float* x = args.ptr<const float>(0) + image * p.rows.in * line;
  float* y = args.ptr<float>(1) + piece * p.cols.out * channels;
  for (int64_t j = 0; j < p.cols.out; ++j, y += channels) {
    const Part cols = window_of(p.cols, j);
    const int64_t wide = cols.end - cols.begin, high = rows.end - rows.begin;
    const float* first = x + rows.begin * line + cols.begin * channels;
    if (!Average && wide == 2 && high == 2) {
      each_vector(0, channels, [&](int64_t c, int lanes) {
        const float *a = first + c, *b = a + line;
        const Vf top = nan_max(load_n(a, lanes), load_n(a + channels, lanes));
        const Vf bottom = nan_max(load_n(b, lanes), load_n(b + channels, lanes));
        store_n(y + c, nan_max(top, bottom), lanes);
      });
      continue;
    }
    const Vf count = splat(static_cast<float>(wide * high));
    each_vector(0, channels, [&](int64_t c, int lanes) {
      Vf sum = splat(Average ? 0.0f : -__builtin_inff());
      for (int64_t u = 0; u < high; ++u)
        for (int64_t v = 0; v < wide; ++v) {
          const Vf cell = load_n(first + u * line + v * channels + c, lanes);
          sum = Average ? sum + cell : nan_max(sum, cell);
        }
      store_n(y + c, Average ? sum / count : sum, lanes);
    });
  }
}

// ---- Gradients. Where windows do not overlap, each cell of dx is written once: a piece is one row of windows and the
// input rows up to the next. Else a piece is an image's block of channels, zeroed first, then added to.
constexpr int64_t kChannelBlock = 64;

inline bool overlapping(const Pool& p) { return p.rows.stride < p.rows.kernel || p.cols.stride < p.cols.kernel; }
inline int64_t channel_blocks(const Pool& p) { return (p.channels + kChannelBlock - 1) / kChannelBlock; }

// One window's gradient into dx, for channels [c, c + lanes). `first`: the window's first cell's offset in the image.
template <bool Average, bool Add>
STRIATE_INLINE void spread(const float* g, const float* x, const float* y, float* dx, int64_t line, int64_t channels,
                           int64_t high, int64_t wide, int lanes) {
  if (Average) {
    const Vf each = load_n(g, lanes) / splat(static_cast<float>(high * wide));
    for (int64_t u = 0; u < high; ++u)
      for (int64_t v = 0; v < wide; ++v) {
        float* to = dx + u * line + v * channels;
        Add ? add_to(to, each, lanes) : store_n(to, each, lanes);
      }
    return;
  }
  Vf rest = load_n(g, lanes);  // 0 where the maximum has been met
  const Vf top = load_n(y, lanes);
  for (int64_t u = 0; u < high; ++u) {
    for (int64_t v = 0; v < wide; ++v) {
      const int64_t at = u * line + v * channels;
      const Vf cell = load_n(x + at, lanes);
      const Vi here = (cell == top) | (cell != cell);
      const Vf part = here ? rest : Vf{};
      rest = here ? Vf{} : rest;
      Add ? add_to(dx + at, part, lanes) : store_n(dx + at, part, lanes);
    }
  }
}

template <bool Average>
inline void pool_grad_rows(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pool& p = args.as<Pool>();
  const int64_t image = piece / p.rows.out, i = piece % p.rows.out, channels = p.channels;
  const int64_t line = p.cols.in * channels;
  const Part rows = window_of(p.rows, i);
  // Input rows of this piece: from the end of the window before to the end of this one; the last takes the rest.
  const int64_t begin = i == 0 ? 0 : window_of(p.rows, i - 1).end, end = i + 1 == p.rows.out ? p.rows.in : rows.end;
  const float* x = Average ? nullptr : args.ptr<const float>(1) + image * p.rows.in * line;
  const float* y = Average ? nullptr : args.ptr<const float>(2) + piece * p.cols.out * channels;
  const float* g = args.ptr<const float>(0) + piece * p.cols.out * channels;
  float* dx = args.ptr<float>(Average ? 1 : 3) + image * p.rows.in * line;
  for (int64_t r = begin; r < end; ++r) {
    if (r < rows.begin || r >= rows.end) std::memset(dx + r * line, 0, static_cast<size_t>(line) * 4);
  }
  int64_t done = 0;  // columns written so far in the window's rows
  for (int64_t j = 0; j < p.cols.out; ++j) {
    const Part cols = window_of(p.cols, j);
    const int64_t stop = j + 1 == p.cols.out ? p.cols.in : cols.end;
    if (cols.begin > done || stop > cols.end) {
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        float* to = dx + r * line;
        std::memset(to + done * channels, 0, static_cast<size_t>((cols.begin - done) * channels) * 4);
        std::memset(to + cols.end * channels, 0, static_cast<size_t>((stop - cols.end) * channels) * 4);
      }
    }
    done = stop;
    const int64_t first = rows.begin * line + cols.begin * channels;
    const int64_t high = rows.end - rows.begin, wide = cols.end - cols.begin;
    each_vector(0, channels, [&](int64_t c, int lanes) {
      const int64_t at = j * channels + c;
      if (Average) {
        spread<true, false>(g + at, nullptr, nullptr, dx + first + c, line, channels, high, wide, lanes);
      } else if (high == 2 && wide == 2) {  // unrolled by the compiler
        spread<false, false>(g + at, x + first + c, y + at, dx + first + c, line, channels, 2, 2, lanes);
      } else {
        spread<false, false>(g + at, x + first + c, y + at, dx + first + c, line, channels, high, wide, lanes);
      }
    });
  }
}

template <bool Average>
inline void pool_grad_image(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pool& p = args.as<Pool>();
  const int64_t blocks = channel_blocks(p), image = piece / blocks, channels = p.channels;
  const int64_t c0 = piece % blocks * kChannelBlock, c1 = min64(c0 + kChannelBlock, channels);
  const int64_t line = p.cols.in * channels, pooled = p.rows.out * p.cols.out * channels;
  const float* x = Average ? nullptr : args.ptr<const float>(1) + image * p.rows.in * line;
  const float* y = Average ? nullptr : args.ptr<const float>(2) + image * pooled;
  const float* g = args.ptr<const float>(0) + image * pooled;
  float* dx = args.ptr<float>(Average ? 1 : 3) + image * p.rows.in * line;
  for (int64_t i = 0; i < p.rows.in * p.cols.in; ++i)
    std::memset(dx + i * channels + c0, 0, static_cast<size_t>(c1 - c0) * 4);
  for (int64_t i = 0; i < p.rows.out; ++i) {
    const Part rows = window_of(p.rows, i);
    for (int64_t j = 0; j < p.cols.out; ++j) {
      const Part cols = window_of(p.cols, j);
      const int64_t first = rows.begin * line + cols.begin * channels, at = (i * p.cols.out + j) * channels;
      each_vector(c0, c1, [&](int64_t c, int lanes) {
        spread<Average, true>(g + at + c, Average ? nullptr : x + first + c, Average ? nullptr : y + at + c,
                              dx + first + c, line, channels, rows.end - rows.begin, cols.end - cols.begin, lanes);
      });
    }
  }
}

template <bool Average>
inline const char* plan_pool(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 1 || spec.n_outputs != 1) return "takes one image";
  Pool p = {};
  p.average = Average;
  if (const char* why = decode_pool(spec, spec.in(0), spec.out(0), false, &p)) return why;
  plan->flops = static_cast<double>(p.batch * p.channels) * static_cast<double>(pairs_inside(p.rows)) *
                static_cast<double>(pairs_inside(p.cols));
  plan->add_phase(pool_run<Average>, p.channels > 0 ? p.batch * p.rows.out : 0);
  plan->set_params(p);
  return nullptr;
}

template <bool Average>
inline const char* plan_pool_grad(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != (Average ? 1 : 3) || spec.n_outputs != 1) return "takes g (for max: g, x and y)";
  Pool p = {};
  p.average = Average;
  if (const char* why = decode_pool(spec, spec.out(0), spec.in(0), Average, &p)) return why;
  if (!Average && (!same_shape(spec.in(1), spec.out(0)) || !same_shape(spec.in(2), spec.in(0))))
    return "x and dx, or y and g, differ in shape";
  plan->flops = static_cast<double>(p.batch * p.channels) * static_cast<double>(pairs_inside(p.rows)) *
                static_cast<double>(pairs_inside(p.cols));
  if (overlapping(p)) {
    plan->add_phase(pool_grad_image<Average>, p.batch * channel_blocks(p));
  } else {
    plan->add_phase(pool_grad_rows<Average>, p.channels > 0 ? p.batch * p.rows.out : 0);
  }
  plan->set_params(p);
  return nullptr;
}

inline const char* max_pool2d(const StepSpec& spec, StepPlan* plan) { return plan_pool<false>(spec, plan); }
inline const char* avg_pool2d(const StepSpec& spec, StepPlan* plan) { return plan_pool<true>(spec, plan); }
inline const char* max_pool2d_grad(const StepSpec& spec, StepPlan* plan) { return plan_pool_grad<false>(spec, plan); }
inline const char* avg_pool2d_grad(const StepSpec& spec, StepPlan* plan) { return plan_pool_grad<true>(spec, plan); }

}  // namespace
}  // namespace striate
