// How many threads are worth starting here: cores, affinity and container quota.
#pragma once

#include <string>

namespace striate {

struct Machine {
  int cpus;            // logical CPUs the calling thread may run on (its affinity mask)
  int physical_cores;  // different cores among them: two threads of one core share its FMA units
  double quota;        // CPUs the container may use at a time (cgroup v1 or v2), 0 where there is no limit; may be 1.5
  int threads;  // the default: physical cores, at most the quota rounded up (1.5 -> 2: half a core is still help)
  const char* source;  // what decided: "physical cores", "cgroup quota" or "STRIATE_NUM_THREADS"
  bool fixed;          // by STRIATE_NUM_THREADS: no mask and no quota changes `threads`
  bool may_spin;       // false where the quota is below the mask: time spent spinning is taken from the work
};

// Looks anew each time. `root` goes before /proc and /sys, for tests; the affinity mask is always the live one.
Machine look_at_machine(const std::string& root = "");

}  // namespace striate
