// The kernels of conv_depthwise.h.
#pragma once

#include "kernels/conv_depthwise/conv_depthwise.h"

namespace striate {
namespace {

// A row of pixels with every channel M times: to[i][c*M + m] = from[i][c], for channels [begin, end) of the result.
inline void spread_row(const float* from, int64_t pixels, int64_t channels, int64_t multiplier, Part part, float* to) {
  for (int64_t i = 0; i < pixels; ++i, from += channels)
    for (int64_t j = part.begin; j < part.end; ++j) *to++ = from[j / multiplier];
}

// Taps of a row of windows: first cell inside, and the steps from tap to tap, in floats.
struct Taps {
  const float* x;
  const float* w;
  int64_t u, v;  // how many
  int64_t x_u, x_v, w_u, w_v, x_pixel;
};

// T neighbouring outputs, one vector of channels. Eight sums keep two FMA ports busy.
template <int T>
STRIATE_INLINE void depthwise_tile(const Taps& t, Vf bias, const Epilogue& e, float* y, int64_t y_pixel, int lanes) {
  Vf acc[T];
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) acc[i] = Vf{};
  for (int64_t u = 0; u < t.u; ++u)
    for (int64_t v = 0; v < t.v; ++v) {
      const Vf w = load_n(t.w + u * t.w_u + v * t.w_v, lanes);
      const float* x = t.x + u * t.x_u + v * t.x_v;
      STRIATE_UNROLL
      for (int i = 0; i < T; ++i) acc[i] += load_n(x + i * t.x_pixel, lanes) * w;
    }
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) store_n(y + i * y_pixel, clamp(acc[i] + bias, e.lo, e.hi), lanes);
}

// One row of outputs. x points at input row `first row inside`, w at its tap.
STRIATE_INLINE void depthwise_row(const Axis& cols, int64_t channels, Taps t, const float* x, const float* w,
                                  const float* bias, const Epilogue& e, float* y, int lanes) {
  const Vf b = bias ? load_n(bias, lanes) : Vf{};
  // Outputs [inner.begin, inner.end) have every column inside.
  const int64_t last = (cols.kernel - 1) * cols.dilation;
  const int64_t begin = min64(max64(div_ceil(cols.pad, cols.stride), 0), cols.out);
  const int64_t end = max64(begin, min64(cols.out, div_floor(cols.in - 1 + cols.pad - last, cols.stride) + 1));
  for (int64_t j = 0; j < cols.out;) {
    const int64_t first = j * cols.stride - cols.pad;
    float* to = y + j * channels;
    if (j < begin || j >= end) {
      const int64_t v0 = min64(max64(0, div_ceil(-first, cols.dilation)), cols.kernel);
      const int64_t v1 = max64(v0, min64(cols.kernel, div_floor(cols.in - 1 - first, cols.dilation) + 1));
      t.x = x + (first + v0 * cols.dilation) * channels;
      t.w = w + v0 * t.w_v;
      t.v = v1 - v0;
      depthwise_tile<1>(t, b, e, to, channels, lanes);
      ++j;
      continue;
    }
    t.x = x + first * channels;
    t.w = w;
    t.v = cols.kernel;
    const int64_t left = end - j;
    if (left >= 8) {
      depthwise_tile<8>(t, b, e, to, channels, lanes);
      j += 8;
    } else if (left >= 4) {
      depthwise_tile<4>(t, b, e, to, channels, lanes);
      j += 4;
    } else {
      depthwise_tile<1>(t, b, e, to, channels, lanes);
      ++j;
    }
  }
}

// A block of output rows of one image: x (or g) and y with d.out_channels channels each.
template <int Inputs>
inline void depthwise_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t image = piece / d.blocks, channels = d.out_channels, line = cols.in * channels;
  const Part block = part_of(rows.out, d.blocks, piece % d.blocks);
  const float* x = args.ptr<const float>(0) + image * rows.in * cols.in * d.channels;
  const float* w = args.ptr<const float>(1);
  const float* bias = Inputs == 3 ? args.ptr<const float>(2) : nullptr;
  float* y = args.ptr<float>(Inputs) + image * rows.out * cols.out * channels;
  int64_t top = 0;  // image row at which x now starts
  if (d.multiplier > 1) {
    float* spread = reinterpret_cast<float*>(thread_scratch);
    top = max64(0, block.begin * rows.stride - rows.pad);
    const int64_t bottom =
        min64(rows.in, (block.end - 1) * rows.stride - rows.pad + (rows.kernel - 1) * rows.dilation + 1);
    for (int64_t r = top; r < bottom; ++r)
      spread_row(x + r * cols.in * d.channels, cols.in, d.channels, d.multiplier, {0, channels},
                 spread + (r - top) * line);
    x = spread;
  }
  Taps t = {};
  t.x_u = rows.dilation * line;
  t.x_v = cols.dilation * channels;
  t.w_u = (d.turned ? -1 : 1) * cols.kernel * channels;
  t.w_v = (d.turned ? -1 : 1) * channels;
  t.x_pixel = cols.stride * channels;
  const float* w0 = d.turned ? w + (rows.kernel * cols.kernel - 1) * channels : w;
  for (int64_t i = block.begin; i < block.end; ++i) {
    const int64_t first = i * rows.stride - rows.pad;
    const int64_t u0 = min64(max64(0, div_ceil(-first, rows.dilation)), rows.kernel);
    t.u = max64(0, min64(rows.kernel, div_floor(rows.in - 1 - first, rows.dilation) + 1) - u0);
    const float* from = t.u > 0 ? x + (first + u0 * rows.dilation - top) * line : x;
    const float* taps = w0 + u0 * t.w_u;
    float* to = y + i * cols.out * channels;
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes)
      depthwise_row(cols, channels, t, from + c, taps + c, bias ? bias + c : nullptr, d.epilogue, to + c, kLanes);
    if (c < channels)
      depthwise_row(cols, channels, t, from + c, taps + c, bias ? bias + c : nullptr, d.epilogue, to + c,
                    static_cast<int>(channels - c));
    if (!d.epilogue.is_clamp()) activate(to, 1, 0, cols.out * channels, d.epilogue);
  }
}

constexpr int64_t kPiecePixels = 256;  // outputs of a piece, about: enough for the halo of a 3x3 not to matter
constexpr int64_t kLeastPieces = 16;   // but single images are shared out too

inline void plan_rows(Depthwise* d, StepPlan* plan) {
  const int64_t rows = max64(1, kPiecePixels / d->cols.out);
  d->blocks = max64((d->rows.out + rows - 1) / rows, min64(d->rows.out, kLeastPieces / max64(d->batch, 1)));
  d->height = (d->rows.out + d->blocks - 1) / d->blocks;
  if (d->multiplier > 1) {
    const int64_t seen =
        min64(d->rows.in, (d->height - 1) * d->rows.stride + (d->rows.kernel - 1) * d->rows.dilation + 1);
    plan->thread_scratch_bytes = static_cast<size_t>(seen * d->cols.in * d->out_channels) * 4;
  }
}

inline Depthwise make_depthwise(const Conv& c) {
  Depthwise d = {};
  d.rows = c.rows;
  d.cols = c.cols;
  d.epilogue = c.epilogue;
  d.batch = c.batch;
  d.channels = c.in_channels;
  d.out_channels = c.out_channels;
  d.multiplier = c.out_channels / c.in_channels;
  return d;
}

inline const char* depthwise(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_forward(spec, true, &c)) return why;
  Depthwise d = make_depthwise(c);
  plan_rows(&d, plan);
  plan->flops = c.flops();
  plan->add_phase(spec.n_inputs == 3 ? depthwise_run<3> : depthwise_run<2>, d.batch * d.blocks);
  plan->set_params(d);
  return nullptr;
}

// ---- grad_x. At stride 1 and M = 1 a forward convolution of g with the taps turned round; else tap by tap into rows.
inline void depthwise_grad_x_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t channels = d.out_channels, image = piece / rows.in, i = piece % rows.in;
  const float* g = args.ptr<const float>(0) + image * rows.out * cols.out * channels;
  const float* w = args.ptr<const float>(1);
  float* dx = args.ptr<float>(2) + piece * cols.in * d.channels;
  float* sums = d.multiplier > 1 ? reinterpret_cast<float*>(thread_scratch) : dx;  // [column][channels]
  std::memset(sums, 0, static_cast<size_t>(cols.in * channels) * 4);
  for (int64_t u = 0; u < rows.kernel; ++u) {
    const Run row = run_transposed(rows, u, i, i + 1);
    if (row.count == 0) continue;
    for (int64_t v = 0; v < cols.kernel; ++v) {
      const Run run = run_transposed(cols, v, 0, cols.in);
      const float* from = g + (row.src0 * cols.out + run.src0) * channels;
      const float* tap = w + (u * cols.kernel + v) * channels;
      float* to = sums + run.out0 * channels;
      for (int64_t j = 0; j < run.count; ++j, from += channels, to += cols.stride * channels) {
        int64_t k = 0;
        for (; k + kLanes <= channels; k += kLanes) store(to + k, load(to + k) + load(from + k) * load(tap + k));
        if (k < channels) {
          const int n = static_cast<int>(channels - k);
          store_n(to + k, load_n(to + k, n) + load_n(from + k, n) * load_n(tap + k, n), n);
        }
      }
    }
  }
  if (d.multiplier == 1) return;
  for (int64_t j = 0; j < cols.in * d.channels; ++j) {
    float sum = sums[j * d.multiplier];
    for (int64_t m = 1; m < d.multiplier; ++m) sum += sums[j * d.multiplier + m];
    dx[j] = sum;
  }
}

inline const char* depthwise_grad_x(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_x(spec, true, &c)) return why;
  Depthwise d = make_depthwise(c);
  d.epilogue = make_epilogue(0, 0);
  plan->flops = c.flops();
  if (d.multiplier == 1 && c.rows.stride == 1 && c.cols.stride == 1) {
    const auto turn = [](const Axis& a) {
      return Axis{a.out, a.in, a.kernel, 1, a.dilation, (a.kernel - 1) * a.dilation - a.pad};
    };
    d.rows = turn(c.rows);
    d.cols = turn(c.cols);
    d.turned = true;
    plan_rows(&d, plan);
    plan->add_phase(depthwise_run<2>, d.batch * d.blocks);
  } else {
    plan->add_phase(depthwise_grad_x_run, d.batch * d.rows.in);
    if (d.multiplier > 1) plan->thread_scratch_bytes = static_cast<size_t>(d.cols.in * d.out_channels) * 4;
  }
  plan->set_params(d);
  return nullptr;
}

// ---- grad_w: sums[part][tap][channels], a piece is one part's block of channels.
constexpr int64_t kColumnBlock = 64;  // channels
constexpr int64_t kWantedParts = 32;
constexpr int kTapGroup = 4;  // taps of a kernel row summed at once: with two vectors of channels, eight sums

// Adds a row of outputs to V taps of one kernel row, C vectors of channels. x: the image row; taps v0, v0 + 1, ...
template <int V, int C>
STRIATE_INLINE void grad_w_row(const Axis& cols, int64_t v0, const float* x, int64_t x_pixel, const float* g,
                               int64_t g_pixel, float* sums, int64_t tap_stride, int lanes) {
  Vf acc[V][C];
  Run inside[V];
  int64_t lo = 0, hi = cols.out;  // where all V taps are inside
  STRIATE_UNROLL
  for (int v = 0; v < V; ++v) {
    inside[v] = run_forward(cols, v0 + v, 0, cols.out);
    lo = max64(lo, inside[v].out0);
    hi = min64(hi, inside[v].out0 + inside[v].count);
    STRIATE_UNROLL
    for (int c = 0; c < C; ++c) acc[v][c] = load_n(sums + v * tap_stride + c * kLanes, lanes);
  }
  if (hi < lo) hi = lo;
  const auto at = [&](int64_t j, int v) {
    return x + (j * cols.stride + (v0 + v) * cols.dilation - cols.pad) * x_pixel;
  };
  for (int64_t j = lo; j < hi; ++j) {
    const float* first = at(j, 0);
    STRIATE_UNROLL
    for (int c = 0; c < C; ++c) {
      const Vf gradient = load_n(g + j * g_pixel + c * kLanes, lanes);
      STRIATE_UNROLL
      for (int v = 0; v < V; ++v)
        acc[v][c] += load_n(first + v * cols.dilation * x_pixel + c * kLanes, lanes) * gradient;
    }
  }
  STRIATE_UNROLL
  for (int v = 0; v < V; ++v) {
    const int64_t begin = inside[v].out0, end = begin + inside[v].count;
    for (int64_t j = begin; j < end; ++j) {
      if (j >= lo && j < hi) {
        j = hi - 1;
        continue;
      }
      STRIATE_UNROLL
      for (int c = 0; c < C; ++c)
        acc[v][c] += load_n(at(j, v) + c * kLanes, lanes) * load_n(g + j * g_pixel + c * kLanes, lanes);
    }
    STRIATE_UNROLL
    for (int c = 0; c < C; ++c) store_n(sums + v * tap_stride + c * kLanes, acc[v][c], lanes);
  }
}

template <int C>
STRIATE_INLINE void grad_w_taps(const Axis& cols, const float* x, int64_t x_pixel, const float* g, int64_t g_pixel,
                                float* sums, int64_t tap_stride, int lanes) {
  int64_t v = 0;
  for (; v + kTapGroup <= cols.kernel; v += kTapGroup)
    grad_w_row<kTapGroup, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
  switch (cols.kernel - v) {
    case 3:
      return grad_w_row<3, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
    case 2:
      return grad_w_row<2, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
    case 1:
      return grad_w_row<1, C>(cols, v, x, x_pixel, g, g_pixel, sums + v * tap_stride, tap_stride, lanes);
    default:
      return;
  }
}

inline void depthwise_grad_w_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Depthwise& d = args.as<Depthwise>();
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t part = piece / d.col_blocks, channels = d.out_channels, taps = rows.kernel * cols.kernel;
  const int64_t c0 = piece % d.col_blocks * kColumnBlock, c1 = min64(c0 + kColumnBlock, channels);
  const Part lines = part_of(d.batch * rows.out, d.parts, part);
  float* sums = reinterpret_cast<float*>(args.scratch) + part * taps * channels + c0;
  for (int64_t t = 0; t < taps; ++t) std::memset(sums + t * channels, 0, static_cast<size_t>(c1 - c0) * 4);
  float* spread = reinterpret_cast<float*>(thread_scratch);
  for (int64_t line = lines.begin; line < lines.end; ++line) {
    const int64_t image = line / rows.out, first = line % rows.out * rows.stride - rows.pad;
    const float* g = args.ptr<const float>(1) + line * cols.out * channels + c0;
    for (int64_t u = 0; u < rows.kernel; ++u) {
      const int64_t i = first + u * rows.dilation;
      if (i < 0 || i >= rows.in) continue;
      const float* x = args.ptr<const float>(0) + (image * rows.in + i) * cols.in * d.channels;
      int64_t x_pixel = channels;
      if (d.multiplier > 1) {
        spread_row(x, cols.in, d.channels, d.multiplier, {c0, c1}, spread);
        x = spread;
        x_pixel = c1 - c0;
      } else {
        x += c0;
      }
      float* to = sums + u * cols.kernel * channels;
      int64_t c = 0;
      for (; c + 2 * kLanes <= c1 - c0; c += 2 * kLanes)
        grad_w_taps<2>(cols, x + c, x_pixel, g + c, channels, to + c, channels, kLanes);
      for (; c < c1 - c0; c += kLanes)
        grad_w_taps<1>(cols, x + c, x_pixel, g + c, channels, to + c, channels,
                       static_cast<int>(min64(kLanes, c1 - c0 - c)));
    }
  }
}

inline void depthwise_grad_w_reduce(const StepArgs& args, int64_t piece, unsigned char*) {
  const Depthwise& d = args.as<Depthwise>();
  const int64_t channels = d.out_channels, stride = d.rows.kernel * d.cols.kernel * channels;
  const float* sums = reinterpret_cast<const float*>(args.scratch) + piece * channels;
  float* dw = args.ptr<float>(2) + piece * channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int lanes = static_cast<int>(min64(kLanes, channels - c));
    Vf sum = load_n(sums + c, lanes);
    for (int64_t part = 1; part < d.parts; ++part) sum += load_n(sums + part * stride + c, lanes);
    store_n(dw + c, sum, lanes);
  }
}

inline const char* depthwise_grad_w(const StepSpec& spec, StepPlan* plan) {
  Conv c;
  if (const char* why = decode_conv_grad_w(spec, true, &c)) return why;
  Depthwise d = make_depthwise(c);
  d.col_blocks = (d.out_channels + kColumnBlock - 1) / kColumnBlock;
  d.parts = max64(1, min64(kWantedParts / d.col_blocks, d.batch * d.rows.out));
  plan->scratch_bytes = static_cast<size_t>(d.parts * c.taps() * d.out_channels) * 4;
  if (d.multiplier > 1) plan->thread_scratch_bytes = static_cast<size_t>(d.cols.in * kColumnBlock) * 4;
  plan->flops = c.flops();
  plan->add_phase(depthwise_grad_w_run, d.parts * d.col_blocks);
  plan->add_phase(depthwise_grad_w_reduce, c.taps());
  plan->set_params(d);
  return nullptr;
}

}  // namespace
}  // namespace striate
