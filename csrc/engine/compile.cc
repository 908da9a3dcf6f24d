// Executable's first half: believing a program. Nothing that passes here can leave its buffers when it runs.
#include <stdexcept>
#include <string>

#include "base/memory.h"
#include "base/pool.h"
#include "engine/executable.h"
#include "engine/registry.h"

namespace striate {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 46;
constexpr int64_t kMaxGuards = 1 << 20;

std::string text(uint64_t n) { return std::to_string(n); }

struct Range {
  int64_t base;
  uint64_t begin, end;
};

bool overlap(const Range& a, const Range& b) {
  return a.base == b.base && a.begin < b.end && b.begin < a.end;  // empty ranges overlap nothing
}

bool same(const Range& a, const Range& b) { return a.begin == b.begin && a.end == b.end; }

// Results are apart from each other, and each is apart from every input or exactly one of them (an update in place:
// that a kernel can do it is the planner's to know).
void check_overlaps(const StepDecl& step) {
  std::vector<Range> ranges;
  for (size_t i = 0; i < step.places.size(); ++i) {
    const Place& p = step.places[i];
    const uint64_t bytes = operand_bytes(step.spec.operands[i]);
    ranges.push_back({p.base, p.offset, p.offset + bytes});
  }
  const size_t n_inputs = static_cast<size_t>(step.spec.n_inputs);
  for (size_t r = n_inputs; r < ranges.size(); ++r) {
    for (size_t i = 0; i < r; ++i) {
      if (!overlap(ranges[i], ranges[r]) || (i < n_inputs && same(ranges[i], ranges[r]))) continue;
      throw std::invalid_argument("result " + text(r - n_inputs) + " lies over a part of " +
                                  (i < n_inputs ? "input " + text(i) : "result " + text(i - n_inputs)));
    }
  }
}

}  // namespace

Executable::Executable(const ProgramDecl& program) {
  if (program.arena_bytes > kMaxBytes) throw std::invalid_argument("an arena of more than 2^46 bytes");
  arena_bytes_ = round_up(program.arena_bytes, kAlignment);
  for (const ExternalDecl& e : program.externals) externals_.push_back({e.bytes, 1, e.writable});
  steps_.reserve(program.steps.size());
  for (size_t i = 0; i < program.steps.size(); ++i) {
    try {
      add_step(program, i);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("step " + text(i) + " (" + program.steps[i].kernel + "): " + error.what());
    }
  }
  first_state_write_ = steps_.size();
  for (size_t i = steps_.size(); i-- > 0;) {
    for (size_t p = static_cast<size_t>(program.steps[i].spec.n_inputs); p < steps_[i].n_places; ++p) {
      const uint32_t base = places_[steps_[i].first_place + p].base;
      if (base > 0 && program.externals[base - 1].is_state) first_state_write_ = i;
    }
  }
  nanoseconds_ = std::make_unique<std::atomic<int64_t>[]>(steps_.size());
}

void Executable::add_step(const ProgramDecl& program, size_t index) {
  const StepDecl& step = program.steps[index];
  const KernelRow* kernel = find_kernel(step.kernel);
  if (kernel == nullptr) throw std::invalid_argument("no such kernel for this CPU");
  if (step.places.size() != step.spec.operands.size()) {
    throw std::invalid_argument("received " + text(step.places.size()) + " operands; its spec has " +
                                text(step.spec.operands.size()));
  }
  if (step.guard < -1 || step.guard >= kMaxGuards) {
    throw std::invalid_argument("received guard " + std::to_string(step.guard) + "; expected -1 or a small position");
  }

  Step made{};
  made.first_place = places_.size();
  made.n_places = step.places.size();
  made.guard = step.guard;
  for (size_t i = 0; i < step.places.size(); ++i) add_place(program, step, i);
  check_overlaps(step);

  const char* refusal = kernel->prepare(step.spec.view(), &made.plan);
  if (refusal != nullptr) throw std::invalid_argument(std::string("the kernel refuses: ") + refusal);
  const StepPlan& plan = made.plan;
  for (int i = 0; i < plan.n_phases; ++i) {
    if (plan.phases[i].pieces < 0 || plan.phases[i].pieces > kMaxPieces) {
      throw std::invalid_argument("a phase of " + std::to_string(plan.phases[i].pieces) + " pieces");
    }
  }
  if (plan.scratch_bytes > kMaxBytes || plan.thread_scratch_bytes > kMaxBytes) {
    throw std::invalid_argument("scratch of more than 2^46 bytes");
  }
  const size_t scratch = round_up(plan.scratch_bytes, kAlignment);
  const size_t thread_scratch = round_up(plan.thread_scratch_bytes, kAlignment);
  if (scratch > scratch_bytes_) scratch_bytes_ = scratch;
  if (thread_scratch > thread_scratch_bytes_) thread_scratch_bytes_ = thread_scratch;
  if (made.n_places > max_places_) max_places_ = made.n_places;
  if (step.guard >= n_guards_) n_guards_ = step.guard + 1;
  steps_.push_back(made);
}

void Executable::add_place(const ProgramDecl& program, const StepDecl& step, size_t operand) {
  const Place& place = step.places[operand];
  const bool is_result = operand >= static_cast<size_t>(step.spec.n_inputs);
  const std::string who =
      is_result ? "result " + text(operand - static_cast<size_t>(step.spec.n_inputs)) : "input " + text(operand);
  if (place.base < 0 || static_cast<uint64_t>(place.base) > program.externals.size()) {
    throw std::invalid_argument(who + " has base " + std::to_string(place.base) + "; there are the arena (0) and " +
                                text(program.externals.size()) + " externals");
  }
  const bool in_arena = place.base == 0;
  const size_t external = in_arena ? 0 : static_cast<size_t>(place.base) - 1;
  const uint64_t room = in_arena ? program.arena_bytes : program.externals[external].bytes;
  const uint64_t bytes = operand_bytes(step.spec.operands[operand]);
  if (bytes > room || place.offset > room - bytes) {
    throw std::invalid_argument(who + " takes bytes " + text(place.offset) + " to " + text(place.offset) + " + " +
                                text(bytes) + " of " + (in_arena ? "the arena" : "external " + text(external)) +
                                ", which has " + text(room));
  }
  const size_t element = dtype_bytes(step.spec.operands[operand].dtype);
  if (place.offset % (in_arena ? kAlignment : element) != 0) {
    throw std::invalid_argument(who + " has offset " + text(place.offset) + "; expected a multiple of " +
                                text(in_arena ? kAlignment : element));
  }
  if (is_result && !in_arena && !program.externals[external].writable) {
    throw std::invalid_argument(who + " would be written to external " + text(external) + ", which is not writable");
  }
  if (!in_arena && element > externals_[external].alignment) externals_[external].alignment = element;
  places_.push_back({static_cast<uint32_t>(place.base), place.offset});
}

double Executable::flops() const {
  double sum = 0;
  for (const Step& step : steps_) sum += step.plan.flops;
  return sum;
}

std::vector<double> Executable::step_flops() const {
  std::vector<double> all;
  for (const Step& step : steps_) all.push_back(step.plan.flops);
  return all;
}

}  // namespace striate
