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

// Four floats, for turning rows into columns.
typedef float V4 __attribute__((vector_size(16)));
typedef int32_t V4i __attribute__((vector_size(16)));
typedef float V4Unaligned __attribute__((vector_size(16), aligned(4), may_alias));
#if defined(__clang__)
#define STRIATE_SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define STRIATE_SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, V4i{i, j, k, l})
#endif

// to[k * stride + i] = rows[i][k] for i < 4, k < 4.
[[maybe_unused]] STRIATE_INLINE void turn_4x4(const float* const* rows, int64_t from, float* to, int64_t stride) {
  const auto row = [&](int i) -> V4 { return *reinterpret_cast<const V4Unaligned*>(rows[i] + from); };
  const auto put = [&](int64_t k, V4 v) { *reinterpret_cast<V4Unaligned*>(to + k * stride) = v; };
  const V4 a = row(0), b = row(1), c = row(2), d = row(3);
  const V4 ab0 = STRIATE_SHUFFLE4(a, b, 0, 4, 1, 5), ab1 = STRIATE_SHUFFLE4(a, b, 2, 6, 3, 7);
  const V4 cd0 = STRIATE_SHUFFLE4(c, d, 0, 4, 1, 5), cd1 = STRIATE_SHUFFLE4(c, d, 2, 6, 3, 7);
  put(0, STRIATE_SHUFFLE4(ab0, cd0, 0, 1, 4, 5));
  put(1, STRIATE_SHUFFLE4(ab0, cd0, 2, 3, 6, 7));
  put(2, STRIATE_SHUFFLE4(ab1, cd1, 0, 1, 4, 5));
  put(3, STRIATE_SHUFFLE4(ab1, cd1, 2, 3, 6, 7));
}

// to[k * stride + i] = row_at(i)[k] for i < rows, k < cols.
template <typename RowAt>
STRIATE_INLINE void turn(RowAt row_at, int64_t rows, int64_t cols, float* to, int64_t stride) {
  constexpr int64_t kBlock = 16;  // columns: a line of each row
  if (rows < 4) {
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = row_at(r);
      for (int64_t k = 0; k < cols; ++k) to[k * stride + r] = from[k];
    }
    return;
  }
  for (int64_t i = 0; i < rows; i += 4) {
    const int64_t first = min64(i, rows - 4);  // the last four overlap those before
    const float* four[4];
    for (int r = 0; r < 4; ++r) four[r] = row_at(first + r);
    int64_t k = 0;
    for (; k + 4 <= cols; k += 4) {
      if (k % kBlock == 0)
        for (int r = 0; r < 4; ++r) __builtin_prefetch(four[r] + k + 4 * kBlock);
      turn_4x4(four, k, to + k * stride + first, stride);
    }
    for (; k < cols; ++k)
      for (int r = 0; r < 4; ++r) to[k * stride + first + r] = four[r][k];
  }
}

// The same from the transpose: column j of the panel is the row b + j * ldb.
[[maybe_unused]] inline void pack_panel_transposed(const float* b, int64_t ldb, int64_t k, int64_t n, float* to) {
  turn([=](int64_t j) { return b + j * ldb; }, n, k, to, kPanel);
  for (int64_t i = 0; n < kPanel && i < k; ++i)
    for (int64_t j = n; j < kPanel; ++j) to[i * kPanel + j] = 0;
}

}  // namespace
}  // namespace striate
