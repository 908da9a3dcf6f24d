// A byte a lane: indices of a pool's cells, of which four lie where a float does.
#pragma once

#include "base/simd.h"

namespace striate {
namespace {

typedef uint8_t Vb __attribute__((vector_size(kLanes)));

// The first n lanes (0 <= n <= kLanes), the others zero; nothing past p + n is touched.
[[maybe_unused]] STRIATE_INLINE Vi load_bytes(const uint8_t* p, int n) {
  Vb bytes = {};
  if (n >= kLanes) {
    std::memcpy(&bytes, p, sizeof bytes);
  } else {
    uint8_t t[kLanes] = {};
    for (int i = 0; i < n; ++i) t[i] = p[i];
    std::memcpy(&bytes, t, sizeof bytes);
  }
  return __builtin_convertvector(bytes, Vi);
}
// Numbers from 0 to 255.
[[maybe_unused]] STRIATE_INLINE void store_bytes(uint8_t* p, Vi v, int n) {
  const Vb bytes = __builtin_convertvector(v, Vb);
  if (n >= kLanes) {
    std::memcpy(p, &bytes, sizeof bytes);
  } else {
    uint8_t t[kLanes];
    std::memcpy(t, &bytes, sizeof bytes);
    for (int i = 0; i < n; ++i) p[i] = t[i];
  }
}

}  // namespace
}  // namespace striate
