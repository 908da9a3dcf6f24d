// Waiting for another thread by looking again and again, for a short while.
#pragma once

#include <chrono>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace striate {

// About what a sleep and a wake-up cost (some 10 to 60 microseconds): spinning longer would mostly waste more than it
// saves.
constexpr auto kSpin = std::chrono::microseconds(50);
// Between calls that follow each other as fast as a program can make them it does not: while the last wait was no
// longer than this, the next one is spun through. The end of such a row costs this much once.
constexpr auto kSpinInARow = std::chrono::microseconds(400);

inline void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// True when `ready` came true within the spinning time.
template <typename Ready>
bool spin_until(bool may_spin, Ready ready, std::chrono::microseconds longest = kSpin) {
  if (ready()) return true;
  if (!may_spin) return false;
  const auto deadline = std::chrono::steady_clock::now() + longest;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return ready();
}

}  // namespace striate
