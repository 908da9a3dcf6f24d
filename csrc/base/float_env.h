// The arithmetic all kernels are written for: round to nearest, denormals in and out are zero, nothing traps.
//
// Without it a momentum that decays towards zero gets stuck on denormals, and each operation on one costs about a
// hundred cycles.
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace striate {

// For the life of this object, on this thread; what was set before comes back.
class FloatEnv {
 public:
#if defined(__x86_64__)
  FloatEnv() : saved_(_mm_getcsr()) { _mm_setcsr(0x1f80u | 0x8000u | 0x0040u); }  // all masked, nearest; FTZ; DAZ
  ~FloatEnv() { _mm_setcsr(saved_); }
#elif defined(__aarch64__)
  FloatEnv() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
    __asm__ volatile("msr fpcr, %0" : : "r"(uint64_t{1} << 24));  // FZ; rounding bits 0 are to nearest
  }
  ~FloatEnv() { __asm__ volatile("msr fpcr, %0" : : "r"(uint64_t{saved_})); }
#else
  FloatEnv() : saved_(0) {}
#endif
  FloatEnv(const FloatEnv&) = delete;
  FloatEnv& operator=(const FloatEnv&) = delete;

 private:
#if defined(__aarch64__)
  uint64_t saved_;
#else
  [[maybe_unused]] unsigned saved_;
#endif
};

}  // namespace striate
