// Updates by a gradient that is there. Those by a product that makes it: dense.h. See optimizer.h.
#pragma once

#include "kernels/optimizer/dense.h"
#include "kernels/optimizer/rules.h"

namespace striate {
namespace {

constexpr int64_t kPieceElements = 16384;

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
  const int64_t at = piece * kPieceElements, end = min64(at + kPieceElements, u.size);
  for (int i = 0; i < kTensors; ++i) in[i] += at;
  for (int i = 0; i < Rule::kResults; ++i) out[i] += at;
  update_span(rule, in, out, end - at);
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

// The ops: a rule, its attributes, and its operations an element. Dense: by the product that makes the gradient.
template <bool Dense, typename Rule>
const char* plan_rule(const StepSpec& spec, int n_ints, int n_floats, const Update& u, double flops, StepPlan* plan) {
  return Dense ? plan_dense_update<Rule>(spec, n_ints, n_floats, u, flops, plan)
               : plan_update<Rule>(spec, n_ints, n_floats, u, flops, plan);
}

template <bool Dense>
const char* plan_sgd(const StepSpec& spec, StepPlan* plan) {
  return plan_rule<Dense, Sgd>(spec, 0, 0, {}, 2, plan);
}

template <bool Dense>
const char* plan_momentum(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_ints != 1 || spec.n_floats != 1) return "has other attributes";
  const Update u{0, spec.floats[0], 0, 0};
  return spec.ints[0] != 0 ? plan_rule<Dense, Momentum<true>>(spec, 1, 1, u, 5, plan)
                           : plan_rule<Dense, Momentum<false>>(spec, 1, 1, u, 4, plan);
}

template <bool Dense>
const char* plan_adam(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_floats != 3) return "has other attributes";
  return plan_rule<Dense, Adam>(spec, 0, 3, {0, spec.floats[0], spec.floats[1], spec.floats[2]}, 12, plan);
}

template <bool Dense>
const char* plan_rmsprop(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_floats != 2) return "has other attributes";
  return plan_rule<Dense, RmsProp>(spec, 0, 2, {0, spec.floats[0], 0, spec.floats[1]}, 9, plan);
}

const char* sgd_update(const StepSpec& spec, StepPlan* plan) { return plan_sgd<false>(spec, plan); }
const char* sgd_update_dense(const StepSpec& spec, StepPlan* plan) { return plan_sgd<true>(spec, plan); }
const char* momentum_update(const StepSpec& spec, StepPlan* plan) { return plan_momentum<false>(spec, plan); }
const char* momentum_update_dense(const StepSpec& spec, StepPlan* plan) { return plan_momentum<true>(spec, plan); }
const char* adam_update(const StepSpec& spec, StepPlan* plan) { return plan_adam<false>(spec, plan); }
const char* adam_update_dense(const StepSpec& spec, StepPlan* plan) { return plan_adam<true>(spec, plan); }
const char* rmsprop_update(const StepSpec& spec, StepPlan* plan) { return plan_rmsprop<false>(spec, plan); }
const char* rmsprop_update_dense(const StepSpec& spec, StepPlan* plan) { return plan_rmsprop<true>(spec, plan); }

}  // namespace
}  // namespace striate
