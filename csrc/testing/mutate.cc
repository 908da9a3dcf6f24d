#include "testing/mutate.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "testing/step.h"

namespace striate {
namespace {

constexpr uint64_t kMostBytes = 1 << 20;
constexpr int64_t kMostPieces = 1 << 12;
constexpr double kMostFlops = 1e7;

}  // namespace

// A number that is likely to be wrong: small ones, those of the step, and the ends of the integers.
int64_t Mutations::number(const OwnedSpec& spec) {
  switch (below(4)) {
    case 0:
      return static_cast<int64_t>(below(9)) - 3;
    case 1: {
      const Operand& o = spec.operands[below(spec.operands.size())];
      return o.rank == 0 ? 1 : o.dims[below(static_cast<uint64_t>(o.rank))] + static_cast<int64_t>(below(3)) - 1;
    }
    case 2:
      return static_cast<int64_t>(below(100));
    default: {
      const int64_t far[] = {INT64_MAX,        INT64_MIN,        INT32_MAX,          INT32_MIN,
                             int64_t{1} << 30, int64_t{1} << 32, -(int64_t{1} << 31)};
      return far[below(sizeof far / sizeof far[0])];
    }
  }
}

OwnedSpec Mutations::changed(const OwnedSpec& spec) {
  std::vector<int64_t> dtypes;
  std::vector<std::vector<int64_t>> shapes;
  for (const Operand& o : spec.operands) {
    dtypes.push_back(static_cast<int64_t>(o.dtype));
    shapes.emplace_back(o.dims, o.dims + o.rank);
  }
  OwnedSpec made;
  made.ints = spec.ints;
  made.floats = spec.floats;
  made.n_inputs = spec.n_inputs;
  made.n_outputs = spec.n_outputs;
  for (uint64_t changes = 1 + below(3); changes > 0; --changes) {
    const size_t at = shapes.empty() ? 0 : below(shapes.size());
    switch (below(9)) {
      case 0:
      case 1:
        if (!shapes[at].empty()) shapes[at][below(shapes[at].size())] = number(spec);
        break;
      case 2:
        if (!shapes[at].empty()) shapes[at].pop_back();
        break;
      case 3:
        shapes[at].insert(shapes[at].begin(), static_cast<int64_t>(below(3)));
        break;
      case 4:
        dtypes[at] = static_cast<int64_t>(below(13));
        break;
      case 5:
      case 6:
        if (!made.ints.empty()) made.ints[below(made.ints.size())] = number(spec);
        break;
      case 7:
        if (!made.floats.empty()) {
          const double odd[] = {0, -1, 1e300, -0.0, INFINITY, std::nan(""), 0.5};
          made.floats[below(made.floats.size())] = odd[below(sizeof odd / sizeof odd[0])];
        }
        break;
      default:
        if (below(2) == 0 && !made.ints.empty())
          made.ints.pop_back();
        else if (below(2) == 0)
          made.floats.push_back(0);
        else if (made.n_inputs > 0)
          std::swap(made.n_inputs, made.n_outputs);
    }
  }
  for (size_t i = 0; i < shapes.size(); ++i) made.add_operand(dtypes[i], shapes[i]);
  return made;
}

bool Mutations::try_one(const KernelRow& row, const Case& c) {
  OwnedSpec spec;
  try {
    spec = changed(c.spec);
  } catch (const std::invalid_argument&) {
    return false;  // the engine refuses it before any kernel sees it
  }
  uint64_t bytes = 0;
  for (const Operand& o : spec.operands) bytes += operand_bytes(o);
  StepPlan plan;
  if (row.prepare(spec.view(), &plan) != nullptr) return false;
  if (bytes > kMostBytes || plan.scratch_bytes > 64 * kMostBytes || plan.thread_scratch_bytes > 64 * kMostBytes)
    return true;
  if (plan.flops > kMostFlops) return true;
  for (int p = 0; p < plan.n_phases; ++p) {
    if (plan.phases[p].pieces < 0) throw std::runtime_error("a phase of fewer than no pieces");
    if (plan.phases[p].pieces > kMostPieces) return true;
  }
  std::vector<Bytes> inputs;
  for (int i = 0; i < spec.n_inputs; ++i) {
    Bytes random(operand_bytes(spec.operands[static_cast<size_t>(i)]));
    const bool small = below(2) == 0;  // as floats and integers: anything at all, or what is near 0
    for (unsigned char& byte : random) byte = static_cast<unsigned char>(small ? below(3) : below(256));
    inputs.push_back(std::move(random));
  }
  run_step(spec, plan, inputs, {below(2) == 0 ? Order::kForward : Order::kThreads, below(4) != 0, 0xff});
  return true;
}

}  // namespace striate
