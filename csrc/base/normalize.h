// Batch normalisation of an element, and for kernels that read the result of one that is not written: they apply
// batch_norm_infer's arithmetic, in its order, as they read, so that the bits are those they would have read. Never x *
// scale + shift: at mean 1e4 and deviation 1 the difference of the two would leave three digits.
#pragma once

#include <cmath>

#include "base/conv.h"
#include "base/operands.h"

namespace striate {
namespace {

STRIATE_NOINLINE float inverse_deviation(float variance, float epsilon) {
  return static_cast<float>(1.0 / ::sqrt(static_cast<double>(variance) + static_cast<double>(epsilon)));
}

// (x - mean) (gamma r) + beta, before residual and activation: forward and gradient have the same bits.
STRIATE_VFN normalized(Vf x, Vf mean, Vf scale, Vf beta) { return (x - mean) * scale + beta; }

// What elements go through as they are read, by channels.
struct Normalizer {
  const float *mean, *scale, *beta;  // scale: gamma / sqrt(variance + epsilon)
  float lo, hi;                      // the activation as a clamp
};

// One vector of each of kTall rows, whose channels' constants are read once. `ahead`, in floats: what is asked for
// early.
template <int kTall>
STRIATE_INLINE void normalize_vectors(const Normalizer& n, const float* const* rows, int64_t at, int64_t channel,
                                      float* to, int64_t stride, int64_t ahead, int lanes) {
  const Vf mean = load_n(n.mean + channel, lanes), scale = load_n(n.scale + channel, lanes);
  const Vf beta = load_n(n.beta + channel, lanes);
  STRIATE_UNROLL
  for (int r = 0; r < kTall; ++r) __builtin_prefetch(rows[r] + at + ahead);
  STRIATE_UNROLL
  for (int r = 0; r < kTall; ++r)
    store_n(to + r * stride, clamp(normalized(load_n(rows[r] + at, lanes), mean, scale, beta), n.lo, n.hi), lanes);
}
template <int kTall>
STRIATE_INLINE void normalize_tall(const Normalizer& n, const float* const* rows, int64_t first, int64_t channels,
                                   float* to, int64_t stride, int64_t ahead = 0) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes)
    normalize_vectors<kTall>(n, rows, c, first + c, to + c, stride, ahead, kLanes);
  if (c < channels)
    normalize_vectors<kTall>(n, rows, c, first + c, to + c, stride, ahead, static_cast<int>(channels - c));
}

// to[r * stride + c] = act(normalised row_at(r)[c]), channels [first, first + channels): row_at(r) is where they start.
template <typename RowAt>
STRIATE_INLINE void normalize_rows(const Normalizer& n, RowAt row_at, int64_t rows, int64_t first, int64_t channels,
                                   float* to, int64_t stride, int64_t ahead = 0) {
  constexpr int kTall = 4;
  int64_t r = 0;
  for (; r + kTall <= rows; r += kTall) {
    const float* four[kTall];
    for (int i = 0; i < kTall; ++i) four[i] = row_at(r + i);
    normalize_tall<kTall>(n, four, first, channels, to + r * stride, stride, ahead);
  }
  for (; r < rows; ++r) {
    const float* one = row_at(r);
    normalize_tall<1>(n, &one, first, channels, to + r * stride, stride, ahead);
  }
}

// ---- Steps whose x is such a result: after the inputs of the convolution come gamma, beta, mean and variance, after
// its attributes epsilon and the activation.
constexpr int kNormInputs = 4;

// In a kernel's parameters, as `norm`.
struct Norming {
  int64_t first;     // operand that is gamma; 0: x is read as it is
  int64_t channels;  // of x
  int64_t scales;    // where in scratch, in floats, norm_scales puts its results
  float epsilon, lo, hi;

  bool on() const { return first > 0; }
  int inputs() const { return on() ? kNormInputs : 0; }
  float* scale(const StepArgs& args) const { return reinterpret_cast<float*>(args.scratch) + scales; }
  Normalizer of(const StepArgs& args) const {
    return {args.ptr<const float>(static_cast<int>(first) + 2), scale(args),
            args.ptr<const float>(static_cast<int>(first) + 1), lo, hi};
  }
  // Behind what the other phases have in scratch.
  void book(StepPlan* plan) {
    scales = ceil_div(static_cast<int64_t>(plan->scratch_bytes), 64) * 16;
    plan->scratch_bytes = static_cast<size_t>(scales + channels) * sizeof(float);
  }
};

constexpr int64_t kScaledChannels = 64;  // of a piece
// The phase before all others.
template <typename Params>
void norm_scales(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norming& n = args.as<Params>().norm;
  const int gamma = static_cast<int>(n.first), variance = gamma + 3;
  const int64_t end = smaller(n.channels, (piece + 1) * kScaledChannels);
  for (int64_t c = piece * kScaledChannels; c < end; ++c)
    n.scale(args)[c] =
        args.ptr<const float>(gamma)[c] * inverse_deviation(args.ptr<const float>(variance)[c], n.epsilon);
}
template <typename Params>
void add_norm_scales(const Norming& n, StepPlan* plan) {
  if (n.on()) plan->add_phase(norm_scales<Params>, ceil_div(n.channels, kScaledChannels));
}

// A step without what normalises its x, and that.
struct NormedStep {
  static constexpr int kMost = 6;  // x, w, b; y, mean, variance
  Operand operands[kMost];
  StepSpec plain;
  Norming norm;
};
STRIATE_NOINLINE const char* split_normed(const StepSpec& s, NormedStep* to) {
  const int inputs = s.n_inputs - kNormInputs;
  if (inputs < 2 || inputs + s.n_outputs > NormedStep::kMost || s.n_ints < 1 || s.n_floats != 2)
    return "wrong number of inputs or results";
  const int64_t act = s.ints[s.n_ints - 1];
  if (act < 0 || act > static_cast<int64_t>(Act::kRelu6)) return "takes no activation but relu and relu6";
  if (!is_float(s.in(0), 4)) return "takes float32 of rank 4 only";
  const Epilogue e = make_epilogue(act, 0.0);
  to->norm = {inputs, s.in(0).dims[3], 0, static_cast<float>(s.floats[1]), e.lo, e.hi};
  for (int i = inputs; i < s.n_inputs; ++i)
    if (!is_float(s.in(i), 1) || s.in(i).dims[0] != to->norm.channels)
      return "takes gamma, beta, mean and variance of shape (C,)";
  for (int i = 0; i < inputs; ++i) to->operands[i] = s.in(i);
  for (int i = 0; i < s.n_outputs; ++i) to->operands[inputs + i] = s.out(i);
  to->plain = {to->operands, inputs, s.n_outputs, s.ints, s.n_ints - 1, s.floats, 1};
  return nullptr;
}

}  // namespace
}  // namespace striate
