// A whole product from tiles: a block of rows by a group of panels, k in blocks of kDepth.
#pragma once

#include "kernels/gemm/tile.h"

namespace striate {
namespace {

// Rows of a block: 112 at AVX-512. Its share of A (kDepth deep, 112 KiB) stays in the second-level cache while the
// panels go by, and a panel in the first while its tiles do.
constexpr int64_t kBlockRows = 8 * kTileRows;
constexpr int64_t kGroupPanels = 8;    // panels of a piece at most: their sums are another 112 KiB
constexpr int64_t kWantedPieces = 32;  // pieces to split into where the work allows it: feeds 16 threads evenly
// B is read where it lies while its uses are few, since packing touches it once more: for up to 16 tiles of rows, or 4
// where B's rows lie so far apart that they share cache sets. Changes no bit.
[[maybe_unused]] inline bool worth_packing(int64_t rows, int64_t ldb) {
  return rows > (ldb < 512 ? 16 : 4) * kTileRows;
}
// For one or two rows, a tile this wide keeps enough sums going and reads B in long runs.
constexpr int kWideVectors = kTileRows >= 12 ? 8 : 4;
constexpr int64_t kWideRows = 2;

struct Gemm {
  int64_t m, n, k;
  int64_t lda;  // A[i][k] is a[i * lda + k], or a[k * lda + i] where a_transposed
  int64_t ldb;  // B as it lies, where !packed: B[k][j] is b[k * ldb + j]
  int64_t ldc;
  bool a_transposed, packed;
  bool copy_a;  // rows lie a multiple of a page apart and would share a cache set: copy blocks of A
  Epilogue epilogue;
  int64_t row_blocks, panels, groups;
};

// Rows further apart than this evict each other: 14 lines of one 12-way set.
[[maybe_unused]] inline bool rows_collide(int64_t stride) { return stride >= 512 && stride % 512 == 0; }

[[maybe_unused]] inline void layout_gemm(Gemm* g, int64_t batches) {
  g->row_blocks = (g->m + kBlockRows - 1) / kBlockRows;
  g->panels = panels_of(g->n);
  const int64_t per_piece = g->panels * g->row_blocks * batches / kWantedPieces;
  const int64_t least = g->m <= kWideRows ? 4 : 1;
  const int64_t panels_a_piece = min64(max64(per_piece, least), kGroupPanels);
  g->groups = (g->panels + panels_a_piece - 1) / panels_a_piece;
  g->copy_a = !g->a_transposed && rows_collide(g->lda) && g->m > 4 && panels_a_piece >= 4;
}

constexpr int64_t kCopyStride = kDepth + kLanes;  // floats: successive rows start in different cache sets

// Layout of the scratch of a thread.
struct GemmScratch {
  float* sums;  // [panel of the group][row of the block][kPanel]
  float* a;     // [row][kCopyStride]
  float* b;     // [kDepth][kPanel], for a last panel that is not packed
  Step* steps;  // [kDepth + kStepsAhead]
};
constexpr size_t kGemmScratchBytes =
    sizeof(float) * (kGroupPanels * kBlockRows * kPanel + kBlockRows * kCopyStride + kDepth * kPanel) +
    sizeof(Step) * (kDepth + kStepsAhead);
[[maybe_unused]] inline GemmScratch gemm_scratch(unsigned char* bytes) {
  GemmScratch s;
  s.sums = reinterpret_cast<float*>(bytes);
  s.a = s.sums + kGroupPanels * kBlockRows * kPanel;
  s.b = s.a + kBlockRows * kCopyStride;
  s.steps = reinterpret_cast<Step*>(s.b + kDepth * kPanel);
  return s;
}

template <int M>
inline void wide_columns(const Gemm& g, const float* a, const float* b, const float* bias, float* c, int64_t* j,
                         int64_t end) {
  constexpr int64_t kWide = kWideVectors * kLanes;
  const float* rows[M];
  for (int m = 0; m < M; ++m) rows[m] = a + m * g.lda;
  const int64_t zero = 0;
  for (; *j + kWide <= end; *j += kWide) {
    const RowsTile tile = {rows, &zero, 1, g.k, b + *j, g.ldb};
    const TileEnds ends = {
        nullptr, 0, nullptr, false, c + *j, g.ldc, kWide, bias ? bias + *j : nullptr, g.epilogue.lo, g.epilogue.hi};
    rows_tile<M, kWideVectors>(tile, ends);
    if (!g.epilogue.is_clamp()) activate(c + *j, M, g.ldc, kWide, g.epilogue);
  }
}

// C's rows [rows) by the panels [panels). `b` is packed or not, as g says.
[[maybe_unused]] inline void gemm_block(const Gemm& g, const float* a, const float* b, const float* bias, float* c,
                                        Part rows, Part panels, unsigned char* scratch) {
  const GemmScratch s = gemm_scratch(scratch);
  const int64_t m = rows.end - rows.begin;
  if (!g.packed && !g.a_transposed && g.m <= kWideRows) {
    int64_t j = panels.begin * kPanel;
    const int64_t end = min64(panels.end * kPanel, g.n);
    if (g.m == 1) wide_columns<1>(g, a, b, bias, c, &j, end);
    if (g.m == 2) wide_columns<2>(g, a, b, bias, c, &j, end);
    panels.begin = j / kPanel;  // a wide tile is whole panels
    if (panels.begin >= panels.end) return;
  }
  const int64_t tiles = tiles_of(m);
  for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += kDepth) {
    const int64_t depth = min64(kDepth, g.k - k0);
    const bool last = k0 + depth >= g.k;
    if (g.copy_a) {
      for (int64_t i = 0; i < m; ++i)
        std::memcpy(s.a + i * kCopyStride, a + (rows.begin + i) * g.lda + k0, static_cast<size_t>(depth) * 4);
    }
    for (int64_t p = panels.begin; p < panels.end; ++p) {
      const int64_t n = min64(kPanel, g.n - p * kPanel);
      const float* panel = b + (p * g.k + k0) * kPanel;
      int64_t b_stride = kPanel;
      if (!g.packed) {
        panel = b + k0 * g.ldb + p * kPanel;
        b_stride = g.ldb;
        if (n < kPanel) {
          pack_panel(panel, g.ldb, depth, n, s.b);
          panel = s.b;
          b_stride = kPanel;
        }
      }
      if (g.a_transposed) {
        for (int64_t i = 0; i < depth; ++i) s.steps[i] = {a + (k0 + i) * g.lda, panel + i * b_stride};
        end_steps(s.steps, depth);
      }
      float* sums = s.sums + (p - panels.begin) * kBlockRows * kPanel;
      for (int64_t t = 0; t < tiles; ++t) {
        const Part part = part_of(m, tiles, t);
        const int64_t height = part.end - part.begin, row = rows.begin + part.begin;
        float* y = c + row * g.ldc + p * kPanel;
        TileEnds ends = {
            sums + part.begin * kPanel,         kPanel,        nullptr,      k0 > 0, last ? y : nullptr, g.ldc, n,
            bias ? bias + p * kPanel : nullptr, g.epilogue.lo, g.epilogue.hi};
        if (g.a_transposed) {
          run_steps(height, n, StepsTile{s.steps, depth, row, 0}, ends);
        } else {
          const float* pointers[kTileRows];
          for (int64_t i = 0; i < height; ++i)
            pointers[i] = g.copy_a ? s.a + (part.begin + i) * kCopyStride - k0 : a + (row + i) * g.lda;
          run_rows(height, n, RowsTile{pointers, &k0, 1, depth, panel, b_stride}, ends);
        }
        if (last && !g.epilogue.is_clamp()) activate(y, height, g.ldc, n, g.epilogue);
      }
    }
  }
}

// Stores a finished block of sums, [row][kPanel]: y = act(sum + bias), n columns of it.
[[maybe_unused]] inline void finish_rows(const float* sums, int64_t rows, float* y, int64_t y_stride, int64_t n,
                                         const float* bias, const Epilogue& e) {
  for (int64_t v = 0; v < n; v += kLanes) {
    const int cols = static_cast<int>(min64(n - v, kLanes));
    const Vf b = bias ? load_n(bias + v, cols) : Vf{};
    if (cols == kLanes) {
      for (int64_t i = 0; i < rows; ++i)
        store(y + i * y_stride + v, clamp(load(sums + i * kPanel + v) + b, e.lo, e.hi));
    } else {
      for (int64_t i = 0; i < rows; ++i)
        store_n(y + i * y_stride + v, clamp(load(sums + i * kPanel + v) + b, e.lo, e.hi), cols);
    }
  }
  if (!e.is_clamp()) activate(y, rows, y_stride, n, e);
}

// Packing B takes one piece a panel and kPackRows of k.
constexpr int64_t kPackRows = 1024;
[[maybe_unused]] inline int64_t pack_pieces(int64_t n, int64_t k) {
  return panels_of(n) * ((k + kPackRows - 1) / kPackRows);
}
[[maybe_unused]] inline void pack_piece(const float* b, int64_t ldb, bool transposed, int64_t n, int64_t k,
                                        int64_t piece, float* packed) {
  const int64_t blocks = (k + kPackRows - 1) / kPackRows;
  const int64_t p = piece / blocks, k0 = (piece % blocks) * kPackRows;
  const int64_t depth = min64(kPackRows, k - k0), cols = min64(kPanel, n - p * kPanel);
  float* to = packed + (p * k + k0) * kPanel;
  if (transposed) {
    pack_panel_transposed(b + p * kPanel * ldb + k0, ldb, depth, cols, to);
  } else {
    pack_panel(b + k0 * ldb + p * kPanel, ldb, depth, cols, to);
  }
}

}  // namespace
}  // namespace striate
