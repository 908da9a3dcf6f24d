// conv2d_narrow and conv2d_grad_x_narrow: few result channels, so that vectors run along a row of pixels instead.
//
// A strip of the source is copied with channels (and, at a stride, columns of one remainder) in planes of their own,
// with its padding as zeros: then the pixels that a tap reads lie side by side. A tile is V vectors of pixels by all
// the filters; a term loads V vectors once for all filters. Finished sums are turned back into pixels of K channels.
#pragma once

#include "kernels/conv_direct/strip.h"
#include "kernels/conv_direct/turn.h"

namespace striate {
namespace {

constexpr int kNarrowFilters = 8;
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif
// Vectors of pixels of a tile: sums, pixels and a weight have to fit the registers.
constexpr int narrow_vectors(int filters) {
  const int v = (kRegisters - 1) / (filters + 1);
  return v < 1 ? 1 : v > 8 ? 8 : v;
}

// Pixels of a strip, about: terms' offsets and overlapping rows are paid once for so many.
constexpr int64_t kNarrowPixels = 1024;
constexpr int64_t kNarrowFloats = 64 * 1024;  // of a strip's planes: a quarter of a second-level cache of 1 MiB
constexpr int64_t kNarrowTerms = 2048;

struct Narrow {
  Axis rows, cols;  // of the source, and of the result; transposed kernels are turned round by term_offsets()
  Epilogue epilogue;
  int64_t batch, channels, filters;
  int64_t height, per_image;   // result rows of a strip at most, strips of an image
  int64_t lines, pitch;        // rows of a plane, floats of a row
  int64_t taps, plane_floats;  // plane_floats: of one channel, all its remainders
  bool transposed, has_bias;

  int64_t terms() const { return taps * channels; }
  int64_t strip_floats() const { return channels * plane_floats + kLanes; }  // vectors may end behind the last row
};

// FMAs of a vector that one tap and channel of the source cost a row of the result: vectors along the row against
// vectors along the channels of `pixels` pixels. Sums under way hide an FMA's four cycles on two ports from eight on.
// `gain`: the share of the second that the first may cost, for planes are filled and sums turned besides.
inline bool rows_pay(const Narrow& n, double pixels, double gain) {
  const auto cost = [](int64_t vectors, int64_t sums) { return static_cast<double>(vectors * 8) / min64(8, sums); };
  const int64_t chunks = (n.cols.out + kLanes - 1) / kLanes, vectors = (n.filters + kLanes - 1) / kLanes;
  const int64_t tile = n.filters * narrow_vectors(static_cast<int>(n.filters));
  return cost(chunks * n.filters, tile) <= gain * pixels * cost(vectors, kTileRows * vectors);
}

// Whether vectors along rows pay, then strips and planes; returns why not.
inline const char* lay_out_narrow(Narrow* n, double pixels, double gain) {
  if (n->filters > kNarrowFilters) return "too many channels: they fill vectors by themselves";
  if (n->taps == 1) return "takes no 1x1 kernels";
  if (n->taps > kNarrowTerms || n->terms() > kNarrowTerms) return "too many terms";
  if (!rows_pay(*n, pixels, gain)) return "rows too short for vectors along them";
  // One after the other, so that no product leaves its 63 bits.
  constexpr int64_t most = kNarrowFloats;
  const auto fits = [](int64_t a, int64_t b) { return a <= most && b <= most && a * b <= most; };
  n->pitch = n->cols.out + (n->cols.kernel - 1) * n->cols.dilation / n->cols.stride;
  const int64_t line = n->channels * n->cols.stride, window = (n->rows.kernel - 1) * n->rows.dilation + 1;
  const bool narrow_enough = fits(n->channels, n->cols.stride) && fits(line, n->pitch);
  for (int64_t pixels = kNarrowPixels; narrow_enough && pixels > 0; pixels /= 2) {
    const int64_t high = max64(1, pixels / n->cols.out);
    n->per_image = (n->rows.out + high - 1) / high;
    n->height = (n->rows.out + n->per_image - 1) / n->per_image;
    n->lines = (n->height - 1) * n->rows.stride + window;
    if (fits(line * n->pitch, n->lines)) break;
    n->lines = 0;
  }
  if (n->lines == 0) return "the rows of a window do not fit a strip";
  n->plane_floats = n->cols.stride * n->lines * n->pitch;
  return nullptr;
}

inline void clear(float* at, int64_t n) {
  for (; n >= kLanes; n -= kLanes, at += kLanes) store(at, Vf{});
  if (n > 0) store_n(at, Vf{}, static_cast<int>(n));
}

// Source rows for result rows [out.begin, out.end), as planes.
inline void narrow_strip(const Narrow& n, const float* image, Part out, float* to) {
  const int64_t top = out.begin * n.rows.stride - n.rows.pad, stride = n.cols.stride, plane = n.plane_floats;
  const int64_t lines = (out.end - 1 - out.begin) * n.rows.stride + (n.rows.kernel - 1) * n.rows.dilation + 1;
  for (int64_t r = 0; r < stride; ++r) {  // columns of the padded image that leave remainder r
    const int64_t first = max64(0, div_ceil(n.cols.pad - r, stride));
    const int64_t end = min64(n.pitch, div_floor(n.cols.in - 1 + n.cols.pad - r, stride) + 1);
    for (int64_t line = 0; line < lines; ++line) {
      const int64_t y = top + line;
      float* row = to + (r * n.lines + line) * n.pitch;
      const int64_t count = y >= 0 && y < n.rows.in ? max64(end - first, 0) : 0;
      const int64_t left = count > 0 ? first : n.pitch, right = n.pitch - left - count;
      for (int64_t c = 0; c < n.channels; ++c) {
        clear(row + c * plane, left);
        clear(row + c * plane + left + count, right);
      }
      if (count <= 0) continue;
      const float* from = image + (y * n.cols.in + first * stride + r - n.cols.pad) * n.channels;
      if (n.channels == 1 && stride == 1) {
        std::memcpy(row + first, from, static_cast<size_t>(count) * 4);
      } else {
        planes_of(from, stride * n.channels, count, n.channels, row + first, plane);
      }
    }
  }
}

// Where each term's pixels start, from a pixel's place in the planes: taps in row-major order, then channels.
inline void term_offsets(const Narrow& n, int64_t* to) {
  const int64_t stride = n.cols.stride;
  for (int64_t u = 0; u < n.rows.kernel; ++u)
    for (int64_t v = 0; v < n.cols.kernel; ++v) {
      const int64_t down = (n.transposed ? n.rows.kernel - 1 - u : u) * n.rows.dilation;
      const int64_t across = (n.transposed ? n.cols.kernel - 1 - v : v) * n.cols.dilation;
      // A division by 1 takes as long as any: 18 cycles, up to 90 on CPUs before 2019 (Fog, "Instruction tables").
      const int64_t step = stride == 1 ? across : across / stride;
      const int64_t at = ((across - step * stride) * n.lines + down) * n.pitch + step;
      for (int64_t c = 0; c < n.channels; ++c) *to++ = at + c * n.plane_floats;
    }
}

// Calls f with the number of filters as a constant.
template <int K>
struct Filters {
  constexpr int operator()() const { return K; }
};
template <typename F, int K = 1>
STRIATE_INLINE void with_filters(int64_t filters, F f) {
  if constexpr (K <= kNarrowFilters) {
    if (filters == K) return f(Filters<K>{});
    with_filters<F, K + 1>(filters, f);
  }
}

inline Part kernel_rows(const Narrow& n, int64_t y) {
  const int64_t above = n.rows.pad - y * n.rows.stride;
  const Part u = n.rows.dilation != 1 ? rows_inside(n.rows, y)
                                      : Part{max64(0, above), min64(n.rows.kernel, n.rows.in + above)};  // no division
  if (u.begin >= u.end) return {0, 0};
  return n.transposed ? Part{n.rows.kernel - u.end, n.rows.kernel - u.begin} : u;
}

struct NarrowTile {
  const float* const* pixels;  // V pointers into the planes
  const int64_t* offsets;
  int64_t terms;
  const float* w;     // [term][K]
  const float* bias;  // K floats, or null
  float lo, hi;
  float* sums;  // [K][V][kLanes]
};

template <int K>
__attribute__((noinline)) void narrow_tile(const NarrowTile& t) {
  constexpr int V = narrow_vectors(K);
  Vf acc[K][V];
  STRIATE_UNROLL
  for (int k = 0; k < K; ++k) {
    STRIATE_UNROLL
    for (int v = 0; v < V; ++v) acc[k][v] = Vf{};
  }
  const float* p[V];
  STRIATE_UNROLL
  for (int v = 0; v < V; ++v) p[v] = t.pixels[v];
  const float* w = t.w;
  for (const int64_t *o = t.offsets, *end = o + t.terms; o < end; ++o, w += K) {
    const int64_t at = *o;
    Vf x[V];
    STRIATE_UNROLL
    for (int v = 0; v < V; ++v) x[v] = load(p[v] + at);
    STRIATE_UNROLL
    for (int k = 0; k < K; ++k) {
      const Vf weight = splat(w[k]);
      STRIATE_UNROLL
      for (int v = 0; v < V; ++v) acc[k][v] += x[v] * weight;
    }
  }
  STRIATE_UNROLL
  for (int k = 0; k < K; ++k) {
    const Vf bias = splat(t.bias ? t.bias[k] : 0.0f);
    STRIATE_UNROLL
    for (int v = 0; v < V; ++v) store(t.sums + (k * V + v) * kLanes, clamp(acc[k][v] + bias, t.lo, t.hi));
  }
}

template <int K>
inline void narrow_strip_run(const Narrow& n, const float* planes, const int64_t* offsets, Part out, const float* w,
                             const float* bias, float* y, float* sums) {
  constexpr int V = narrow_vectors(K);
  const int64_t width = n.cols.out, rows = out.end - out.begin, line = n.rows.stride * n.pitch;
  const int64_t row_terms = n.cols.kernel * n.channels;
  const float* pixels[V];
  float* to[V];
  NarrowTile t = {pixels, nullptr, 0, nullptr, bias, n.epilogue.lo, n.epilogue.hi, sums};
  int64_t row = 0, col = 0;
  Part inside = kernel_rows(n, out.begin);
  while (row < rows) {
    Part taps = {n.rows.kernel, 0};  // kernel rows that reach the image from one of the tile's rows
    int vectors = 0;
    const float* last = planes;  // of them: what is left of a tile repeats it
    for (; vectors < V && row < rows; ++vectors) {
      if (inside.begin < inside.end) taps = {min64(taps.begin, inside.begin), max64(taps.end, inside.end)};
      // The last vector of a row ends where the row does: it repeats some of the one before it.
      const int64_t at = max64(0, min64(col, width - kLanes));
      pixels[vectors] = last = planes + row * line + at;
      to[vectors] = y + (row * width + at) * K;
      col += kLanes;
      if (col < width) continue;
      col = 0;
      if (++row < rows) inside = kernel_rows(n, out.begin + row);
    }
    for (int v = vectors; v < V; ++v) pixels[v] = last;
    t.offsets = offsets + taps.begin * row_terms;
    t.terms = max64(0, taps.end - taps.begin) * row_terms;
    t.w = w + taps.begin * row_terms * K;
    narrow_tile<K>(t);
    for (int v = 0; v < vectors; ++v) pixels_of<K>(sums + v * kLanes, V * kLanes, min64(width, kLanes), to[v]);
  }
}

inline int64_t narrow_offset_floats(const Narrow& n) { return (n.strip_floats() + 15) / 16 * 16; }
constexpr int64_t kNarrowSums = kNarrowFilters * 8 * kLanes;

inline void narrow_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Narrow& n = args.as<Narrow>();
  const int64_t image = piece / n.per_image;
  const Part out = part_of(n.rows.out, n.per_image, piece % n.per_image);
  float* planes = reinterpret_cast<float*>(thread_scratch);
  float* sums = planes + narrow_offset_floats(n);
  int64_t* offsets = reinterpret_cast<int64_t*>(sums + kNarrowSums);
  narrow_strip(n, args.ptr<const float>(0) + image * n.rows.in * n.cols.in * n.channels, out, planes);
  term_offsets(n, offsets);
  const float* w = n.transposed ? reinterpret_cast<const float*>(args.scratch) : args.ptr<const float>(1);
  const float* bias = n.has_bias ? args.ptr<const float>(2) : nullptr;
  float* y = args.ptr<float>(n.has_bias ? 3 : 2) + (image * n.rows.out + out.begin) * n.cols.out * n.filters;
  with_filters(n.filters, [&](auto k) { narrow_strip_run<k()>(n, planes, offsets, out, w, bias, y, sums); });
  if (!n.epilogue.is_clamp()) activate(y, (out.end - out.begin) * n.cols.out, n.filters, n.filters, n.epilogue);
}

// w[tap][c of x][k] as [tap][k][c of x]; a piece is a tap.
inline void narrow_turn(const StepArgs& args, int64_t piece, unsigned char*) {
  const Narrow& n = args.as<Narrow>();
  const int64_t size = n.channels * n.filters;
  const float* w = args.ptr<const float>(1) + piece * size;
  turn([=](int64_t c) { return w + c * n.channels; }, n.filters, n.channels,
       reinterpret_cast<float*>(args.scratch) + piece * size, n.filters);
}

inline const char* plan_narrow(const Conv& c, bool transposed, bool has_bias, StepPlan* plan) {
  if (c.groups != 1) return "takes one group only";
  Narrow n = {};
  n.rows = c.rows;
  n.cols = c.cols;
  n.channels = c.in_channels;
  n.filters = c.out_channels;
  n.epilogue = c.epilogue;
  double pixels = static_cast<double>(c.cols.out);
  if (transposed) {  // the source is g; taps come in the same order, but turned round
    if (c.rows.stride != 1 || c.cols.stride != 1) return "takes stride 1 only";
    const auto turned = [](const Axis& a) {
      return Axis{a.out, a.in, a.kernel, 1, a.dilation, (a.kernel - 1) * a.dilation - a.pad};
    };
    n.rows = turned(c.rows);
    n.cols = turned(c.cols);
    if (n.rows.pad < 0 || n.cols.pad < 0) return "takes no padding beyond the kernel";
    n.channels = c.out_channels;
    n.filters = c.in_channels;
    // Tiles of pixels leave padding out, but store and reload their sums with every tap: about eight channels' time.
    pixels = static_cast<double>(pairs_inside(c.cols)) / static_cast<double>(c.cols.kernel);
    pixels *= 1 + 8.0 / static_cast<double>(n.channels);
    n.epilogue = make_epilogue(0, 0);
  }
  n.transposed = transposed;
  n.has_bias = has_bias;
  n.batch = c.batch;
  n.taps = c.taps();
  if (const char* why = lay_out_narrow(&n, pixels, 0.8)) return why;
  plan->thread_scratch_bytes = static_cast<size_t>((narrow_offset_floats(n) + kNarrowSums) * 4 + n.terms() * 8);
  plan->flops = c.flops();
  if (transposed && n.batch > 0) {
    plan->scratch_bytes = sizeof(float) * static_cast<size_t>(n.terms() * n.filters);
    plan->add_phase(narrow_turn, n.taps);
  }
  plan->add_phase(narrow_run, n.batch * n.per_image);
  plan->set_params(n);
  return nullptr;
}

}  // namespace
}  // namespace striate
