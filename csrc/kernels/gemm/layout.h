// A whole product's shape, how it is cut into pieces, and what is packed.
#pragma once

#include "kernels/gemm/tile.h"

namespace striate {
namespace {

// A block is 4 to 8 tiles of rows. Its share of A (kLongDepth deep: 224 to 448 KiB at AVX-512) stays in the
// second-level cache while the panels go by; a panel comes from the third once a block.
constexpr int64_t kBlockRows = 8 * kTileRows, kLeastBlockRows = 4 * kTileRows;
// Terms between storing and reloading sums where A and B are packed.
constexpr int64_t kLongDepth = 1024;
constexpr int64_t kPackPanels = 8;      // panels packed at once: rows of B are read in runs of a quarter of a page
constexpr int64_t kGroupPanels = 32;    // panels of a piece at most
constexpr int64_t kProductPieces = 16;  // pieces to split into where the work allows it
constexpr int64_t kWantedPieces = 32;   // the same for convolutions: feeds 16 threads evenly

// For one or two rows, a tile this wide keeps enough sums going and reads B in long runs.
constexpr int kWideVectors = kTileRows >= 12 ? 8 : 4;
constexpr int64_t kWideRows = 2;
constexpr int64_t kSharedFloats = 128 * 1024;  // of B, from where on a second thread is worth its call
// A B beyond the caches: a piece reads its columns row by row, a page and more of each, as the hardware's prefetch
// follows no jumps; in tiles of columns, memory gave half as much.
constexpr int64_t kStreamedFloats = 4 * 1024 * 1024;
constexpr int64_t kStreamedPanels = 32;
constexpr int64_t kStreamedRows = 8;  // of B at a time

// More rows of A: tiles read B where it lies, kTermsAhead rows at a time, and ask for the next ones meanwhile; packing
// it took as long as the product. Sums wait in scratch, 32 KiB for 16 rows. From a second-level cache's size on. (With
// 32 rows of B at a time and half as many columns, memory gave a sixth less: rows 16 KiB apart share sets.)
constexpr int64_t kFewStreamedRows = 32, kFewStreamedFloats = 1024 * 1024;
constexpr int64_t kFewStreamedPanels = 512 / kPanel, kFewStreamedPieces = 8;

// Who packs A, so that a tile reads it in one run: each thread the blocks it works on, where a block meets all of B at
// once; else it is packed before, with B.
enum class PackA { kNo, kBlocks, kBefore };
// B: by blocks where only one block of rows reads it. Not at all while its uses are few and its rows lie close by.
enum class PackB { kNo, kBlocks, kBefore };

// Where the rows of a matrix start, in floats: `step` apart, or at every stride-th pixel of images.
struct Rows {
  int64_t step;
  int64_t width, height;  // pixels taken of a row of an image, and rows taken; width 0: no image
  int64_t stride_h, stride_w, image_h, image_w, channels;

  bool even() const { return width == 0; }
  int64_t at(int64_t i) const {
    if (even()) return i * step;
    const int64_t row = i / width;
    return ((row / height * image_h + row % height * stride_h) * image_w + i % width * stride_w) * channels;
  }
};

struct Gemm {
  int64_t m, n, k;
  Rows a;       // A[i][k] is a[rows.at(i) + k], or a[rows.at(k) + i] where a_transposed
  Rows c;       // uneven ones without epilogue only; see gemm_piece
  int64_t ldb;  // B[k][j] is b[k * ldb + j], or b[j * ldb + k] where b_transposed
  bool a_transposed, b_transposed;
  bool normed;  // A's elements go through a Normalizer as they are read; its channels are k, or rows where a_transposed
  Epilogue epilogue;
  PackA pack_a;
  PackB pack_b;
  int64_t row_blocks, panels, groups;
  bool rows_first;  // pieces in the order of rows, so that a thread's share of them is rows; else of columns

  int64_t pieces() const { return row_blocks * groups; }
  int64_t row_block(int64_t piece) const { return rows_first ? piece / groups : piece % row_blocks; }
  int64_t group(int64_t piece) const { return rows_first ? piece % groups : piece / row_blocks; }
  bool streamed() const {
    return m <= kWideRows && !a_transposed && !b_transposed && c.even() && k * n >= kStreamedFloats;
  }
  bool few_streamed() const {
    return m > kWideRows && m <= kFewStreamedRows && !a_transposed && !b_transposed && c.even() &&
           k * n >= kFewStreamedFloats;
  }
  // Terms between storing and reloading sums. Where B is not packed before, its part has to stay in a thread's caches.
  int64_t longest() const {
    if (few_streamed()) return kTermsAhead;
    return pack_a != PackA::kNo && pack_b == PackB::kBefore ? kLongDepth : kDepth;
  }
};

// Whether the rows of a tile lie in one set of the first-level cache, of which 8 to 12 fit.
[[maybe_unused]] inline bool rows_collide(int64_t stride) {
  return kTileRows > 8 && stride >= 512 && stride % 512 == 0;
}

[[maybe_unused]] inline PackA choose_pack_a(const Gemm& g, int64_t group_panels, int64_t batches) {
  if (g.m <= 40) return PackA::kNo;
  const bool before = g.groups > 1 && batches == 1;
  // At AVX-512, packing a term of a tile takes 6 to 12 cycles; a tile takes 14 a panel, and one or two less with A
  // packed, four where rows collide. Six rows are read just as well where they lie.
  const int64_t worth = kTileRows > 8 ? (g.a_transposed           ? 4
                                         : rows_collide(g.a.step) ? 3
                                                                  : 6)
                                      : (g.a_transposed ? 6 : g.panels + 1);
  if ((before ? g.panels : group_panels) < worth) return PackA::kNo;
  return before ? PackA::kBefore : PackA::kBlocks;
}

[[maybe_unused]] inline PackB choose_pack_b(const Gemm& g, int64_t group_panels) {
  if (g.b_transposed) return g.row_blocks == 1 ? PackB::kBlocks : PackB::kBefore;
  if (g.m <= kWideRows && !g.a_transposed) return PackB::kNo;
  if (g.row_blocks == 1 && group_panels >= kPackPanels) return PackB::kBlocks;
  // Rows of B that lie far apart share cache sets.
  return g.m <= (g.ldb < 512 ? 16 : 4) * kTileRows ? PackB::kNo : PackB::kBefore;
}

// Fills in what follows from the other fields.
[[maybe_unused]] inline void layout_gemm(Gemm* g, int64_t batches) {
  if (g->few_streamed()) {
    g->row_blocks = 1;
    g->panels = panels_of(g->n);
    g->groups = max64((g->panels + kFewStreamedPanels - 1) / kFewStreamedPanels, min64(kFewStreamedPieces, g->panels));
    g->pack_a = PackA::kNo;
    g->pack_b = PackB::kNo;
    return;
  }
  g->row_blocks =
      max64((g->m + kBlockRows - 1) / kBlockRows, min64(kProductPieces / max64(batches, 1), g->m / kLeastBlockRows));
  g->panels = panels_of(g->n);
  const int64_t per_piece = g->panels * g->row_blocks * batches / kProductPieces;
  // One or two rows read B in long runs, but not all of a large B by one thread.
  const int64_t least = g->streamed()                               ? kStreamedPanels
                        : g->m > kWideRows                          ? 1
                        : g->panels * kPanel * g->k < kSharedFloats ? 4
                                                                    : 2;
  const int64_t group_panels = min64(min64(max64(per_piece, least), kGroupPanels), max64(g->panels, 1));
  g->groups = (g->panels + group_panels - 1) / group_panels;
  if (!g->a_transposed && !g->b_transposed) {
    // Few pieces share out unevenly: smaller blocks of rows, but two tiles, as each reads the panels anew.
    const int64_t others = max64(batches * g->groups, 1), wanted = (kProductPieces + others - 1) / others;
    g->row_blocks = max64(g->row_blocks, min64(wanted, tiles_of(g->m) / 2));
    // By rows, a thread reads rows that it wrote itself, and all of B; by columns, its columns of B, and all of A, and
    // so does who reads the result. Lines that the other core has just written come slowest.
    g->rows_first = g->k * g->n <= g->m * (g->k + g->n);
  }
  g->pack_a = choose_pack_a(*g, group_panels, batches);
  g->pack_b = choose_pack_b(*g, group_panels);
}

}  // namespace
}  // namespace striate
