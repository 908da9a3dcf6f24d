// A program made ready to run: decoded, every operand checked against its buffer, every kernel's work laid out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/kernel.h"
#include "engine/program.h"

namespace striate {

// Asked now and then between two steps of a long run.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  virtual bool wanted() = 0;
};

class Executable {
 public:
  // Throws std::invalid_argument ("step 3 (conv2d_direct_avx512): ...") for a program that is not sound.
  explicit Executable(const ProgramDecl& program);

  struct External {
    uint64_t bytes;
    size_t alignment;  // bytes: the largest element read or written there
    bool writable;     // by declaration
  };
  const std::vector<External>& externals() const { return externals_; }
  int64_t n_guards() const { return n_guards_; }
  size_t steps() const { return steps_.size(); }
  size_t arena_bytes() const { return arena_bytes_; }
  double flops() const;

  // Safe from several threads at once: each run has an arena of its own. `bases` has a place for the arena, filled in
  // here, and then the externals' addresses, checked by the caller. Allocates an arena when none is idle, nothing else.
  // False where it was broken off: only while no state has been written; outputs and derived values are then of no use.
  bool run(void** bases, const unsigned char* guards, Interrupt* interrupt = nullptr) const;

  // Off, on: starts at zero. While on, each step costs two looks at the clock (about 50 ns).
  void set_timing(bool on);
  std::vector<double> step_seconds() const;  // summed over runs since timing was turned on
  std::vector<double> step_flops() const;

 private:
  struct Step {
    StepPlan plan;
    size_t first_place, n_places;
    int64_t guard;
  };
  struct Address {
    uint32_t base;
    uint64_t offset;
  };

  void add_step(const ProgramDecl& program, size_t index);
  void add_place(const ProgramDecl& program, const StepDecl& step, size_t operand);

  std::vector<External> externals_;
  std::vector<Step> steps_;
  std::vector<Address> places_;
  size_t max_places_ = 0;
  size_t arena_bytes_ = 0, scratch_bytes_ = 0, thread_scratch_bytes_ = 0;  // each a multiple of 64
  int64_t n_guards_ = 0;
  size_t first_state_write_;  // a step; steps() where none writes state
  std::atomic<bool> timing_{false};
  std::unique_ptr<std::atomic<int64_t>[]> nanoseconds_;
};

}  // namespace striate
