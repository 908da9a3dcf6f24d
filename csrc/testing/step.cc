#include "testing/step.h"

#include <cstring>
#include <memory>
#include <stdexcept>

#include "base/float_env.h"
#include "base/pool.h"

namespace striate {
namespace {

struct Phased {
  PhaseFn run;
  StepArgs args;
  std::vector<Guarded>* scratches;
};

void run_piece(void* context, int64_t piece, int thread) {
  const Phased& p = *static_cast<const Phased*>(context);
  p.run(p.args, piece, (*p.scratches)[static_cast<size_t>(thread)].data());
}

void run_phases(const StepPlan& plan, void* const* data, const Way& way) {
  Guarded scratch(plan.scratch_bytes, kAlignment, way.at_end, way.noise);
  std::vector<Guarded> scratches;
  const auto add_scratch = [&] {
    scratches.emplace_back(plan.thread_scratch_bytes, kAlignment, way.at_end, way.noise);
  };
  const auto check = [&] {
    bool whole = scratch.gaps_are_whole();
    for (const Guarded& s : scratches) whole = whole && s.gaps_are_whole();
    if (!whole) throw std::runtime_error("wrote past its scratch");
  };
  const StepArgs args{data, plan.params, scratch.data()};
  if (way.order == Order::kThreads) {
    PoolLease pool;
    for (int i = 0; i < pool.threads(); ++i) add_scratch();
    for (int p = 0; p < plan.n_phases; ++p) {
      Phased context{plan.phases[p].run, args, &scratches};
      pool.run(run_piece, &context, plan.phases[p].pieces);
    }
    return check();
  }
  add_scratch();
  for (int p = 0; p < plan.n_phases; ++p) {
    const int64_t n = plan.phases[p].pieces;
    for (int64_t i = 0; i < n; ++i) {
      if (way.order == Order::kBackward) scratches[0].fill(static_cast<unsigned char>(way.noise + i));
      plan.phases[p].run(args, way.order == Order::kForward ? i : n - 1 - i, scratches[0].data());
    }
  }
  check();
}

}  // namespace

std::vector<Bytes> run_step(const OwnedSpec& spec, const StepPlan& plan, const std::vector<Bytes>& inputs,
                            const Way& way) {
  std::vector<Guarded> memory;
  std::vector<void*> data;
  for (int i = 0; i < spec.n_inputs + spec.n_outputs; ++i) {
    const Operand& o = spec.operands[static_cast<size_t>(i)];
    memory.emplace_back(operand_bytes(o), dtype_bytes(o.dtype), way.at_end, way.noise);
    data.push_back(memory.back().data());
    if (i < spec.n_inputs && !inputs[static_cast<size_t>(i)].empty())
      std::memcpy(memory.back().data(), inputs[static_cast<size_t>(i)].data(), memory.back().bytes());
  }
  if (way.result_over >= 0)
    data[static_cast<size_t>(spec.n_inputs + way.result_over)] = data[static_cast<size_t>(way.input_under)];
  {
    const FloatEnv env;
    run_phases(plan, data.data(), way);
  }
  std::vector<Bytes> results;
  for (int i = 0; i < spec.n_inputs + spec.n_outputs; ++i) {
    const size_t at = static_cast<size_t>(i);
    if (!memory[at].gaps_are_whole()) throw std::runtime_error("wrote beside operand " + std::to_string(i));
    if (i < spec.n_inputs) {
      const bool changed =
          memory[at].bytes() != 0 && std::memcmp(memory[at].data(), inputs[at].data(), memory[at].bytes()) != 0;
      if (changed && i != way.input_under) throw std::runtime_error("changed its input " + std::to_string(i));
    } else {
      const auto* from = static_cast<const unsigned char*>(data[at]);
      results.emplace_back(from, from + memory[at].bytes());
    }
  }
  return results;
}

}  // namespace striate
