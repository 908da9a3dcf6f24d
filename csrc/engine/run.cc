// Executable's second half: running.
#include <chrono>

#include "base/float_env.h"
#include "base/memory.h"
#include "base/pool.h"
#include "engine/arena.h"
#include "engine/executable.h"

namespace striate {
namespace {

struct PhaseContext {
  PhaseFn run;
  StepArgs args;
  unsigned char* thread_scratch;
  size_t thread_scratch_bytes;
};

void run_piece(void* context, int64_t piece, int thread) {
  const PhaseContext& c = *static_cast<const PhaseContext*>(context);
  c.run(c.args, piece, c.thread_scratch + static_cast<size_t>(thread) * c.thread_scratch_bytes);
}

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr int64_t kLookAfter = 20'000'000;  // nanoseconds

// Worth a look at the clock after it.
bool is_long(const StepPlan& plan) {
  int64_t pieces = 0;
  for (int p = 0; p < plan.n_phases; ++p) pieces += plan.phases[p].pieces;
  return pieces >= 8;
}

}  // namespace

bool Executable::run(void** bases, const unsigned char* guards, Interrupt* interrupt) const {
  PoolLease pool;  // first: it fixes how many threads need scratch
  // The arena: buffers, shared scratch, each thread's scratch, and the addresses of one step's operands.
  const size_t threads_bytes = thread_scratch_bytes_ * static_cast<size_t>(pool.threads());
  const ArenaLease arena(arena_bytes_ + scratch_bytes_ + threads_bytes + max_places_ * sizeof(void*));
  bases[0] = arena.data();
  unsigned char* scratch = arena.data() + arena_bytes_;
  unsigned char* thread_scratch = scratch + scratch_bytes_;
  void** data = reinterpret_cast<void**>(thread_scratch + threads_bytes);

  const FloatEnv env;
  const bool timing = timing_.load(std::memory_order_relaxed);
  int64_t looked = interrupt != nullptr ? now() : 0;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    if (step.guard >= 0 && guards[step.guard] == 0) continue;
    const int64_t start = timing ? now() : 0;
    for (size_t i = 0; i < step.n_places; ++i) {
      const Address& a = places_[step.first_place + i];
      data[i] = static_cast<unsigned char*>(bases[a.base]) + a.offset;
    }
    for (int p = 0; p < step.plan.n_phases; ++p) {
      PhaseContext context{
          step.plan.phases[p].run, {data, step.plan.params, scratch}, thread_scratch, thread_scratch_bytes_};
      pool.run(run_piece, &context, step.plan.phases[p].pieces);
    }
    if (timing) nanoseconds_[s].fetch_add(now() - start, std::memory_order_relaxed);
    if (interrupt != nullptr && is_long(step.plan) && s + 1 < first_state_write_ && now() - looked > kLookAfter) {
      if (interrupt->wanted()) return false;
      looked = now();
    }
  }
  return true;
}

void Executable::set_timing(bool on) {
  if (on) {
    for (size_t s = 0; s < steps_.size(); ++s) nanoseconds_[s].store(0, std::memory_order_relaxed);
  }
  timing_.store(on, std::memory_order_relaxed);
}

std::vector<double> Executable::step_seconds() const {
  std::vector<double> all;
  for (size_t s = 0; s < steps_.size(); ++s) {
    all.push_back(static_cast<double>(nanoseconds_[s].load(std::memory_order_relaxed)) * 1e-9);
  }
  return all;
}

}  // namespace striate
