// What batch normalisation's kernels share: how the matrix is cut, constants of channels, and maps over its rows.
#pragma once

#include "base/moments.h"
#include "base/normalize.h"
#include "base/stream.h"

namespace striate {
namespace {

constexpr int64_t kMapElements = 16384;  // of an elementwise piece
constexpr int64_t kStreamed = 1 << 20;   // elements from which on a result is streamed: 4 MB, more than two L2 caches

struct Norm {
  Blocks b;
  int64_t padded;    // channels, up to a whole number of vectors: the distance of arrays in scratch
  int64_t map_rows;  // of an elementwise piece
  float epsilon;
  float lo, hi;   // the activation as a clamp
  bool residual;  // the last input is added before the activation
  bool large;     // the result is streamed where it lies on no input

  // Scratch: three arrays of row_blocks x channels, then up to three of channels.
  float* sums(const StepArgs& args, int which) const {
    return reinterpret_cast<float*>(args.scratch) + which * b.row_blocks * padded;
  }
  float* channels(const StepArgs& args, int which) const { return sums(args, 3) + which * padded; }
  int64_t block_rows(int64_t k) const { return smaller(b.block_rows, b.rows - k * b.block_rows); }
};
constexpr int kMaxChannelArrays = 3;

// One vector of each of `kTall` rows, whose channels' constants are read once.
template <int kTall, bool kStream, int Inputs, int Arrays, typename Map>
STRIATE_INLINE void map_vectors(const float* const* in, const float* const* constants, float* y, int64_t at,
                                int64_t column, int64_t width, int64_t n, Map map) {
  Vf k[Arrays];
  for (int i = 0; i < Arrays; ++i) k[i] = load_few(constants[i] + column, n);
  STRIATE_UNROLL
  for (int r = 0; r < kTall; ++r) {
    const int64_t from = at + r * width + column;
    Vf x[Inputs];
    for (int i = 0; i < Inputs; ++i) x[i] = load_few(in[i] + from, n);
    const Vf value = map(x, k);
    if (kStream)
      stream(y + from, value);
    else if (n == kLanes)
      store(y + from, value);
    else
      store_n(y + from, value, static_cast<int>(n));
  }
}

// y = map(the inputs' elements, their channel's constants), for the rows of a piece; `constants` are arrays of C.
template <int Inputs, int Arrays, typename Map>
STRIATE_INLINE void map_norm(const Norm& p, int64_t piece, const float* const* in, const float* const* constants,
                             float* y, Map map) {
  constexpr int kTall = 4;
  float wide[Arrays][kWidest];
  const float* per_column[Arrays];
  int64_t width = p.b.columns;
  const int64_t first = piece * p.map_rows, rows = smaller(p.map_rows, p.b.rows - first);
  const bool few = has_few(width);  // then kLanes rows are seen as one
  for (int i = 0; i < Arrays; ++i) per_column[i] = few ? repeated(constants[i], width, kLanes, wide[i]) : constants[i];
  if (few) width *= kLanes;
  int64_t at = first * p.b.columns;
  const int64_t end = at + rows * p.b.columns, whole = width - width % kLanes;
  bool streams = p.large && whole == width && reinterpret_cast<uintptr_t>(y) % STRIATE_VEC_BYTES == 0;
  for (int i = 0; i < Inputs; ++i) streams = streams && in[i] != y;
  if (streams) {
    for (; at + kTall * width <= end; at += kTall * width)
      for (int64_t c = 0; c < width; c += kLanes)
        map_vectors<kTall, true, Inputs, Arrays>(in, per_column, y, at, c, width, kLanes, map);
    end_streaming();
  }
  for (; at + kTall * width <= end; at += kTall * width) {
    for (int64_t c = 0; c < whole; c += kLanes)
      map_vectors<kTall, false, Inputs, Arrays>(in, per_column, y, at, c, width, kLanes, map);
    if (whole < width)
      map_vectors<kTall, false, Inputs, Arrays>(in, per_column, y, at, whole, width, width - whole, map);
  }
  for (; at < end; at += width) {
    const int64_t length = smaller(width, end - at);
    for (int64_t c = 0; c < length; c += kLanes)
      map_vectors<1, false, Inputs, Arrays>(in, per_column, y, at, c, width, smaller(kLanes, length - c), map);
  }
}

}  // namespace
}  // namespace striate
