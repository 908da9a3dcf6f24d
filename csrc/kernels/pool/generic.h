// The kernels of pool.h.
#pragma once

#include "kernels/pool/pool.h"

namespace striate {
namespace {

STRIATE_INLINE void add_to(float* p, Vf v, int lanes) { store_n(p, load_n(p, lanes) + v, lanes); }

// sum / cells. Half, quarter and so on have one result with either operation, and a division takes four times as long.
STRIATE_INLINE Vf shared_out(Vf sum, int64_t cells) {
  const float count = static_cast<float>(cells);
  return (cells & (cells - 1)) == 0 ? sum * splat(1.0f / count) : sum / splat(count);
}

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
    if (wide == 2 && high == 2) {
      each_vector(0, channels, [&](int64_t c, int lanes) {
        const float *a = first + c, *b = a + line;
        const Vf four[4] = {load_n(a, lanes), load_n(a + channels, lanes), load_n(b, lanes),
                            load_n(b + channels, lanes)};
        store_n(y + c, Average ? shared_out(((four[0] + four[1]) + four[2]) + four[3], 4) : max_of_four(four), lanes);
      });
      continue;
    }
    each_vector(0, channels, [&](int64_t c, int lanes) {
      Vf sum = splat(Average ? 0.0f : -__builtin_inff());
      for (int64_t u = 0; u < high; ++u)
        for (int64_t v = 0; v < wide; ++v) {
          const Vf cell = load_n(first + u * line + v * channels + c, lanes);
          sum = Average ? sum + cell : nan_max(sum, cell);
        }
      store_n(y + c, Average ? shared_out(sum, wide * high) : sum, lanes);
    });
  }
}

// ---- Gradients. Where windows do not overlap, each cell of dx is written once: a piece is one row of windows and the
// input rows up to the next. Else a piece is an image's block of channels, zeroed first, then added to.
enum class How { kMean, kMax, kIndices };
constexpr int grad_inputs(How how) { return how == How::kMean ? 1 : how == How::kMax ? 3 : 2; }

// Where an image, and what was pooled of it, lie; null where a kernel has no such operand.
struct Grads {
  const float *g, *x, *y;
  const uint8_t* at;
  float* dx;
};
template <How how>
inline Grads grads_of(const StepArgs& args, const Pool& p, int64_t image) {
  const int64_t cells = image * p.rows.in * p.cols.in * p.channels,
                windows = image * p.rows.out * p.cols.out * p.channels;
  Grads t = {};
  t.g = args.ptr<const float>(0) + windows;
  t.dx = args.ptr<float>(grad_inputs(how)) + cells;
  if (how == How::kMax) {
    t.x = args.ptr<const float>(1) + cells;
    t.y = args.ptr<const float>(2) + windows;
  }
  if (how == How::kIndices) t.at = args.ptr<const uint8_t>(1) + windows;
  return t;
}

// A window's cells inside the image.
struct Cells {
  int64_t first, line, step;  // floats: where the first lies, from row to row, from cell to cell
  int64_t high, wide;
  int64_t number, pitch;  // the first one's number in the window, and a window's columns
};
inline Cells cells_of(const Pool& p, Part rows, Part cols, int64_t i, int64_t j) {
  const int64_t line = p.cols.in * p.channels, up = rows.begin - (i * p.rows.stride - p.rows.pad);
  return {rows.begin * line + cols.begin * p.channels,
          line,
          p.channels,
          rows.end - rows.begin,
          cols.end - cols.begin,
          up * p.cols.kernel + cols.begin - (j * p.cols.stride - p.cols.pad),
          p.cols.kernel};
}

// The gradient of the window at `at`, channels [c, c + lanes) of it, into its cells. High and Wide: constants, or 0.
template <How how, bool Add, int64_t High = 0, int64_t Wide = 0>
STRIATE_INLINE void spread(const Grads& t, const Cells& cells, int64_t at, int64_t c, int lanes) {
  const int64_t high = High ? High : cells.high, wide = Wide ? Wide : cells.wide;
  const Vf g = load_n(t.g + at + c, lanes);
  const Vf mean = how == How::kMean ? shared_out(g, high * wide) : g;
  const Vf top = how == How::kMax ? load_n(t.y + at + c, lanes) : g;
  const Vi held = how == How::kIndices ? load_bytes(t.at + at + c, lanes) : Vi{};
  Vf rest = g;  // 0 where the maximum has been met
  for (int64_t u = 0; u < high; ++u) {
    for (int64_t v = 0; v < wide; ++v) {
      const int64_t cell = cells.first + u * cells.line + v * cells.step + c;
      Vf part = mean;
      if constexpr (how == How::kMax) {
        const Vf x = load_n(t.x + cell, lanes);
        const Vi here = (x == top) | (x != x);
        part = here ? rest : Vf{};
        rest = here ? Vf{} : rest;
      }
      if constexpr (how == How::kIndices)
        part = held == static_cast<int32_t>(cells.number + u * cells.pitch + v) ? g : Vf{};
      Add ? add_to(t.dx + cell, part, lanes) : store_n(t.dx + cell, part, lanes);
    }
  }
}

template <How how>
inline void pool_grad_rows(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pool& p = args.as<Pool>();
  const int64_t i = piece % p.rows.out, channels = p.channels, line = p.cols.in * channels;
  const Grads t = grads_of<how>(args, p, piece / p.rows.out);
  const Part rows = window_of(p.rows, i);
  // Input rows of this piece: from the end of the window before to the end of this one; the last takes the rest.
  const int64_t begin = i == 0 ? 0 : window_of(p.rows, i - 1).end, end = i + 1 == p.rows.out ? p.rows.in : rows.end;
  for (int64_t r = begin; r < end; ++r) {
    if (r < rows.begin || r >= rows.end) std::memset(t.dx + r * line, 0, static_cast<size_t>(line) * 4);
  }
  int64_t done = 0;  // columns written so far in the window's rows
  for (int64_t j = 0; j < p.cols.out; ++j) {
    const Part cols = window_of(p.cols, j);
    const int64_t stop = j + 1 == p.cols.out ? p.cols.in : cols.end;
    if (cols.begin > done || stop > cols.end) {
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        float* to = t.dx + r * line;
        std::memset(to + done * channels, 0, static_cast<size_t>((cols.begin - done) * channels) * 4);
        std::memset(to + cols.end * channels, 0, static_cast<size_t>((stop - cols.end) * channels) * 4);
      }
    }
    done = stop;
    const Cells cells = cells_of(p, rows, cols, i, j);
    const int64_t at = (i * p.cols.out + j) * channels;
    if (how != How::kMean && cells.high == 2 && cells.wide == 2) {  // unrolled by the compiler
      each_vector(0, channels, [&](int64_t c, int lanes) { spread<how, false, 2, 2>(t, cells, at, c, lanes); });
    } else {
      each_vector(0, channels, [&](int64_t c, int lanes) { spread<how, false>(t, cells, at, c, lanes); });
    }
  }
}

template <How how>
inline void pool_grad_image(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pool& p = args.as<Pool>();
  const int64_t blocks = channel_blocks(p), channels = p.channels;
  const int64_t c0 = piece % blocks * kChannelBlock, c1 = min64(c0 + kChannelBlock, channels);
  const Grads t = grads_of<how>(args, p, piece / blocks);
  for (int64_t i = 0; i < p.rows.in * p.cols.in; ++i)
    std::memset(t.dx + i * channels + c0, 0, static_cast<size_t>(c1 - c0) * 4);
  for (int64_t i = 0; i < p.rows.out; ++i) {
    const Part rows = window_of(p.rows, i);
    for (int64_t j = 0; j < p.cols.out; ++j) {
      const Cells cells = cells_of(p, rows, window_of(p.cols, j), i, j);
      const int64_t at = (i * p.cols.out + j) * channels;
      each_vector(c0, c1, [&](int64_t c, int lanes) { spread<how, true>(t, cells, at, c, lanes); });
    }
  }
}

template <bool Average>
inline const char* plan_pool(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 1 || spec.n_outputs != 1) return "takes one image";
  Pool p = {};
  p.average = Average;
  if (const char* why = decode_pool(spec, spec.in(0), spec.out(0), false, &p)) return why;
  plan->flops = pool_flops(p);
  plan->add_phase(pool_run<Average>, p.channels > 0 ? p.batch * p.rows.out : 0);
  plan->set_params(p);
  return nullptr;
}

template <How how>
inline const char* plan_pool_grad(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != grad_inputs(how) || spec.n_outputs != 1)
    return "takes g (for max: g, x and y, or g and indices)";
  Pool p = {};
  p.average = how == How::kMean;
  const Operand* bytes = how == How::kIndices ? &spec.in(1) : nullptr;
  if (const char* why = decode_pool(spec, spec.out(0), spec.in(0), how != How::kMax, &p, bytes)) return why;
  if (how == How::kMax && (!same_shape(spec.in(1), spec.out(0)) || !same_shape(spec.in(2), spec.in(0))))
    return "x and dx, or y and g, differ in shape";
  if (how == How::kIndices && !same_shape(spec.in(1), spec.in(0))) return "g and the indices differ in shape";
  plan->flops = pool_flops(p);
  if (overlapping(p)) {
    plan->add_phase(pool_grad_image<how>, p.batch * channel_blocks(p));
  } else {
    plan->add_phase(pool_grad_rows<how>, p.channels > 0 ? p.batch * p.rows.out : 0);
  }
  plan->set_params(p);
  return nullptr;
}

inline const char* max_pool2d(const StepSpec& spec, StepPlan* plan) { return plan_pool<false>(spec, plan); }
inline const char* avg_pool2d(const StepSpec& spec, StepPlan* plan) { return plan_pool<true>(spec, plan); }
inline const char* max_pool2d_grad(const StepSpec& spec, StepPlan* plan) {
  return plan_pool_grad<How::kMax>(spec, plan);
}
inline const char* avg_pool2d_grad(const StepSpec& spec, StepPlan* plan) {
  return plan_pool_grad<How::kMean>(spec, plan);
}
inline const char* max_unpool2d(const StepSpec& spec, StepPlan* plan) {
  return plan_pool_grad<How::kIndices>(spec, plan);
}

// ---- Forward with indices: a piece is one row of windows.
inline void pool_indices_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Pool& p = args.as<Pool>();
  const int64_t image = piece / p.rows.out, i = piece % p.rows.out, channels = p.channels;
  const Part rows = window_of(p.rows, i);
  const float* x = args.ptr<const float>(0) + image * p.rows.in * p.cols.in * channels;
  float* y = args.ptr<float>(1) + piece * p.cols.out * channels;
  uint8_t* at = args.ptr<uint8_t>(2) + piece * p.cols.out * channels;
  for (int64_t j = 0; j < p.cols.out; ++j, y += channels, at += channels) {
    const Cells cells = cells_of(p, rows, window_of(p.cols, j), i, j);
    const float* first = x + cells.first;
    if (p.rows.kernel == 2 && p.cols.kernel == 2 && cells.high == 2 && cells.wide == 2) {
      each_vector(0, channels, [&](int64_t c, int lanes) {
        const float *a = first + c, *b = a + cells.line;
        const Vf four[4] = {load_n(a, lanes), load_n(a + channels, lanes), load_n(b, lanes),
                            load_n(b + channels, lanes)};
        store_max_of_four(four, y + c, at + c, lanes);
      });
      continue;
    }
    each_vector(0, channels, [&](int64_t c, int lanes) {
      Vf most = splat(-__builtin_inff());
      Vi held = Vi{} + static_cast<int32_t>(cells.number);
      for (int64_t u = 0; u < cells.high; ++u)
        for (int64_t v = 0; v < cells.wide; ++v) {
          const Vf cell = load_n(first + u * cells.line + v * cells.step + c, lanes);
          held = comes_to_be_max(most, cell) ? Vi{} + static_cast<int32_t>(cells.number + u * cells.pitch + v) : held;
          most = nan_max(most, cell);
        }
      store_n(y + c, most, lanes);
      store_bytes(at + c, held, lanes);
    });
  }
}
inline const char* max_pool2d_indices(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 1 || spec.n_outputs != 2) return "takes one image, gives what is pooled and indices";
  Pool p = {};
  if (const char* why = decode_pool(spec, spec.in(0), spec.out(0), false, &p, &spec.out(1))) return why;
  if (!same_shape(spec.out(1), spec.out(0))) return "what is pooled and the indices differ in shape";
  if (p.rows.kernel > kIndexedCells || p.cols.kernel > kIndexedCells || p.rows.kernel * p.cols.kernel > kIndexedCells)
    return "too many cells for indices of a byte";
  plan->flops = pool_flops(p);
  plan->add_phase(pool_indices_run, p.channels > 0 ? p.batch * p.rows.out : 0);
  plan->set_params(p);
  return nullptr;
}

}  // namespace
}  // namespace striate
