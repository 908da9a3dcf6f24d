// Batch normalisation. The contract is in norm.h; a block's mean and squares are base/moments.h.
#pragma once

#include "kernels/norm/gradient.h"
#include "kernels/norm/norm.h"

namespace striate {
namespace {

// ---- batch_norm_train(x, gamma, beta[, residual]) -> (y, mean, variance)
void train_block(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const Blocks::Place at = p.b.place(piece);
  const int64_t to = at.index * p.padded + at.column;
  block_moments(args.ptr<float>(0) + at.row * p.b.columns + at.column, p.b.columns, at.rows, at.columns,
                {p.sums(args, 0) + to, p.sums(args, 1) + to, p.sums(args, 2) + to});
}
void join_blocks(const StepArgs& args, int64_t piece, float* mean, float* variance) {
  const Norm& p = args.as<Norm>();
  join_moments(
      {p.b.row_blocks, p.padded, p.b.columns}, p.sums(args, 0), piece, [&p](int64_t k) { return p.block_rows(k); },
      mean, variance);
}
void statistics_join(const StepArgs& args, int64_t piece, unsigned char*) {
  join_blocks(args, piece, args.ptr<float>(1), args.ptr<float>(2));
}
void train_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const int results = p.residual ? 4 : 3;
  const float* variance = args.ptr<float>(results + 2);
  join_blocks(args, piece, args.ptr<float>(results + 1), args.ptr<float>(results + 2));
  const int64_t last = smaller(p.b.columns, (piece + 1) * kJoined);
  for (int64_t c = piece * kJoined; c < last; ++c)
    p.channels(args, 0)[c] = args.ptr<float>(1)[c] * inverse_deviation(variance[c], p.epsilon);
}

// y = act(normalized(x)), with the statistics at `mean`, to the result at `y`.
STRIATE_INLINE void apply_map(const StepArgs& args, int64_t piece, int mean, int y) {
  const Norm& p = args.as<Norm>();
  const float lo = p.lo, hi = p.hi;
  const float* x = args.ptr<float>(0);
  const float* constants[3] = {args.ptr<float>(mean), p.channels(args, 0), args.ptr<float>(2)};
  map_norm<1, 3>(p, piece, &x, constants, args.ptr<float>(y),
                 [lo, hi](const Vf* v, const Vf* k) { return clamp(normalized(v[0], k[0], k[1], k[2]), lo, hi); });
}
void train_map(const StepArgs& args, int64_t piece, unsigned char*) { apply_map(args, piece, 4, 3); }
STRIATE_INLINE void apply_add_map(const StepArgs& args, int64_t piece, int residual, int mean, int y) {
  const Norm& p = args.as<Norm>();
  const float lo = p.lo, hi = p.hi;
  const float* in[2] = {args.ptr<float>(0), args.ptr<float>(residual)};
  const float* constants[3] = {args.ptr<float>(mean), p.channels(args, 0), args.ptr<float>(2)};
  map_norm<2, 3>(p, piece, in, constants, args.ptr<float>(y), [lo, hi](const Vf* v, const Vf* k) {
    return clamp(normalized(v[0], k[0], k[1], k[2]) + v[1], lo, hi);
  });
}
void train_add_map(const StepArgs& args, int64_t piece, unsigned char*) { apply_add_map(args, piece, 3, 5, 4); }

// ---- batch_norm_infer(x, gamma, beta, mean, variance[, residual]) -> y
void infer_scale(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const int64_t last = smaller(p.b.columns, (piece + 1) * kJoined);
  for (int64_t c = piece * kJoined; c < last; ++c)
    p.channels(args, 0)[c] = args.ptr<float>(1)[c] * inverse_deviation(args.ptr<float>(4)[c], p.epsilon);
}
void infer_map(const StepArgs& args, int64_t piece, unsigned char*) { apply_map(args, piece, 3, 5); }
void infer_add_map(const StepArgs& args, int64_t piece, unsigned char*) { apply_add_map(args, piece, 5, 3, 6); }

// ---- Preparing. `wholes` are the operands of x's shape, a bit each; the others are (C,).
// `attrs`: 1, or 0 where there is neither epsilon nor activation.
STRIATE_NOINLINE const char* check_norm(const StepSpec& s, int inputs, int outputs, unsigned wholes, Norm* p,
                                        int attrs = 1) {
  if (const char* why = check_floats(s, inputs, outputs, attrs, attrs)) return why;
  const Operand& x = s.in(0);
  if (x.rank < 1) return "takes at least one axis, the channels";
  for (int i = 0; i < inputs + outputs; ++i) {
    const Operand& o = s.operands[i];
    if (wholes >> i & 1u) {
      if (!same_dims(o, x)) return "x, its gradient, the residual and the result differ in shape";
    } else if (o.rank != 1 || o.dims[0] != x.dims[x.rank - 1]) {
      return "takes gamma, beta, mean and variance of shape (C,)";
    }
  }
  if (attrs > 0) {
    if (s.ints[0] < 0 || s.ints[0] > static_cast<int64_t>(Act::kRelu6)) return "takes no activation but relu and relu6";
    const Epilogue e = make_epilogue(s.ints[0], 0.0);
    p->lo = e.lo;
    p->hi = e.hi;
    p->epsilon = static_cast<float>(s.floats[0]);
  }
  const int64_t channels = x.dims[x.rank - 1];
  if (channels == 0) return nullptr;
  p->b = cut(x.size / channels, channels);
  p->b.block_rows = smaller(p->b.block_rows, has_few(channels) ? kMomentRows * kLanes : kMomentRows);
  p->b.row_blocks = ceil_div(p->b.rows, p->b.block_rows);
  p->large = x.size >= kStreamed;
  p->padded = ceil_div(channels, 16) * 16;
  p->map_rows = ceil_div(larger(1, kMapElements / channels), kLanes) * kLanes;
  return nullptr;
}
STRIATE_NOINLINE void lay_out(Norm& p, StepPlan* plan, PhaseFn scale, PhaseFn block, PhaseFn join, PhaseFn map) {
  if (p.b.columns == 0) return;
  if (block == nullptr) p.b.row_blocks = 0;  // nothing is summed
  const int64_t channel_pieces = ceil_div(p.b.columns, kJoined);
  plan->scratch_bytes = static_cast<size_t>((3 * p.b.row_blocks + kMaxChannelArrays) * p.padded) * sizeof(float);
  if (scale != nullptr) plan->add_phase(scale, channel_pieces);
  if (p.b.row_blocks > 0) plan->add_phase(block, p.b.units());
  if (join != nullptr) plan->add_phase(join, channel_pieces);
  if (map != nullptr && p.b.rows > 0) plan->add_phase(map, ceil_div(p.b.rows, p.map_rows));
  plan->set_params(p);
}
const char* batch_norm_train(const StepSpec& s, StepPlan* plan) {
  Norm p = {};
  p.residual = s.n_inputs == 4;
  if (const char* why = check_norm(s, p.residual ? 4 : 3, 3, p.residual ? 0b0011001u : 0b001001u, &p)) return why;
  lay_out(p, plan, nullptr, train_block, train_join, p.residual ? train_add_map : train_map);
  return nullptr;
}
const char* batch_norm_statistics(const StepSpec& s, StepPlan* plan) {
  Norm p = {};
  if (const char* why = check_norm(s, 1, 2, 0b001u, &p, 0)) return why;
  lay_out(p, plan, nullptr, train_block, statistics_join, nullptr);
  return nullptr;
}
const char* batch_norm_train_grad(const StepSpec& s, StepPlan* plan) {
  Norm p = {};
  const bool masked = s.n_inputs == 6;
  if (const char* why = check_norm(s, masked ? 6 : 5, 3, masked ? 0b001000011u : 0b00100011u, &p)) return why;
  if (masked != (s.ints[0] != 0)) return "takes beta where there is an activation, and only there";
  if (s.ints[0] != static_cast<int64_t>(Act::kRelu6)) p.hi = std::nanf("");  // no upper edge: no y is at or above it
  if (masked)
    lay_out(p, plan, grad_scale, grad_block<true>, masked_join, masked_map);
  else
    lay_out(p, plan, nullptr, grad_block<false>, plain_join, plain_map);
  return nullptr;
}
const char* batch_norm_infer(const StepSpec& s, StepPlan* plan) {
  Norm p = {};
  p.residual = s.n_inputs == 6;
  if (const char* why = check_norm(s, p.residual ? 6 : 5, 1, p.residual ? 0b1100001u : 0b100001u, &p)) return why;
  lay_out(p, plan, infer_scale, nullptr, nullptr, p.residual ? infer_add_map : infer_map);
  return nullptr;
}

}  // namespace
}  // namespace striate
