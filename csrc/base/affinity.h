// The CPUs a thread may run on.
#pragma once

#include <cstring>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace striate {

// A copy of a thread's mask, cheap enough (one system call, some 100 ns) to take at each run and compare with the last:
// masks change while a process runs (os.sched_setaffinity, taskset -p). Nothing where the system has no masks.
class AffinityMask {
 public:
  static AffinityMask of_this_thread();

  bool operator==(const AffinityMask& other) const { return std::memcmp(bits_, other.bits_, sizeof bits_) == 0; }
  bool operator!=(const AffinityMask& other) const { return !(*this == other); }
  int count() const;
  std::vector<int> cpus() const;  // their numbers, ascending; empty where the system does not say

 private:
  static constexpr int kCpus = 8192;  // what Linux can be built for
  unsigned long bits_[kCpus / (8 * sizeof(unsigned long))] = {};
};

}  // namespace striate
