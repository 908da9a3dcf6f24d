// matmul and dense. The contract is in gemm.h, the blocking in blocked.h.
#pragma once

#include "kernels/gemm/blocked.h"
#include "kernels/gemm/turned.h"

namespace striate {
namespace {

constexpr const char* kOnlyFloat = "takes float32 only";

inline bool all_float(const StepSpec& s) {
  for (int i = 0; i < s.n_inputs + s.n_outputs; ++i)
    if (s.operands[i].dtype != DType::kF32) return false;
  return true;
}

// ---- dense(x (..., K), w (K, N)[, b (N)]) -> (..., N)
inline void dense_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Gemm& g = args.as<Gemm>();
  pack_piece(g, args.ptr<const float>(0), args.ptr<const float>(1), piece, packed_at(g, args.scratch));
}

template <int Inputs>  // 2, or 3 with a bias
inline void dense_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Gemm& g = args.as<Gemm>();
  gemm_piece(g, args.ptr<const float>(0), args.ptr<const float>(1), Inputs == 3 ? args.ptr<const float>(2) : nullptr,
             args.ptr<float>(Inputs), packed_at(g, args.scratch), piece, thread_scratch);
}

inline const char* dense(const StepSpec& spec, StepPlan* plan) {
  if ((spec.n_inputs != 2 && spec.n_inputs != 3) || spec.n_outputs != 1) return "takes x, w and an optional bias";
  if (spec.n_ints != 1 || spec.n_floats != 1 || spec.ints[0] < 0 || spec.ints[0] >= kActs) return "unknown attributes";
  if (!all_float(spec)) return kOnlyFloat;
  const Operand &x = spec.in(0), &w = spec.in(1), &y = spec.out(0);
  if (x.rank < 1 || w.rank != 2 || y.rank != x.rank) return "takes x (..., K) and w (K, N)";
  Gemm g = {};
  g.k = w.dims[0];
  g.n = w.dims[1];
  g.m = 1;
  for (int i = 0; i + 1 < x.rank; ++i) {
    if (x.dims[i] != y.dims[i]) return "the result's shape does not fit the inputs'";
    g.m *= x.dims[i];
  }
  if (x.dims[x.rank - 1] != g.k || y.dims[y.rank - 1] != g.n) return "the result's shape does not fit the inputs'";
  if (spec.n_inputs == 3 && (spec.in(2).rank != 1 || spec.in(2).dims[0] != g.n)) return "takes a bias of shape (N,)";
  g.a.step = g.k;
  g.ldb = g.c.step = g.n;
  g.epilogue = make_epilogue(spec.ints[0], spec.floats[0]);
  layout_gemm(&g, 1);
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(packed_floats(g));
  if (pack_pieces(g) > 0) plan->add_phase(dense_pack, pack_pieces(g));
  plan->add_phase(spec.n_inputs == 3 ? dense_run<3> : dense_run<2>, g.pieces());
  plan->thread_scratch_bytes = gemm_scratch_bytes(g);
  plan->flops = 2.0 * static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  plan->set_params(g);
  return nullptr;
}

// ---- matmul(a (..., M, K), b (..., K, N)) -> (..., M, N); leading axes broadcast
struct Matmul {
  Gemm gemm;
  int64_t batches, b_matrices;
  int32_t axes;                                                // leading axes of the result
  int64_t dims[kMaxRank], a_step[kMaxRank], b_step[kMaxRank];  // in matrices; 0 where broadcast
};

inline void matmul_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Matmul& p = args.as<Matmul>();
  const Gemm& g = p.gemm;
  const int64_t each = pack_pieces(g), matrix = piece / each;
  Packed packed = packed_at(g, args.scratch);
  packed.b += matrix * packed_b_floats(g);  // A is packed before where there is one matrix only
  pack_piece(g, args.ptr<const float>(0), args.ptr<const float>(1) + matrix * g.n * g.k, piece % each, packed);
}

inline void matmul_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Matmul& p = args.as<Matmul>();
  const Gemm& g = p.gemm;
  const int64_t batch = piece / g.pieces();
  int64_t rest = batch, a = 0, b = 0;
  for (int i = p.axes - 1; i >= 0; --i) {
    a += rest % p.dims[i] * p.a_step[i];
    b += rest % p.dims[i] * p.b_step[i];
    rest /= p.dims[i];
  }
  Packed packed = packed_at(g, args.scratch);
  packed.b += b * packed_b_floats(g);
  const int64_t a_size = p.batches == 1 ? 0 : g.m * g.k;
  gemm_piece(g, args.ptr<const float>(0) + a * a_size, args.ptr<const float>(1) + b * g.k * g.n, nullptr,
             args.ptr<float>(2) + batch * g.m * g.n, packed, piece % g.pieces(), thread_scratch);
}

inline void turned_pack_run(const StepArgs& args, int64_t piece, unsigned char*) {
  turned_pack(args.as<Turned>(), args.ptr<const float>(0), piece, reinterpret_cast<float*>(args.scratch));
}

inline void turned_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  turned_piece(args.as<Turned>(), args.ptr<const float>(1), reinterpret_cast<const float*>(args.scratch),
               args.ptr<float>(2), piece, thread_scratch);
}

inline const char* matmul(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 2 || spec.n_outputs != 1 || spec.n_ints != 2) return "takes two inputs";
  if (!all_float(spec)) return kOnlyFloat;
  const Operand &a = spec.in(0), &b = spec.in(1), &y = spec.out(0);
  if (a.rank < 2 || b.rank < 2) return "takes ranks of 2 and more";
  const bool ta = spec.ints[0] != 0, tb = spec.ints[1] != 0;
  Matmul p = {};
  Gemm& g = p.gemm;
  g.m = a.dims[a.rank - (ta ? 1 : 2)];
  g.k = a.dims[a.rank - (ta ? 2 : 1)];
  g.n = b.dims[b.rank - (tb ? 2 : 1)];
  if (b.dims[b.rank - (tb ? 1 : 2)] != g.k) return "the inputs' inner sizes differ";
  const int rank = a.rank > b.rank ? a.rank : b.rank;
  if (y.rank != rank || y.dims[rank - 2] != g.m || y.dims[rank - 1] != g.n) return "the result's shape does not fit";
  p.axes = rank - 2;
  p.batches = p.b_matrices = 1;
  int64_t a_matrices = 1;
  for (int i = p.axes - 1; i >= 0; --i) {
    const int ia = i - (rank - a.rank), ib = i - (rank - b.rank);
    const int64_t da = ia >= 0 ? a.dims[ia] : 1, db = ib >= 0 ? b.dims[ib] : 1;
    const int64_t d = da == 1 ? db : da;
    if ((db != 1 && db != d) || y.dims[i] != d) return "the leading axes do not broadcast to the result's";
    p.dims[i] = d;
    p.a_step[i] = da == 1 ? 0 : a_matrices;
    p.b_step[i] = db == 1 ? 0 : p.b_matrices;
    p.batches *= d;
    a_matrices *= da;
    p.b_matrices *= db;
  }
  if (!ta && p.b_matrices == 1 && a_matrices == p.batches) {  // one B: the batches are but more rows
    g.m *= p.batches;
    p.batches = 1;
    p.axes = 0;
  }
  g.a.step = ta ? g.m : g.k;
  g.ldb = tb ? g.k : g.n;
  g.c.step = g.n;
  g.a_transposed = ta;
  g.b_transposed = tb;
  g.epilogue = make_epilogue(0, 0);
  plan->flops = 2.0 * static_cast<double>(y.size) * static_cast<double>(g.k);
  if (p.batches == 1 && turns(g)) {
    const Turned turned = make_turned(g);
    plan->scratch_bytes = sizeof(float) * static_cast<size_t>(turned_packed_floats(turned));
    plan->thread_scratch_bytes = turned_scratch_bytes();
    plan->add_phase(turned_pack_run, turned_pack_pieces(turned));
    plan->add_phase(turned_run, turned.blocks);
    plan->set_params(turned);
    return nullptr;
  }
  layout_gemm(&g, p.batches);
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(packed_floats(g) + (p.b_matrices - 1) * packed_b_floats(g));
  if (pack_pieces(g) > 0) plan->add_phase(matmul_pack, p.b_matrices * pack_pieces(g));
  plan->add_phase(matmul_run, p.batches * g.pieces());
  plan->thread_scratch_bytes = gemm_scratch_bytes(g);
  plan->set_params(p);
  return nullptr;
}

}  // namespace
}  // namespace striate
