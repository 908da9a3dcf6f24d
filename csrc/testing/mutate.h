// Steps as no planner would write them.
#pragma once

#include <cstdint>
#include <random>

#include "base/kernel.h"
#include "testing/cases.h"

namespace striate {

// A stream of changes to steps, the same for the same seed.
class Mutations {
 public:
  explicit Mutations(uint64_t seed) : random_(seed) {}

  // Changes the case's step here and there and gives it to the kernel; where that does not refuse it, runs it between
  // guard pages on random bytes. Whether it was taken.
  bool try_one(const KernelRow& row, const Case& c);

 private:
  uint64_t below(uint64_t n) { return random_() % n; }
  int64_t number(const OwnedSpec& spec);
  OwnedSpec changed(const OwnedSpec& spec);

  std::mt19937_64 random_;
};

}  // namespace striate
