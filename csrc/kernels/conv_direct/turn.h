// Pixels of a few channels into planes of their own, and back: moves alone, no arithmetic.
#pragma once

#include "kernels/conv_direct/conv_direct.h"

namespace striate {
namespace {

#if defined(__AVX2__)
// rows[i][j] of each half becomes rows[j][i]: 4x4 in the lower four lanes, 4x4 in the upper.
STRIATE_INLINE void turn_halves(__m256 (&rows)[4]) {
  const __m256 a = _mm256_unpacklo_ps(rows[0], rows[1]), b = _mm256_unpackhi_ps(rows[0], rows[1]);
  const __m256 c = _mm256_unpacklo_ps(rows[2], rows[3]), d = _mm256_unpackhi_ps(rows[2], rows[3]);
  rows[0] = _mm256_shuffle_ps(a, c, 0x44);
  rows[1] = _mm256_shuffle_ps(a, c, 0xee);
  rows[2] = _mm256_shuffle_ps(b, d, 0x44);
  rows[3] = _mm256_shuffle_ps(b, d, 0xee);
}

STRIATE_INLINE __m256 halves(const float* lower, const float* upper) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(lower)), _mm_loadu_ps(upper), 1);
}
#endif

// to[c * plane + i] = from[i * step + c] for i < count, c < channels.
inline void planes_of(const float* from, int64_t step, int64_t count, int64_t channels, float* to, int64_t plane) {
#if defined(__AVX2__)
  if (count >= 8 && channels >= 4) {  // blocks of 8 pixels by 4 channels; the last overlap those before
    for (int64_t i = 0; i < count; i += 8) {
      const int64_t first = min64(i, count - 8);
      for (int64_t c = 0; c < channels; c += 4) {
        const int64_t channel = min64(c, channels - 4);
        const float* at = from + first * step + channel;
        __m256 rows[4];
        STRIATE_UNROLL
        for (int j = 0; j < 4; ++j) rows[j] = halves(at + j * step, at + (j + 4) * step);
        turn_halves(rows);
        STRIATE_UNROLL
        for (int j = 0; j < 4; ++j) _mm256_storeu_ps(to + (channel + j) * plane + first, rows[j]);
      }
    }
    return;
  }
#endif
  turn([=](int64_t i) { return from + i * step; }, count, channels, to, plane);
}

// y[i * K + k] = sums[k][i] for i < n <= kLanes; `stride` floats from channel to channel.
template <int K>
STRIATE_INLINE void pixels_of(const float* sums, int64_t stride, int64_t n, float* y) {
#if defined(__AVX512F__)
  Vf from[K];
  STRIATE_UNROLL
  for (int k = 0; k < K; ++k) from[k] = load(sums + k * stride);
  alignas(64) static constexpr auto kPlace = [] {
    struct {
      int32_t index[K][kLanes];
      uint16_t of[K][(K + 1) / 2];  // lanes that channels 2i and 2i+1 fill
    } t = {};
    for (int o = 0; o < K; ++o)
      for (int lane = 0; lane < kLanes; ++lane) {
        const int flat = o * kLanes + lane, k = flat % K;
        t.index[o][lane] = k % 2 * kLanes + flat / K;
        t.of[o][k / 2] = static_cast<uint16_t>(t.of[o][k / 2] | 1u << lane);
      }
    return t;
  }();
  STRIATE_UNROLL
  for (int o = 0; o < K; ++o) {
    const __m512i index = _mm512_load_si512(kPlace.index[o]);
    __m512 out = _mm512_setzero_ps();
    STRIATE_UNROLL
    for (int i = 0; i < (K + 1) / 2; ++i) {
      const __m512 a = reinterpret_cast<__m512>(from[2 * i]);
      const __m512 b = reinterpret_cast<__m512>(from[2 * i + 1 < K ? 2 * i + 1 : 2 * i]);
      out = _mm512_mask_mov_ps(out, kPlace.of[o][i], _mm512_permutex2var_ps(a, index, b));
    }
    const int64_t left = n * K - o * kLanes;
    if (left >= kLanes) {
      store(y + o * kLanes, reinterpret_cast<Vf>(out));
    } else if (left > 0) {
      store_n(y + o * kLanes, reinterpret_cast<Vf>(out), static_cast<int>(left));
    }
  }
#elif defined(__AVX2__)
  if constexpr (K == 1) {
    store_n(y, load(sums), static_cast<int>(n));
    return;
  }
  if (n < kLanes) return turn([=](int64_t k) { return sums + k * stride; }, K, n, y, K);
  // Pixel after pixel with the lanes behind its channels, which the next one overwrites; the last ends where it ends.
  STRIATE_UNROLL
  for (int first = 0; first < 8; first += 4) {
    __m256 rows[4];  // channels k and k + 4 of four pixels
    STRIATE_UNROLL
    for (int k = 0; k < 4; ++k) {
      const float* at = sums + k * stride + first;
      rows[k] = _mm256_setzero_ps();
      if (k < K) rows[k] = _mm256_zextps128_ps256(_mm_loadu_ps(at));
      if (k + 4 < K) rows[k] = halves(at, at + 4 * stride);
    }
    turn_halves(rows);
    STRIATE_UNROLL
    for (int i = 0; i < 4; ++i) {
      float* to = y + (first + i) * K;
      const bool last = first + i == 7;
      if (K > 4) {
        store_n(to, reinterpret_cast<Vf>(rows[i]), last ? K : kLanes);
      } else {
        store_n(to, reinterpret_cast<Vf>(rows[i]), last ? K : 4);
      }
    }
  }
#else
  turn([=](int64_t k) { return sums + k * stride; }, K, n, y, K);
#endif
}

}  // namespace
}  // namespace striate
