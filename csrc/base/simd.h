// Vectors of float as GNU vector extensions, at the width the including object is compiled for.
//
// Everything is in an anonymous namespace: an inline function with external linkage would be a weak symbol, and the
// linker may keep the AVX-512 copy for every CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>  // for masks: a tail through memory costs ten times as much
#endif

#if defined(__AVX512F__)
#define STRIATE_VEC_BYTES 64
#define STRIATE_ISA_NAME avx512
#define STRIATE_ISA_ENUM ::striate::Isa::kAvx512
#elif defined(__AVX2__)
#define STRIATE_VEC_BYTES 32
#define STRIATE_ISA_NAME avx2
#define STRIATE_ISA_ENUM ::striate::Isa::kAvx2
#elif defined(__ARM_NEON)
#define STRIATE_VEC_BYTES 16
#define STRIATE_ISA_NAME neon
#define STRIATE_ISA_ENUM ::striate::Isa::kNeon
#else
#define STRIATE_VEC_BYTES 16
#define STRIATE_ISA_NAME baseline
#define STRIATE_ISA_ENUM ::striate::Isa::kBaseline
#endif

#define STRIATE_STR2(x) #x
#define STRIATE_STR(x) STRIATE_STR2(x)
#define STRIATE_CAT2(a, b) a##b
#define STRIATE_CAT(a, b) STRIATE_CAT2(a, b)

#if defined(__clang__)
#define STRIATE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define STRIATE_UNROLL _Pragma("GCC unroll 64")
#endif

#define STRIATE_INLINE inline __attribute__((always_inline))

namespace striate {
namespace {

constexpr int kLanes = STRIATE_VEC_BYTES / 4;
typedef float Vf __attribute__((vector_size(STRIATE_VEC_BYTES)));
typedef int32_t Vi __attribute__((vector_size(STRIATE_VEC_BYTES)));
typedef float VfUnaligned __attribute__((vector_size(STRIATE_VEC_BYTES), aligned(4), may_alias));

[[maybe_unused]] STRIATE_INLINE Vf load(const float* p) { return *reinterpret_cast<const VfUnaligned*>(p); }
[[maybe_unused]] STRIATE_INLINE void store(float* p, Vf v) { *reinterpret_cast<VfUnaligned*>(p) = v; }
[[maybe_unused]] STRIATE_INLINE Vf splat(float x) { return x - Vf{}; }  // x - 0 is x, also for -0

// The first n lanes (0 <= n <= kLanes) from memory, the others zero; nothing past p + n is touched. By masks where
// there are some: a tail through memory costs ten times as much.
#if defined(__AVX512F__)
[[maybe_unused]] STRIATE_INLINE Vf load_n(const float* p, int n) {
  return reinterpret_cast<Vf>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
}
[[maybe_unused]] STRIATE_INLINE void store_n(float* p, Vf v, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(v));
}
#elif defined(__AVX2__)
alignas(64) constexpr int32_t kFirstLanes[2 * kLanes] = {-1, -1, -1, -1, -1, -1, -1, -1};
[[maybe_unused]] STRIATE_INLINE Vf load_n(const float* p, int n) {
  if (n >= kLanes) return load(p);
  const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(kFirstLanes + kLanes - n));
  return reinterpret_cast<Vf>(_mm256_maskload_ps(p, mask));
}
// In parts of 4, 2 and 1: a masked store is 18 operations and more on AMD up to Zen 3 (Fog, "Instruction tables").
[[maybe_unused]] STRIATE_INLINE void store_n(float* p, Vf v, int n) {
  if (n >= kLanes) return store(p, v);
  const __m256 all = reinterpret_cast<__m256>(v);
  __m128 part = _mm256_castps256_ps128(all);
  if (n & 4) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps(all, 1);
    p += 4;
  }
  if (n & 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, part);
}
#else
[[maybe_unused]] STRIATE_INLINE Vf load_n(const float* p, int n) {
  if (n >= kLanes) return load(p);
  float t[kLanes] = {};
  for (int i = 0; i < n; ++i) t[i] = p[i];
  return load(t);
}
[[maybe_unused]] STRIATE_INLINE void store_n(float* p, Vf v, int n) {
  if (n >= kLanes) return store(p, v);
  float t[kLanes];
  store(t, v);
  for (int i = 0; i < n; ++i) p[i] = t[i];
}
#endif
[[maybe_unused]] STRIATE_INLINE Vf select(Vi mask, Vf yes, Vf no) {  // mask lanes are 0 or -1
  return reinterpret_cast<Vf>((reinterpret_cast<Vi>(yes) & mask) | (reinterpret_cast<Vi>(no) & ~mask));
}
// As std::max(a, b), so that a NaN in a is kept. By intrinsics on x86: of a < b ? b : a with a constant b, GCC 12 makes
// a comparison and a blend, with AVX2 four micro-operations for the one.
#if defined(__AVX512F__)
[[maybe_unused]] STRIATE_INLINE Vf vmax(Vf a, Vf b) {
  return reinterpret_cast<Vf>(_mm512_maskz_max_ps(0xffff, reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(a)));
}
[[maybe_unused]] STRIATE_INLINE Vf vmin(Vf a, Vf b) {
  return reinterpret_cast<Vf>(_mm512_maskz_min_ps(0xffff, reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(a)));
}
#elif defined(__AVX2__)
[[maybe_unused]] STRIATE_INLINE Vf vmax(Vf a, Vf b) {
  return reinterpret_cast<Vf>(_mm256_max_ps(reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(a)));
}
[[maybe_unused]] STRIATE_INLINE Vf vmin(Vf a, Vf b) {
  return reinterpret_cast<Vf>(_mm256_min_ps(reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(a)));
}
#elif defined(__SSE2__)
[[maybe_unused]] STRIATE_INLINE Vf vmax(Vf a, Vf b) {
  return reinterpret_cast<Vf>(_mm_max_ps(reinterpret_cast<__m128>(b), reinterpret_cast<__m128>(a)));
}
[[maybe_unused]] STRIATE_INLINE Vf vmin(Vf a, Vf b) {
  return reinterpret_cast<Vf>(_mm_min_ps(reinterpret_cast<__m128>(b), reinterpret_cast<__m128>(a)));
}
#else
[[maybe_unused]] STRIATE_INLINE Vf vmax(Vf a, Vf b) { return a < b ? b : a; }
[[maybe_unused]] STRIATE_INLINE Vf vmin(Vf a, Vf b) { return b < a ? b : a; }
#endif

}  // namespace
}  // namespace striate
