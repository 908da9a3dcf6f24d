// One driver, and a rule an optimizer. See optimizer.h.
#pragma once

#include <cmath>

#include "kernels/optimizer/optimizer.h"

namespace striate {
namespace {

constexpr int64_t kPieceElements = 16384;

struct Update {
  int64_t size;
  double a, b, epsilon;  // momentum or beta_1 or rho; beta_2
};

// A rule's tensors t[] are w, its slots, g; it leaves the new w and slots in the first kResults of them. Its inputs are
// the tensors, then kScalars scalars.
struct Sgd {
  static constexpr int kResults = 1, kScalars = 1;
  Vf lr;
  Sgd(const Update&, const float* const* scalars) : lr(splat(*scalars[0])) {}
  STRIATE_INLINE void operator()(Vf* t) const { t[0] -= lr * t[1]; }
};

template <bool Nesterov>
struct Momentum {
  static constexpr int kResults = 2, kScalars = 1;
  Vf lr, momentum;
  Momentum(const Update& u, const float* const* scalars)
      : lr(splat(*scalars[0])), momentum(splat(static_cast<float>(u.a))) {}
  STRIATE_INLINE void operator()(Vf* t) const {
    const Vf step = lr * t[2];
    t[1] = momentum * t[1] - step;
    t[0] += Nesterov ? momentum * t[1] - step : t[1];
  }
};

struct Adam {
  static constexpr int kResults = 3, kScalars = 2;
  Vf rate, one_minus_1, one_minus_2, epsilon;
  Adam(const Update& u, const float* const* scalars)
      : one_minus_1(splat(static_cast<float>(1 - u.a))),
        one_minus_2(splat(static_cast<float>(1 - u.b))),
        epsilon(splat(static_cast<float>(u.epsilon))) {
    const double lr = *scalars[0], step = *scalars[1];
    rate = splat(static_cast<float>(lr * std::sqrt(1 - std::pow(u.b, step)) / (1 - std::pow(u.a, step))));
  }
  STRIATE_INLINE void operator()(Vf* t) const {
    t[1] += (t[3] - t[1]) * one_minus_1;
    t[2] += (t[3] * t[3] - t[2]) * one_minus_2;
    t[0] -= t[1] * rate / (vsqrt(t[2]) + epsilon);
  }
};

struct RmsProp {
  static constexpr int kResults = 2, kScalars = 1;
  Vf lr, rho, one_minus, epsilon;
  RmsProp(const Update& u, const float* const* scalars)
      : lr(splat(*scalars[0])),
        rho(splat(static_cast<float>(u.a))),
        one_minus(splat(static_cast<float>(1 - u.a))),
        epsilon(splat(static_cast<float>(u.epsilon))) {}
  STRIATE_INLINE void operator()(Vf* t) const {
    t[1] = rho * t[1] + one_minus * (t[2] * t[2]);
    t[0] -= lr * t[2] / vsqrt(t[1] + epsilon);
  }
};

template <typename Rule>
void update_run(const StepArgs& args, int64_t piece, unsigned char*) {
  constexpr int kTensors = Rule::kResults + 1;
  const Update& u = args.as<Update>();
  const float *in[kTensors], *scalars[Rule::kScalars];
  float* out[Rule::kResults];
  for (int i = 0; i < kTensors; ++i) in[i] = args.ptr<const float>(i);
  for (int i = 0; i < Rule::kScalars; ++i) scalars[i] = args.ptr<const float>(kTensors + i);
  for (int i = 0; i < Rule::kResults; ++i) out[i] = args.ptr<float>(kTensors + Rule::kScalars + i);
  const Rule rule(u, scalars);
  const int64_t end = (piece + 1) * kPieceElements < u.size ? (piece + 1) * kPieceElements : u.size;
  int64_t at = piece * kPieceElements;
  Vf t[kTensors];
  for (; at + kLanes <= end; at += kLanes) {
    for (int i = 0; i < kTensors; ++i) t[i] = load(in[i] + at);
    rule(t);
    for (int i = 0; i < Rule::kResults; ++i) store(out[i] + at, t[i]);
  }
  if (at < end) {
    const int n = static_cast<int>(end - at);
    for (int i = 0; i < kTensors; ++i) t[i] = load_n(in[i] + at, n);
    rule(t);
    for (int i = 0; i < Rule::kResults; ++i) store_n(out[i] + at, t[i], n);
  }
}

template <typename Rule>
const char* plan_update(const StepSpec& spec, int n_ints, int n_floats, Update u, double flops, StepPlan* plan) {
  constexpr int kTensors = Rule::kResults + 1;
  if (spec.n_inputs != kTensors + Rule::kScalars || spec.n_outputs != Rule::kResults)
    return "has other inputs and results";
  if (spec.n_ints != n_ints || spec.n_floats != n_floats) return "has other attributes";
  u.size = spec.in(0).size;
  for (int i = 0; i < spec.n_inputs + spec.n_outputs; ++i) {
    const bool scalar = i >= kTensors && i < spec.n_inputs;
    if (spec.operands[i].dtype != DType::kF32) return "takes float32 only";
    if (spec.operands[i].size != (scalar ? 1 : u.size)) return "the tensors' sizes differ";
  }
  plan->flops = flops * static_cast<double>(u.size);
  plan->set_params(u);
  plan->add_phase(update_run<Rule>, (u.size + kPieceElements - 1) / kPieceElements);
  return nullptr;
}

const char* sgd_update(const StepSpec& spec, StepPlan* plan) { return plan_update<Sgd>(spec, 0, 0, {}, 2, plan); }

const char* momentum_update(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_ints != 1 || spec.n_floats != 1) return "has other attributes";
  const Update u{0, spec.floats[0], 0, 0};
  return spec.ints[0] != 0 ? plan_update<Momentum<true>>(spec, 1, 1, u, 5, plan)
                           : plan_update<Momentum<false>>(spec, 1, 1, u, 4, plan);
}

const char* adam_update(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_floats != 3) return "has other attributes";
  return plan_update<Adam>(spec, 0, 3, {0, spec.floats[0], spec.floats[1], spec.floats[2]}, 12, plan);
}

const char* rmsprop_update(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_floats != 2) return "has other attributes";
  return plan_update<RmsProp>(spec, 0, 2, {0, spec.floats[0], 0, spec.floats[1]}, 9, plan);
}

}  // namespace
}  // namespace striate
