// The products of one point: tiles by filters, summed over channels; and channels by filters, summed over tiles.
#pragma once

#include "kernels/conv_winograd/tiles.h"
#include "kernels/gemm/tile.h"

namespace striate {
namespace {

constexpr int kAhead = 16;  // rows of U asked for before they are used

// Of few tiles, the panel of U that comes after the one in use is asked for meanwhile, evenly: it comes from memory, or
// from a cache that all cores share, and that takes longer than kAhead rows of few products.
struct NextPanel {
  const float* at;
  int64_t step, second;  // floats from row to row, and to the second line that a row asks for; 0: it asks for one
};

// M[m][panel] = sum_c V[c][m] * U[c][panel] for NV vectors; `k` channels from the start of a chunk.
template <int M, int NV, bool Far>
__attribute__((noinline)) void tiles_product(const float* v, int64_t chunk, int64_t k, const float* u, NextPanel next,
                                             float* to, bool resume) {
  Vf acc[M][NV];
  STRIATE_UNROLL
  for (int m = 0; m < M; ++m) {
    STRIATE_UNROLL
    for (int j = 0; j < NV; ++j) acc[m][j] = resume ? load(to + m * kPanel + j * kLanes) : Vf{};
  }
  for (; k > 0; k -= kChunk, v += chunk) {
    const float* end = v + min64(k, kChunk);
    for (const float* a = v; a < end; ++a, u += kPanel) {
      if constexpr (Far) {
        __builtin_prefetch(next.at, 0, 2);
        if (NV * kLanes > 16) __builtin_prefetch(next.at + next.second, 0, 2);
        next.at += next.step;
      } else {
        __builtin_prefetch(u + kAhead * kPanel);
        if (NV * kLanes > 16) __builtin_prefetch(u + kAhead * kPanel + 16);
      }
      Vf b[NV];
      STRIATE_UNROLL
      for (int j = 0; j < NV; ++j) b[j] = load(u + j * kLanes);
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) {
        const Vf x = splat(a[m * kChunk]);
        STRIATE_UNROLL
        for (int j = 0; j < NV; ++j) acc[m][j] += x * b[j];
      }
    }
  }
  STRIATE_UNROLL
  for (int m = 0; m < M; ++m) {
    STRIATE_UNROLL
    for (int j = 0; j < NV; ++j) store(to + m * kPanel + j * kLanes, acc[m][j]);
  }
}

#define STRIATE_PRODUCT_CASE(m)                                                                       \
  case m:                                                                                             \
    if constexpr (m <= kTileRows) return tiles_product<m, NV, Far>(v, chunk, k, u, next, to, resume); \
    break;
template <int NV, bool Far>
inline void run_tiles_nv(int64_t m, const float* v, int64_t chunk, int64_t k, const float* u, NextPanel next, float* to,
                         bool resume) {
  switch (m) {
    STRIATE_PRODUCT_CASE(1)
    STRIATE_PRODUCT_CASE(2)
    STRIATE_PRODUCT_CASE(3)
    STRIATE_PRODUCT_CASE(4)
    STRIATE_PRODUCT_CASE(5)
    STRIATE_PRODUCT_CASE(6)
    STRIATE_PRODUCT_CASE(7)
    STRIATE_PRODUCT_CASE(8)
    STRIATE_PRODUCT_CASE(9)
    STRIATE_PRODUCT_CASE(10)
    STRIATE_PRODUCT_CASE(11)
    STRIATE_PRODUCT_CASE(12)
    STRIATE_PRODUCT_CASE(13)
    STRIATE_PRODUCT_CASE(14)
  }
}

// One point and one panel, tiles [need) of a V and M with room for `room`; `n` columns of the panel are wanted. Far:
// `next` is the panel of U that follows.
template <bool Far>
inline void point_product(const float* v, const float* u, const float* next, float* m, int64_t channels, int64_t room,
                          Part need, int64_t n) {
  const int64_t count = need.end - need.begin, parts = tiles_of(count);
  for (int64_t c0 = 0; c0 < channels; c0 += kDepth) {
    const int64_t depth = min64(kDepth, channels - c0);
    for (int64_t p = 0; p < parts; ++p) {
      const Part part = part_of(count, parts, p);
      const int64_t first = need.begin + part.begin;
      const float* from = v + c0 * room + first * kChunk;
      float* to = m + first * kPanel;
      NextPanel ask = {};
      if (Far) {  // the first two rounds of a row ask for a line each where it has two
        const bool shared = parts > 1 && kPanel > 16;
        ask.at = next + c0 * kPanel + (shared ? min64(p, 1) * depth * 16 : 0);
        ask.step = shared ? 16 : kPanel;
        ask.second = shared ? 0 : 16;
      }
      if (n > kLanes) {
        run_tiles_nv<2, Far>(part.end - part.begin, from, room * kChunk, depth, u + c0 * kPanel, ask, to, c0 > 0);
      } else {
        run_tiles_nv<1, Far>(part.end - part.begin, from, room * kChunk, depth, u + c0 * kPanel, ask, to, c0 > 0);
      }
    }
  }
}

// ---- dU[c][panel] += sum_t V[t][c] * dM[t][panel]
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kSumRows = 8;  // channels of a tile of sums; a chunk of 16 is shared out evenly
#elif defined(__AVX2__)
constexpr int kSumRows = 6;
#else
constexpr int kSumRows = 4;
#endif

template <int M, int NV>
__attribute__((noinline)) void sums_product(const float* v, const float* g, int64_t tiles, float* sums, bool resume) {
  Vf acc[M][NV];
  STRIATE_UNROLL
  for (int m = 0; m < M; ++m) {
    STRIATE_UNROLL
    for (int j = 0; j < NV; ++j) acc[m][j] = resume ? load(sums + m * kPanel + j * kLanes) : Vf{};
  }
  for (const float* end = v + tiles * kChunk; v < end; v += kChunk, g += kPanel) {
    Vf b[NV];
    STRIATE_UNROLL
    for (int j = 0; j < NV; ++j) b[j] = load(g + j * kLanes);
    STRIATE_UNROLL
    for (int m = 0; m < M; ++m) {
      const Vf x = splat(v[m]);
      STRIATE_UNROLL
      for (int j = 0; j < NV; ++j) acc[m][j] += x * b[j];
    }
  }
  STRIATE_UNROLL
  for (int m = 0; m < M; ++m) {
    STRIATE_UNROLL
    for (int j = 0; j < NV; ++j) store(sums + m * kPanel + j * kLanes, acc[m][j]);
  }
}

#define STRIATE_SUMS_CASE(m)                                                            \
  case m:                                                                               \
    if constexpr (m <= kSumRows) return sums_product<m, NV>(v, g, tiles, sums, resume); \
    break;
template <int NV>
inline void run_sums_nv(int64_t m, const float* v, const float* g, int64_t tiles, float* sums, bool resume) {
  switch (m) {
    STRIATE_SUMS_CASE(1)
    STRIATE_SUMS_CASE(2)
    STRIATE_SUMS_CASE(3)
    STRIATE_SUMS_CASE(4)
    STRIATE_SUMS_CASE(5)
    STRIATE_SUMS_CASE(6)
    STRIATE_SUMS_CASE(7)
    STRIATE_SUMS_CASE(8)
  }
}

}  // namespace
}  // namespace striate
