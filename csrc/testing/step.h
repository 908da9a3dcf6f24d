// Running one kernel on one step, each piece of memory guarded, in the orders and on the threads that it must not mind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/kernel.h"
#include "engine/program.h"
#include "testing/guarded.h"

namespace striate {

enum class Order { kForward, kBackward, kThreads };

struct Way {
  Order order;
  bool at_end;                             // operands lie before a fence, or after one
  unsigned char noise;                     // in results and scratch
  int result_over = -1, input_under = -1;  // a result that lies on an input
};

using Bytes = std::vector<unsigned char>;

// The results. Throws std::runtime_error where the kernel wrote what it must not; a touched fence ends the process.
std::vector<Bytes> run_step(const OwnedSpec& spec, const StepPlan& plan, const std::vector<Bytes>& inputs,
                            const Way& way);

}  // namespace striate
