// Updates of a matrix by the product of two thin ones: a block of the gradient at a time. See optimizer.h.
#pragma once

#include "base/operands.h"
#include "kernels/gemm/pack.h"
#include "kernels/optimizer/rules.h"

namespace striate {
namespace {

// Columns of a block: rows of w come in runs of 2 KiB, and 14 rows of gradient (28 KiB) stay in a first-level cache.
constexpr int64_t kChunkPanels = 512 / kPanel;
constexpr int64_t kChunk = kChunkPanels * kPanel;
constexpr int64_t kLineFloats = 16;  // a cache line

struct DenseUpdate {
  Update update;
  Gemm gemm;  // of the gradient: M x N, over the rows
  int64_t chunks;
  bool decays;

  int64_t pieces() const { return gemm.row_blocks * chunks; }
};

// The scratch of a thread.
struct DenseScratch {
  float g[kTileRows * kChunk];
  float a[kTileRows * kDepth];  // a packed tile of x
  float w[kChunk];              // a row of w that has decayed
};

// Two loops that are not inlined: in one, the compiler would make a fused multiply-add of them.
__attribute__((noinline)) void scale_span(const float* x, float by, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * by;
}
__attribute__((noinline)) void subtract_span(const float* a, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] - y[i];
}

template <int Results>
void pack_dense_update(const StepArgs& args, int64_t piece, unsigned char*) {
  const Gemm& g = args.as<DenseUpdate>().gemm;
  pack_piece(g, args.ptr<const float>(Results), args.ptr<const float>(Results + 1), piece, packed_at(g, args.scratch));
}

template <typename Rule>
void dense_update_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  constexpr int kResults = Rule::kResults, kFirstScalar = kResults + 2;
  const DenseUpdate& u = args.as<DenseUpdate>();
  const Gemm& g = u.gemm;
  const float *x = args.ptr<const float>(kResults), *scalars[Rule::kScalars];
  for (int i = 0; i < Rule::kScalars; ++i) scalars[i] = args.ptr<const float>(kFirstScalar + i);
  const int first_result = kFirstScalar + Rule::kScalars + u.decays;
  const float decay = u.decays ? *args.ptr<const float>(kFirstScalar + Rule::kScalars) : 0.0f;
  const Rule rule(u.update, scalars);
  const float* packed = packed_at(g, args.scratch).b;
  DenseScratch& s = *reinterpret_cast<DenseScratch*>(thread_scratch);
  const Part rows = part_of(g.m, g.row_blocks, piece % g.row_blocks);
  const Part panels = part_of(g.panels, u.chunks, piece / g.row_blocks);
  const int64_t col = panels.begin * kPanel, n = min64(panels.end * kPanel, g.n) - col;
  const int64_t tiles = tiles_of(rows.end - rows.begin);
  for (int64_t t = 0; t < tiles; ++t) {
    const Part part = part_of(rows.end - rows.begin, tiles, t);
    const int64_t first = rows.begin + part.begin, height = part.end - part.begin;
    for (int64_t k = 0; k == 0 || k < g.k; k += kDepth) {
      const int64_t depth = min64(kDepth, g.k - k);
      const bool last = k + depth >= g.k;
      pack_rows(g, x, {first, first + height}, {k, k + depth}, depth, k, s.a);
      for (int64_t p = panels.begin; p < panels.end; ++p) {
        const int64_t at = p * kPanel - col;
        if (last) {  // w and slots come from memory while the product is formed
          for (int64_t i = 0; i < height; ++i)
            for (int r = 0; r < kResults; ++r)
              for (int64_t j = 0; j < kPanel; j += kLineFloats)
                __builtin_prefetch(args.ptr<const float>(r) + (first + i) * g.n + col + at + j, 1);
        }
        float* sums = s.g + at;
        const TileEnds ends = {sums,    kChunk, nullptr, k > 0, last ? sums : nullptr, kChunk, min64(kPanel, n - at),
                               nullptr, -kInf,  kInf};
        run_packed(height, ends.n, PackedTile{s.a, depth, packed + (p * g.k + k) * kPanel, kPanel}, ends);
      }
    }
    for (int64_t i = 0; i < height; ++i) {
      const int64_t at = (first + i) * g.n + col;
      const float* in[kResults + 1];
      float* out[kResults];
      for (int r = 0; r < kResults; ++r) {
        in[r] = args.ptr<const float>(r) + at;
        out[r] = args.ptr<float>(first_result + r) + at;
      }
      in[kResults] = s.g + i * kChunk;
      if (u.decays) {
        scale_span(in[0], decay, s.w, n);
        subtract_span(in[0], s.w, n);
        in[0] = s.w;
      }
      update_span(rule, in, out, n);
    }
  }
}

template <typename Rule>
const char* plan_dense_update(const StepSpec& spec, int n_ints, int n_floats, const Update& u, double flops,
                              StepPlan* plan) {
  constexpr int kResults = Rule::kResults, kInputs = kResults + 2 + Rule::kScalars;
  DenseUpdate p = {};
  p.decays = spec.n_inputs == kInputs + 1;
  if (const char* why = check_floats(spec, kInputs + p.decays, kResults, n_ints, n_floats)) return why;
  const Operand &w = spec.in(0), &x = spec.in(kResults), &dy = spec.in(kResults + 1);
  if (x.rank != 2 || dy.rank != 2 || x.dims[0] != dy.dims[0]) return "takes x (rows, M) and dy (rows, N)";
  if (w.rank < 1 || w.dims[w.rank - 1] != dy.dims[1] || w.size != x.dims[1] * dy.dims[1])
    return "takes a w of M N numbers in rows of N";
  for (int i = 0; i < spec.n_inputs + spec.n_outputs; ++i) {
    const bool scalar = i >= kResults + 2 && i < spec.n_inputs, like_w = i < kResults || i >= spec.n_inputs;
    if (scalar && spec.operands[i].size != 1) return "takes scalars";
    if (like_w && spec.operands[i].size != w.size) return "the tensors' sizes differ";
  }
  p.update = u;
  Gemm& g = p.gemm;
  g.m = x.dims[1];
  g.n = dy.dims[1];
  g.k = x.dims[0];
  g.a.step = g.m;
  g.ldb = g.n;
  g.a_transposed = true;
  g.pack_a = PackA::kNo;  // a tile at a time, by who needs it
  g.pack_b = PackB::kBefore;
  g.row_blocks = (g.m + kBlockRows - 1) / kBlockRows;
  g.panels = panels_of(g.n);
  p.chunks = (g.panels + kChunkPanels - 1) / kChunkPanels;
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(packed_floats(g));
  plan->thread_scratch_bytes = sizeof(DenseScratch);
  plan->flops = (flops + 2.0 * static_cast<double>(g.k)) * static_cast<double>(w.size);
  if (pack_pieces(g) > 0) plan->add_phase(pack_dense_update<kResults>, pack_pieces(g));
  plan->add_phase(dense_update_run<Rule>, p.pieces());
  plan->set_params(p);
  return nullptr;
}

}  // namespace
}  // namespace striate
