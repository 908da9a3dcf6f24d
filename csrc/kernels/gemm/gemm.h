// Products of matrices: `matmul`, `dense`, and the pieces that convolutions are built from. Float32, row-major.
//
//   C[i][j] = act(sum_k A[i][k] * B[k][j] + bias[j])
//
// Every sum runs over k upwards with one fused multiply-add a term (multiply, then add, where the CPU has none) from
// zero, and the bias comes last. Blocking only stores and reloads sums between terms. So the bits of an element do not
// depend on its row's place in a tile, on the number of rows, or on whether B was packed.
//
// Packed B: panels of kPanel columns, [N/panel][K][panel], the last panel filled with zeros. kPanel is two vectors: a
// tile of M rows by two vectors has 2M independent sums, enough for two FMA ports at four cycles' latency, and loads
// M + 2 operands for 2M FMAs, within two loads a cycle.
#pragma once

#include "base/simd.h"
#include "base/window.h"

namespace striate {
namespace {

constexpr int kPanel = 2 * kLanes;

// Rows of a tile: 2M sums, two vectors of B and a broadcast have to fit the registers.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;  // 28 + 2 + 1 of 32
#elif defined(__AVX2__)
constexpr int kTileRows = 6;  // 12 + 2 + 1 of 16
#elif defined(__ARM_NEON)
constexpr int kTileRows = 12;  // 24 + 2 + 3 of 32
#else
constexpr int kTileRows = 4;  // 8 + 2 + 1 + a product of 16
#endif

// Terms of a sum between storing and reloading it: a panel of 256 rows is 32 KiB at AVX-512, within a first-level
// cache.
constexpr int64_t kDepth = 256;

[[maybe_unused]] inline int64_t panels_of(int64_t n) { return (n + kPanel - 1) / kPanel; }
[[maybe_unused]] inline int64_t packed_floats(int64_t k, int64_t n) { return panels_of(n) * k * kPanel; }

// One panel of `n` <= kPanel columns from a row-major (k, >= n) matrix with row stride ldb.
[[maybe_unused]] inline void pack_panel(const float* b, int64_t ldb, int64_t k, int64_t n, float* to) {
  if (n == kPanel) {
    for (int64_t i = 0; i < k; ++i, b += ldb, to += kPanel) {
      store(to, load(b));
      store(to + kLanes, load(b + kLanes));
    }
    return;
  }
  const int n0 = static_cast<int>(min64(n, kLanes)), n1 = static_cast<int>(max64(n - kLanes, 0));
  for (int64_t i = 0; i < k; ++i, b += ldb, to += kPanel) {
    store(to, load_n(b, n0));
    store(to + kLanes, n1 > 0 ? load_n(b + kLanes, n1) : Vf{});
  }
}

// The same from the transpose: column j of the panel is the row b + j * ldb.
[[maybe_unused]] inline void pack_panel_transposed(const float* b, int64_t ldb, int64_t k, int64_t n, float* to) {
  constexpr int64_t kBlock = 16;  // 16 x 32 floats are 32 lines: reads and writes both stay in the first-level cache
  for (int64_t i0 = 0; i0 < k; i0 += kBlock) {
    const int64_t i1 = min64(i0 + kBlock, k);
    for (int64_t j = 0; j < n; ++j) {
      const float* from = b + j * ldb;
      for (int64_t i = i0; i < i1; ++i) to[i * kPanel + j] = from[i];
    }
    for (int64_t i = i0; i < i1; ++i)
      for (int64_t j = n; j < kPanel; ++j) to[i * kPanel + j] = 0;
  }
}

}  // namespace
}  // namespace striate
