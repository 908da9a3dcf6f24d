// Packing of a product's operands: a phase before it (pack_piece), and blocks of A on the way (pack_rows).
//
// Packed A: [tile][k][row of the tile]. Packed B: see gemm.h.
#pragma once

#include "base/normalize.h"
#include "kernels/gemm/layout.h"

namespace striate {
namespace {

[[maybe_unused]] STRIATE_INLINE void copy_few(const float* from, int64_t n, float* to) {
  if (n < 4) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
    return;
  }
  for (int64_t i = 0; i < n; i += 4) {
    const int64_t at = min64(i, n - 4);  // the last four overlap those before
    *reinterpret_cast<V4Unaligned*>(to + at) = *reinterpret_cast<const V4Unaligned*>(from + at);
  }
}

// Terms `k` of a block of rows. Tile t goes to `to` + (its first row in the block) * depth, term i to (i - origin)
// times its rows from there. Normalised first where there is a `norm`: terms of a tile, by way of the first-level
// cache.
[[maybe_unused]] inline void pack_rows(const Gemm& g, const float* a, Part rows, Part k, int64_t depth, int64_t origin,
                                       float* to, const Normalizer* norm = nullptr) {
  constexpr int64_t kNormTerms = 128;
  const int64_t m = rows.end - rows.begin, tiles = tiles_of(m);
  if (!g.a_transposed) {
    for (int64_t t = 0; t < tiles; ++t) {
      const Part part = part_of(m, tiles, t);
      const int64_t height = part.end - part.begin;
      const int64_t first = rows.begin + part.begin;
      float* tile = to + part.begin * depth - origin * height;
      const auto row_at = [&](int64_t i) { return a + g.a.at(first + i); };
      if (norm == nullptr) {
        turn([&](int64_t i) { return row_at(i) + k.begin; }, height, k.end - k.begin, tile + k.begin * height, height);
        continue;
      }
      alignas(64) float few[kTileRows * kNormTerms];
      for (int64_t i = k.begin; i < k.end; i += kNormTerms) {
        const int64_t terms = min64(kNormTerms, k.end - i);
        normalize_rows(*norm, [&](int64_t r) { return row_at(r) + i; }, height, i, terms, few, kNormTerms);
        turn([&](int64_t r) { return few + r * kNormTerms; }, height, terms, tile + i * height, height);
      }
    }
    return;
  }
  constexpr int64_t kAhead = 8;  // rows lie far apart: no hardware foresees the next
  for (int64_t i = k.begin; i < k.end; ++i) {
    const float* from = a + g.a.at(i) + rows.begin;
    for (int64_t j = 0; j < m; j += 16) __builtin_prefetch(from + kAhead * g.a.step + j);
    alignas(64) float row[kBlockRows];
    if (norm != nullptr) {
      normalize_tall<1>(*norm, &from, rows.begin, m, row, 0);
      from = row;
    }
    for (int64_t t = 0; t < tiles; ++t) {
      const Part part = part_of(m, tiles, t);
      const int64_t height = part.end - part.begin;
      copy_few(from + part.begin, height, to + part.begin * depth + (i - origin) * height);
    }
  }
}

// Terms `k` of panels of B, `stride` floats from panel to panel.
[[maybe_unused]] inline void pack_columns(const Gemm& g, const float* b, Part panels, Part k, float* to,
                                          int64_t stride) {
  if (!g.b_transposed && panels.end * kPanel <= g.n) {  // whole panels: rows are read in long runs
    for (int64_t i = k.begin; i < k.end; ++i, to += kPanel) {
      const float* from = b + i * g.ldb + panels.begin * kPanel;
      float* at = to;
      for (int64_t p = panels.begin; p < panels.end; ++p, from += kPanel, at += stride) {
        store(at, load(from));
        store(at + kLanes, load(from + kLanes));
      }
    }
    return;
  }
  for (int64_t p = panels.begin; p < panels.end; ++p, to += stride) {
    const int64_t n = min64(kPanel, g.n - p * kPanel);
    if (g.b_transposed) {
      pack_panel_transposed(b + p * kPanel * g.ldb + k.begin, g.ldb, k.end - k.begin, n, to);
    } else {
      pack_panel(b + k.begin * g.ldb + p * kPanel, g.ldb, k.end - k.begin, n, to);
    }
  }
}

// ---- the phase before: a piece is kPackTerms of k by kPackPanels of B, or by a block of A's rows
constexpr int64_t kPackTerms = 128;

// What a step's scratch holds: B, then A, each where it is packed before.
struct Packed {
  float *a, *b;
};
[[maybe_unused]] inline int64_t packed_b_floats(const Gemm& g) {
  return g.pack_b == PackB::kBefore ? g.panels * kPanel * g.k : 0;
}
[[maybe_unused]] inline int64_t packed_floats(const Gemm& g) {
  return packed_b_floats(g) + (g.pack_a == PackA::kBefore ? g.m * g.k : 0);
}
[[maybe_unused]] inline Packed packed_at(const Gemm& g, unsigned char* scratch) {
  float* b = reinterpret_cast<float*>(scratch);
  return {b + packed_b_floats(g), b};
}

[[maybe_unused]] inline int64_t term_pieces(const Gemm& g) { return (g.k + kPackTerms - 1) / kPackTerms; }
[[maybe_unused]] inline int64_t pack_pieces_b(const Gemm& g) {
  return g.pack_b == PackB::kBefore ? term_pieces(g) * ((g.panels + kPackPanels - 1) / kPackPanels) : 0;
}
[[maybe_unused]] inline int64_t pack_pieces(const Gemm& g) {
  return pack_pieces_b(g) + (g.pack_a == PackA::kBefore ? term_pieces(g) * g.row_blocks : 0);
}

[[maybe_unused]] inline void pack_piece(const Gemm& g, const float* a, const float* b, int64_t piece,
                                        const Packed& packed, const Normalizer* norm = nullptr) {
  const int64_t terms = term_pieces(g), of_b = pack_pieces_b(g), k0 = piece % terms * kPackTerms;
  const Part k = {k0, min64(k0 + kPackTerms, g.k)};
  if (piece < of_b) {
    const int64_t first = piece / terms * kPackPanels;
    return pack_columns(g, b, {first, min64(first + kPackPanels, g.panels)}, k,
                        packed.b + (first * g.k + k.begin) * kPanel, g.k * kPanel);
  }
  const Part rows = part_of(g.m, g.row_blocks, (piece - of_b) / terms);
  pack_rows(g, a, rows, k, g.k, 0, packed.a + rows.begin * g.k, norm);
}

}  // namespace
}  // namespace striate
