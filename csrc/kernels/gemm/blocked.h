// One piece of a product: a block of rows by a group of panels, k in blocks.
#pragma once

#include "kernels/gemm/pack.h"

namespace striate {
namespace {

// A B of this size is taken to lie in the second-level cache: asking for it early costs a tenth there.
constexpr int64_t kNearFloats = 256 * 1024;

// The scratch of a thread; what the product does not need has no room.
struct GemmScratch {
  float* sums;    // [panel of the group][row of the block][kPanel]
  float* a;       // [tile][term][row of the tile]
  float* b;       // [kPackPanels][kDepth][kPanel], or a last panel
  Step* steps;    // [kDepth + kStepsAhead]
  float* normed;  // [row][term], or [term][row] of a transposed A: where it is normalised, but not packed
};
[[maybe_unused]] inline size_t gemm_scratch(const Gemm& g, unsigned char* bytes, GemmScratch* s) {
  size_t at = 0;
  const auto take = [&](bool wanted, int64_t n) {
    const size_t here = at;
    if (wanted) at += static_cast<size_t>(n) * sizeof(float);
    return reinterpret_cast<float*>(reinterpret_cast<uintptr_t>(bytes) + here);  // bytes may be null
  };
  const int64_t rows = (g.m + max64(g.row_blocks, 1) - 1) / max64(g.row_blocks, 1);
  const int64_t panels = (g.panels + max64(g.groups, 1) - 1) / max64(g.groups, 1);
  s->sums = take(g.k > g.longest() || !g.c.even() || g.streamed(), panels * rows * kPanel);
  s->b = take(g.pack_b != PackB::kBefore, (g.pack_b == PackB::kBlocks ? kPackPanels : 1) * kDepth * kPanel);
  s->steps = reinterpret_cast<Step*>(take(g.a_transposed && g.pack_a == PackA::kNo,
                                          (kDepth + kStepsAhead) * static_cast<int64_t>(sizeof(Step) / sizeof(float))));
  s->a = take(g.pack_a == PackA::kBlocks, rows * g.longest());
  s->normed = take(g.normed && g.pack_a == PackA::kNo, rows * min64(g.k, g.longest()));
  return at;
}
[[maybe_unused]] inline size_t gemm_scratch_bytes(const Gemm& g) {
  GemmScratch s;
  return gemm_scratch(g, nullptr, &s);
}

template <int M>
inline void wide_columns(const Gemm& g, const float* a, const float* b, const float* bias, float* c, int64_t* j,
                         int64_t end) {
  constexpr int64_t kWide = kWideVectors * kLanes;
  const float* rows[M];
  for (int m = 0; m < M; ++m) rows[m] = a + g.a.at(m);
  const int64_t zero = 0;
  for (; *j + kWide <= end; *j += kWide) {
    const RowsTile tile = {rows, &zero, 1, g.k, b + *j, g.ldb};
    const TileEnds ends = {
        nullptr, 0, nullptr, false, c + *j, g.c.step, kWide, bias ? bias + *j : nullptr, g.epilogue.lo, g.epilogue.hi};
    rows_tile<M, kWideVectors, false>(tile, ends);
    if (!g.epilogue.is_clamp()) activate(c + *j, M, g.c.step, kWide, g.epilogue);
  }
}

// Whole vectors of columns from `col` on, of one or two rows; sums stay in the first-level cache.
template <int M>
inline void streamed_columns(const Gemm& g, const float* a, const float* b, const float* bias, float* c, int64_t col,
                             int64_t vectors, float* sums) {
  const float* x[M];
  for (int m = 0; m < M; ++m) x[m] = a + g.a.at(m);
  b += col;
  for (int64_t k = 0; k < g.k; k += kStreamedRows, b += kStreamedRows * g.ldb) {
    const int64_t rows = min64(kStreamedRows, g.k - k);
    const bool whole = rows == kStreamedRows;
    for (int64_t v = 0; v < vectors; ++v) {
      const float* from = b + v * kLanes;
      Vf acc[M];
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) acc[m] = k > 0 ? load(sums + (v * M + m) * kLanes) : Vf{};
      if (whole) {
        STRIATE_UNROLL
        for (int i = 0; i < kStreamedRows; ++i) {
          const Vf w = load(from + i * g.ldb);
          STRIATE_UNROLL
          for (int m = 0; m < M; ++m) acc[m] += splat(x[m][k + i]) * w;
        }
      } else {
        for (int64_t i = 0; i < rows; ++i) {
          const Vf w = load(from + i * g.ldb);
          STRIATE_UNROLL
          for (int m = 0; m < M; ++m) acc[m] += splat(x[m][k + i]) * w;
        }
      }
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) store(sums + (v * M + m) * kLanes, acc[m]);
    }
  }
  for (int m = 0; m < M; ++m) {
    float* y = c + m * g.c.step + col;
    for (int64_t v = 0; v < vectors; ++v) {
      const Vf sum = load(sums + (v * M + m) * kLanes) + (bias ? load(bias + col + v * kLanes) : Vf{});
      store(y + v * kLanes, clamp(sum, g.epilogue.lo, g.epilogue.hi));
    }
    if (!g.epilogue.is_clamp()) activate(y, 1, g.c.step, vectors * kLanes, g.epilogue);
  }
}

// Sums of a piece, [panel][row][kPanel], to their pixels, and zeros to the pixels that are no row's: those to the right
// and below, up to the next row's.
[[maybe_unused]] inline void spread_rows(const Gemm& g, const float* sums, Part rows, Part panels, float* c) {
  const Rows& to = g.c;
  const int64_t col = panels.begin * kPanel, n = min64(panels.end * kPanel, g.n) - col, m = rows.end - rows.begin;
  for (int64_t i = rows.begin; i < rows.end; ++i, sums += kPanel) {
    float* pixel = c + to.at(i) + col;
    for (int64_t j = 0; j < n; j += kPanel)
      std::memcpy(pixel + j, sums + j * m, static_cast<size_t>(min64(kPanel, n - j)) * sizeof(float));
    const int64_t x = i % to.width, y = i / to.width % to.height;
    const int64_t right = x + 1 < to.width ? to.stride_w : to.image_w - x * to.stride_w;
    const int64_t below = y + 1 < to.height ? to.stride_h : to.image_h - y * to.stride_h;
    for (int64_t v = 0; v < below; ++v)
      for (int64_t u = v == 0; u < right; ++u)
        std::memset(pixel + (v * to.image_w + u) * to.channels, 0, static_cast<size_t>(n) * sizeof(float));
  }
}

// Terms `k` of a block of rows, normalised, as they lie.
[[maybe_unused]] inline void normalize_block(const Gemm& g, const Normalizer& norm, const float* a, Part rows, Part k,
                                             float* to) {
  const int64_t m = rows.end - rows.begin, depth = k.end - k.begin;
  if (g.a_transposed)
    normalize_rows(norm, [&](int64_t i) { return a + g.a.at(k.begin + i) + rows.begin; }, depth, rows.begin, m, to, m);
  else
    normalize_rows(norm, [&](int64_t i) { return a + g.a.at(rows.begin + i) + k.begin; }, m, k.begin, depth, to, depth);
}

// A block of rows by a group of panels. `norm`: where g.normed.
[[maybe_unused]] inline void gemm_piece(const Gemm& g, const float* a, const float* b, const float* bias, float* c,
                                        const Packed& packed, int64_t piece, unsigned char* scratch,
                                        const Normalizer* norm = nullptr) {
  GemmScratch s;
  gemm_scratch(g, scratch, &s);
  const Part rows = part_of(g.m, g.row_blocks, g.row_block(piece));
  Part panels = part_of(g.panels, g.groups, g.group(piece));
  if (g.pack_b == PackB::kNo && !g.a_transposed && g.m <= kWideRows && g.c.even()) {
    int64_t j = panels.begin * kPanel;
    const int64_t end = min64(panels.end * kPanel, g.n);
    if (g.streamed()) {
      const int64_t whole = (end - j) / kPanel;
      if (g.m == 1) streamed_columns<1>(g, a, b, bias, c, j, whole * 2, s.sums);
      if (g.m == 2) streamed_columns<2>(g, a, b, bias, c, j, whole * 2, s.sums);
      j += whole * kPanel;
    }
    if (g.m == 1) wide_columns<1>(g, a, b, bias, c, &j, end);
    if (g.m == 2) wide_columns<2>(g, a, b, bias, c, &j, end);
    panels.begin = j / kPanel;  // a wide tile is whole panels
    if (panels.begin >= panels.end) return;
  }
  const int64_t m = rows.end - rows.begin, tiles = tiles_of(m);
  const bool a_packed = g.pack_a != PackA::kNo, by_steps = g.a_transposed && !a_packed;
  const int64_t longest = g.longest(), start = 0;
  const bool streaming = g.k * g.n > kNearFloats && (tiles <= 4 || g.pack_b == PackB::kNo);
  for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += longest) {
    const int64_t depth = min64(longest, g.k - k0);
    const bool last = k0 + depth >= g.k;
    if (g.pack_a == PackA::kBlocks) pack_rows(g, a, rows, {k0, k0 + depth}, depth, k0, s.a, norm);
    if (norm != nullptr && !a_packed) normalize_block(g, *norm, a, rows, {k0, k0 + depth}, s.normed);
    for (int64_t p = panels.begin; p < panels.end; ++p) {
      const int64_t n = min64(kPanel, g.n - p * kPanel);
      const float* panel = packed.b + (p * g.k + k0) * kPanel;
      int64_t b_stride = kPanel;
      if (g.pack_b == PackB::kBlocks) {
        const int64_t i = (p - panels.begin) % kPackPanels;
        if (i == 0) pack_columns(g, b, {p, min64(p + kPackPanels, panels.end)}, {k0, k0 + depth}, s.b, kDepth * kPanel);
        panel = s.b + i * kDepth * kPanel;
      } else if (g.pack_b == PackB::kNo) {
        panel = b + k0 * g.ldb + p * kPanel;
        b_stride = g.ldb;
        if (n < kPanel) {
          pack_panel(panel, g.ldb, depth, n, s.b);
          panel = s.b;
          b_stride = kPanel;
        }
      }
      if (by_steps) {
        for (int64_t i = 0; i < depth; ++i)
          s.steps[i] = {norm ? s.normed + i * m : a + g.a.at(k0 + i) + rows.begin, panel + i * b_stride};
        end_steps(s.steps, depth);
      }
      float* sums = s.sums + (p - panels.begin) * m * kPanel;
      for (int64_t t = 0; t < tiles; ++t) {
        const Part part = part_of(m, tiles, t);
        const int64_t height = part.end - part.begin, row = rows.begin + part.begin;
        float* y = last && g.c.even() ? c + row * g.c.step + p * kPanel : nullptr;
        const TileEnds ends = {sums + part.begin * kPanel,         kPanel,        nullptr,      k0 > 0, y, g.c.step, n,
                               bias ? bias + p * kPanel : nullptr, g.epilogue.lo, g.epilogue.hi};
        if (by_steps) {
          run_steps(height, n, StepsTile{s.steps, depth, part.begin, 0}, ends);
        } else if (a_packed) {
          const float* tile =
              g.pack_a == PackA::kBefore ? packed.a + row * g.k + k0 * height : s.a + part.begin * depth;
          run_packed(height, n, PackedTile{tile, depth, panel, b_stride}, ends);
        } else {
          const float* pointers[kTileRows];
          for (int64_t i = 0; i < height; ++i)
            pointers[i] = norm ? s.normed + (part.begin + i) * depth : a + g.a.at(row + i) + k0;
          const RowsTile tile = {pointers, &start, 1, depth, panel, b_stride};
          streaming ? run_rows<true>(height, n, tile, ends) : run_rows<false>(height, n, tile, ends);
        }
        if (y && !g.epilogue.is_clamp()) activate(y, height, g.c.step, n, g.epilogue);
      }
    }
  }
  if (!g.c.even()) spread_rows(g, s.sums, rows, panels, c);
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

}  // namespace
}  // namespace striate
