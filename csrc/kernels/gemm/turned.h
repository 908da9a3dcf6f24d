// Products y = a b^T of a few rows by a large matrix, the other way round: y^T = b a^T.
//
// b's rows, which lie as they do, take the place of a tile's rows, and the few rows of a become the vectors. So b is
// read once, in long runs, and never packed, which for few rows takes longer than the product. Sums and bits are those
// of the product as it stands. A dense layer's gradient of its input is such a product.
#pragma once

#include "kernels/gemm/pack.h"

namespace striate {
namespace {

constexpr int64_t kTurnedFloats = 128 * 1024;  // of b, from where on it pays
// b's rows may lie a multiple of 4 KiB apart, in one set of the first-level cache, which has 8 ways at least.
constexpr int64_t kTurnedRows = kTileRows < 8 ? kTileRows : 8;
constexpr int64_t kTurnedBlock = 8 * kTurnedRows;

struct Turned {
  int64_t m, n, k;  // y is m x n
  int64_t width;    // floats of a packed term: a vector or two
  int64_t blocks;
};

[[maybe_unused]] inline bool turns(const Gemm& g) {
  return g.b_transposed && !g.a_transposed && g.c.even() && g.m <= kPanel && g.n * g.k >= kTurnedFloats;
}
[[maybe_unused]] inline Turned make_turned(const Gemm& g) {
  return {g.m, g.n, g.k, g.m > kLanes ? kPanel : kLanes, (g.n + kTurnedBlock - 1) / kTurnedBlock};
}

[[maybe_unused]] inline int64_t turned_packed_floats(const Turned& g) { return g.k * g.width; }
[[maybe_unused]] inline int64_t turned_pack_pieces(const Turned& g) { return (g.k + kPackTerms - 1) / kPackTerms; }

[[maybe_unused]] inline void turned_pack(const Turned& g, const float* a, int64_t piece, float* packed) {
  const int64_t k0 = piece * kPackTerms, terms = min64(kPackTerms, g.k - k0);
  float* to = packed + k0 * g.width;
  turn([&](int64_t i) { return a + i * g.k + k0; }, g.m, terms, to, g.width);
  for (int64_t t = 0; t < terms; ++t)
    for (int64_t i = g.m; i < g.width; ++i) to[t * g.width + i] = 0;
}

[[maybe_unused]] inline size_t turned_scratch_bytes() { return kTurnedBlock * kPanel * sizeof(float); }

// A block of b's rows: columns of y.
[[maybe_unused]] inline void turned_piece(const Turned& g, const float* b, const float* packed, float* y, int64_t piece,
                                          unsigned char* scratch) {
  float* sums = reinterpret_cast<float*>(scratch);  // [row of the block][width]
  const Part rows = part_of(g.n, g.blocks, piece);
  const int64_t n = rows.end - rows.begin, tiles = (n + kTurnedRows - 1) / kTurnedRows;
  for (int64_t k = 0; k == 0 || k < g.k; k += kLongDepth) {
    const int64_t depth = min64(kLongDepth, g.k - k);
    for (int64_t t = 0; t < tiles; ++t) {
      const Part part = part_of(n, tiles, t);
      const float* pointers[kTurnedRows];
      for (int64_t i = part.begin; i < part.end; ++i) pointers[i - part.begin] = b + (rows.begin + i) * g.k;
      float* at = sums + part.begin * g.width;
      const TileEnds ends = {at,      g.width, nullptr, k > 0, k + depth < g.k ? nullptr : at,
                             g.width, g.m,     nullptr, -kInf, kInf};
      const RowsTile tile = {pointers, &k, 1, depth, packed + k * g.width, g.width};
      run_rows<false>(part.end - part.begin, g.m, tile, ends);
    }
  }
  turn([&](int64_t i) { return sums + i * g.width; }, n, g.m, y + rows.begin, g.n);
}

}  // namespace
}  // namespace striate
