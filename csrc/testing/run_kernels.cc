// Every row of the table of kernels on every case of a file, against the expected results:
//
//   run_kernels FILE [threads N] [mutations N] [seed N] [only OP]
//
// Each case runs forwards, backwards (pieces and their scratch in no particular order), on threads, and with results on
// the inputs they may lie on; all must agree bit for bit and be within bounds. Then the step is changed at random, as
// no planner would write it: the kernel must refuse, or stay within its operands. For sanitizers, and for CPUs that
// only an emulator has here (tools/sanitize.py, tools/arm64.py).
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>

#include "base/float_env.h"
#include "base/isa.h"
#include "base/pool.h"
#include "engine/registry.h"
#include "testing/cases.h"
#include "testing/guarded.h"
#include "testing/mutate.h"
#include "testing/self_test.h"
#include "testing/step.h"

namespace striate {
namespace {

struct Options {
  std::string file, only;
  int threads = 4, mutations = 0;
  uint64_t seed = 1;
};

struct Count {
  int taken = 0, refused = 0;
};

// How a result misses what is expected; empty where it does not.
std::string misses(const Expected& e, const std::string& kernel, const Bytes& got) {
  if (!e.is_real) return e.bytes == got ? "" : "bits differ";
  const std::vector<double>& bounds = e.bounds_of(kernel);
  for (size_t i = 0; i < e.exact.size(); ++i) {
    float value;
    std::memcpy(&value, got.data() + i * sizeof value, sizeof value);
    const double exact = e.exact[i];
    if (value == static_cast<float>(exact) || (std::isnan(value) && std::isnan(exact))) continue;
    if (std::fabs(static_cast<double>(value) - exact) <= bounds[i] + 0x1p-126) continue;  // denormals are flushed
    char text[160];
    std::snprintf(text, sizeof text, "element %zu of %zu is %.9g; expected %.17g within %.3g", i, e.exact.size(),
                  static_cast<double>(value), exact, bounds[i]);
    return text;
  }
  return "";
}

void check_case(const Case& c, const std::string& kernel, const StepPlan& plan) {
  const std::vector<Bytes> first = run_step(c.spec, plan, c.inputs, {Order::kForward, true, 0xa5});
  for (size_t i = 0; i < first.size(); ++i) {
    const std::string why = misses(c.expected[i], kernel, first[i]);
    if (!why.empty()) throw std::runtime_error("result " + std::to_string(i) + ": " + why);
  }
  if (run_step(c.spec, plan, c.inputs, {Order::kBackward, false, 0xff}) != first)
    throw std::runtime_error("depends on the order of its pieces, or on what was in its memory");
  if (run_step(c.spec, plan, c.inputs, {Order::kThreads, true, 0x3f}) != first)
    throw std::runtime_error("depends on threads, or on what was in its memory");
  for (const auto& [result, input] : c.in_place) {
    const std::vector<Bytes> got = run_step(c.spec, plan, c.inputs, {Order::kThreads, true, 0x3f, result, input});
    if (got[static_cast<size_t>(result)] != first[static_cast<size_t>(result)])
      throw std::runtime_error("gives something else on its input " + std::to_string(input));
  }
}

int run(const Options& options) {
  const std::vector<Case> cases = read_cases(options.file);
  set_pool_threads(options.threads);
  const std::string fault = undetected_fault();
  if (!fault.empty()) {
    std::printf("FAILED the checks themselves: they do not tell a kernel that %s\n", fault.c_str());
    return 1;
  }
  std::map<std::string, Count> counts;
  int failures = 0, mutants = 0, accepted = 0;
  for (const KernelRow& row : kernels()) {
    if (!options.only.empty() && row.op != options.only) continue;
    Count& count = counts[row.name];
    for (size_t n = 0; n < cases.size(); ++n) {
      const Case& c = cases[n];
      if (c.op != row.op) continue;
      const std::string scene = std::string(row.name) + " on " + c.label + " (case " + std::to_string(n) + ")";
      set_scene(scene);
      try {
        StepPlan plan;
        const FloatEnv env;
        if (row.prepare(c.spec.view(), &plan) == nullptr) {
          ++count.taken;
          check_case(c, row.name, plan);
        } else {
          ++count.refused;
        }
        Mutations changes(options.seed * 1000003 + n);
        for (int i = 0; i < options.mutations; ++i, ++mutants) {
          set_scene(scene + ", change " + std::to_string(i));
          accepted += changes.try_one(row, c) ? 1 : 0;
        }
      } catch (const std::exception& error) {
        std::printf("FAILED %s: %s\n", scene.c_str(), error.what());
        ++failures;
      }
    }
    if (count.taken == 0) {
      std::printf("FAILED %s: took none of %d cases\n", row.name, count.refused);
      ++failures;
    }
  }
  int taken = 0, refused = 0;
  for (const auto& [name, count] : counts) {
    taken += count.taken;
    refused += count.refused;
  }
  std::printf("%s: %zu kernels, %d cases taken, %d refused; %d changed steps, %d of them taken; %d failures\n",
              isa_name(best_isa()), counts.size(), taken, refused, mutants, accepted, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace striate

int main(int argc, char** argv) {
  striate::Options options;
  if (argc < 2 || argc % 2 != 0) {
    std::fprintf(stderr, "run_kernels FILE [threads N] [mutations N] [seed N] [only OP]\n");
    return 2;
  }
  options.file = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "threads") options.threads = std::atoi(argv[i + 1]);
    if (name == "mutations") options.mutations = std::atoi(argv[i + 1]);
    if (name == "seed") options.seed = static_cast<uint64_t>(std::atoll(argv[i + 1]));
    if (name == "only") options.only = argv[i + 1];
  }
  striate::report_crashes();
  return striate::run(options);
}
