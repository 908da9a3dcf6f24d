#include "base/affinity.h"

namespace striate {

AffinityMask AffinityMask::of_this_thread() {
  AffinityMask mask;
#if defined(__linux__)
  if (sched_getaffinity(0, sizeof mask.bits_, reinterpret_cast<cpu_set_t*>(mask.bits_)) != 0) mask = {};
#endif
  return mask;
}

int AffinityMask::count() const {
  int n = 0;
  for (const unsigned long word : bits_) n += __builtin_popcountl(word);
  return n;
}

std::vector<int> AffinityMask::cpus() const {
  constexpr int kWord = 8 * sizeof(unsigned long);
  std::vector<int> all;
  for (int i = 0; i < kCpus; ++i) {
    if ((bits_[i / kWord] >> (i % kWord)) & 1) all.push_back(i);
  }
  return all;
}

}  // namespace striate
