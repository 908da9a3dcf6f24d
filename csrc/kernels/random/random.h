// Counter-based random numbers, Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011; constants as in Random123).
//
// state is int64 (2,) = (seed, counter). Block i of a field is philox(key = seed, words = (i, counter)), each of the
// three 64 bits as (low, high) words; element e (row-major) uses word e % 4 of block e / 4. So every element can be
// made alone, and no thread, piece or instruction set changes a word.
//
//   seed_next        (seed, counter + 1); may lie exactly over its input
//   random_uniform   (word >> 8) 2^-24
//   random_normal    Box-Muller on the word pairs 0-1 and 2-3: u1 = ((w0 >> 8) + 1) 2^-24, u2 = (w1 >> 8) 2^-24,
//                    sqrt(-2 ln u1) (cos, sin)(2 pi u2). Within 4 ulp of the radius; last bits may differ between sets.
//   dropout          x scale where (word >> 8) >= ceil(rate 2^24), else 0; scale = 1 / (1 - rate). The result may lie
//                    exactly over x.
#pragma once

#include "base/kernel.h"
#include "base/simd.h"
#include "base/simd_math.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace striate {
namespace {

// Words in 64-bit lanes of which only the low half counts: the 32 x 32 -> 64 bit product takes exactly that, and gives
// both halves at once; xor carries the rubbish above along unseen. A round is then two products, two shifts, four xors
// for as many blocks as there are lanes (measured 0.6, 0.9 and 1.4 ns a word with AVX-512, AVX2 and SSE2; 4.7, 3.2 and
// 6.3 where the compiler vectorised 32-bit arrays). Compilers do not find that product in vector code by themselves.
typedef uint64_t Vq __attribute__((vector_size(STRIATE_VEC_BYTES)));
constexpr int kBlocks = STRIATE_VEC_BYTES / 8;
constexpr int kWords = 64;  // made at a time; a multiple of 4 kBlocks for every set

STRIATE_INLINE Vq multiply_low(Vq a, Vq b) {
#if defined(__AVX512F__)
  // The plain form draws a false "uninitialized" warning from GCC 12.
  return reinterpret_cast<Vq>(_mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vq>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vq>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

// Words of blocks first, first + 1, ... in the order of the elements.
inline void philox_words(const int64_t* state, int64_t first, uint32_t* words) {
  const uint64_t seed = static_cast<uint64_t>(state[0]), counter = static_cast<uint64_t>(state[1]);
  Vq lane;
  for (int l = 0; l < kBlocks; ++l) lane[l] = static_cast<uint64_t>(l);
  for (int done = 0; done < kWords / 4; done += kBlocks) {
    const Vq block = lane + static_cast<uint64_t>(first + done);
    Vq c0 = block, c1 = block >> 32, c2 = Vq{} + counter, c3 = c2 >> 32;
    uint64_t k0 = seed & 0xffffffffu, k1 = seed >> 32;
    for (int round = 0; round < 10; ++round) {
      const Vq p0 = multiply_low(c0, Vq{} + 0xD2511F53u), p1 = multiply_low(c2, Vq{} + 0xCD9E8D57u);
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c1 = p1;
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c3 = p0;
      k0 = (k0 + 0x9E3779B9u) & 0xffffffffu;
      k1 = (k1 + 0xBB67AE85u) & 0xffffffffu;
    }
    const Vq first_two = (c0 & 0xffffffffu) | (c1 << 32), last_two = (c2 & 0xffffffffu) | (c3 << 32);
    for (int l = 0; l < kBlocks; ++l) {
      const uint64_t pairs[2] = {first_two[l], last_two[l]};  // little-endian: word 0 first
      std::memcpy(words + 4 * (done + l), pairs, sizeof pairs);
    }
  }
}

}  // namespace
}  // namespace striate
