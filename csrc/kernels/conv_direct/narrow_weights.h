// conv2d_grad_w_narrow: few filters. Vectors run along rows of pixels, as in narrow.h; a tile is some terms (a tap and
// a channel of x) by all the filters, and the lanes of its sums are added up at the end.
#pragma once

#include "kernels/conv_direct/narrow.h"
#include "kernels/conv_direct/pixels.h"
#include "kernels/conv_direct/weights.h"

namespace striate {
namespace {

struct NarrowGradW {
  Narrow n;
  int64_t strips, parts;     // strips of all images; parts of them, each with sums of its own
  int64_t g_pitch, g_plane;  // floats of a row of g's planes, and of a plane: whole vectors, zeros behind the row

  int64_t sum_floats() const { return n.terms() * n.filters * kLanes; }
  int64_t x_floats() const { return (n.strip_floats() + 15) / 16 * 16; }
};

struct GradWTile {
  const float* x;          // planes
  const float* g;          // planes
  const int64_t* offsets;  // of the tile's terms
  float* sums;             // [term][filter][kLanes]
  bool resume;
};

// The last vector of a row may reach behind it: pixels that no gradient belongs to, and that may be infinite.
template <int K, int T>
__attribute__((noinline)) void grad_w_narrow_tile(const NarrowGradW& p, int64_t rows, const GradWTile& t) {
  Vf acc[T][K];
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) {
    STRIATE_UNROLL
    for (int k = 0; k < K; ++k) acc[i][k] = t.resume ? load(t.sums + (i * K + k) * kLanes) : Vf{};
  }
  const float* at[T];
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) at[i] = t.x + t.offsets[i];
  const int64_t width = p.n.cols.out, plane = p.g_plane, step = p.n.rows.stride * p.n.pitch;
  const auto add = [&](const float* g, int64_t offset, int lanes) {
    Vf x[T];  // not the K gradients: sums, these and one gradient have to fit the registers
    STRIATE_UNROLL
    for (int i = 0; i < T; ++i) x[i] = load_n(at[i] + offset, lanes);
    STRIATE_UNROLL
    for (int k = 0; k < K; ++k) {
      const Vf grad = load(g + k * plane);
      STRIATE_UNROLL
      for (int i = 0; i < T; ++i) acc[i][k] += x[i] * grad;
    }
  };
  const int left = static_cast<int>(width % kLanes);
  for (int64_t row = 0; row < rows; ++row) {
    const float* g = t.g + row * p.g_pitch;
    int64_t col = 0;
    for (; col + kLanes <= width; col += kLanes) add(g + col, row * step + col, kLanes);
    if (left > 0) add(g + col, row * step + col, left);
  }
  STRIATE_UNROLL
  for (int i = 0; i < T; ++i) {
    STRIATE_UNROLL
    for (int k = 0; k < K; ++k) store(t.sums + (i * K + k) * kLanes, acc[i][k]);
  }
}

template <int K, int T>
inline void grad_w_narrow_tiles(const NarrowGradW& p, int64_t rows, GradWTile t, int64_t terms) {
  for (; terms >= T; terms -= T) {
    grad_w_narrow_tile<K, T>(p, rows, t);
    t.offsets += T;
    t.sums += T * K * kLanes;
  }
  if constexpr (T > 1) {
    if (terms > 0) grad_w_narrow_tiles<K, T / 2>(p, rows, t, terms);
  }
}

inline void grad_w_narrow_run(const StepArgs& args, int64_t part, unsigned char* thread_scratch) {
  const NarrowGradW& p = args.as<NarrowGradW>();
  const Narrow& n = p.n;
  float* x = reinterpret_cast<float*>(thread_scratch);
  float* g = x + p.x_floats();
  int64_t* offsets = reinterpret_cast<int64_t*>(g + n.filters * p.g_plane);
  float* sums = reinterpret_cast<float*>(args.scratch) + part * p.sum_floats();
  term_offsets(n, offsets);
  for (int64_t row = 0; row < n.filters * n.height; ++row)  // behind each row; strips leave it as it is
    clear(g + row * p.g_pitch + n.cols.out, p.g_pitch - n.cols.out);
  const Part strips = part_of(p.strips, p.parts, part);
  for (int64_t i = strips.begin; i < strips.end; ++i) {
    const int64_t image = i / n.per_image;
    const Part out = part_of(n.rows.out, n.per_image, i % n.per_image);
    const int64_t rows = out.end - out.begin, width = n.cols.out;
    narrow_strip(n, args.ptr<const float>(0) + image * n.rows.in * n.cols.in * n.channels, out, x);
    const float* from = args.ptr<const float>(1) + (image * n.rows.out + out.begin) * width * n.filters;
    for (int64_t row = 0; row < rows; ++row, from += width * n.filters) {
      float* to = g + row * p.g_pitch;
      planes_of(from, n.filters, width, n.filters, to, p.g_plane);
    }
    with_filters(n.filters, [&](auto k) {
      constexpr int K = decltype(k){}();
      grad_w_narrow_tiles<K, narrow_vectors(K)>(p, rows, {x, g, offsets, sums, i > strips.begin}, n.terms());
    });
  }
}

// Adds the parts, in order, then the lanes.
inline void grad_w_narrow_reduce(const StepArgs& args, int64_t piece, unsigned char*) {
  const NarrowGradW& p = args.as<NarrowGradW>();
  const Part terms = part_of(p.n.terms(), p.n.taps, piece);
  for (int64_t i = terms.begin * p.n.filters; i < terms.end * p.n.filters; ++i) {
    const float* from = reinterpret_cast<const float*>(args.scratch) + i * kLanes;
    Vf sum = Vf{};
    for (int64_t part = 0; part < p.parts; ++part) sum += load(from + part * p.sum_floats());
    float lanes[kLanes], all = 0;
    store(lanes, sum);
    for (int lane = 0; lane < kLanes; ++lane) all += lanes[lane];
    args.ptr<float>(2)[i] = all;
  }
}

inline const char* plan_grad_w_narrow(const Conv& c, StepPlan* plan) {
  if (c.groups != 1) return "takes one group only";
  NarrowGradW p = {};
  p.n.rows = c.rows;
  p.n.cols = c.cols;
  p.n.channels = c.in_channels;
  p.n.filters = c.out_channels;
  p.n.batch = c.batch;
  p.n.taps = c.taps();
  // Few channels of x: a kernel row's columns together fill tiles, which leaves less to gain.
  const double gain = c.in_channels < kFewChannels ? 0.65 : 0.8;
  if (const char* why = lay_out_narrow(&p.n, static_cast<double>(c.cols.out), gain)) return why;
  p.strips = p.n.batch * p.n.per_image;
  p.parts = min64(p.strips, kWantedSums);
  p.g_pitch = (p.n.cols.out + kLanes - 1) / kLanes * kLanes;
  p.g_plane = p.n.height * p.g_pitch;
  plan->thread_scratch_bytes = static_cast<size_t>((p.x_floats() + p.n.filters * p.g_plane) * 4 + p.n.terms() * 8);
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(p.parts * p.sum_floats());
  plan->flops = c.flops();
  plan->add_phase(grad_w_narrow_run, p.parts);
  plan->add_phase(grad_w_narrow_reduce, p.n.taps);
  plan->set_params(p);
  return nullptr;
}

}  // namespace
}  // namespace striate
