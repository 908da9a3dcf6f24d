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

enum class Denormals { kFlush, kKeep };  // kKeep: the arithmetic a process starts with

// For the life of this object, on this thread; what was set before comes back.
class FloatEnv {
 public:
#if defined(__x86_64__)
  explicit FloatEnv(Denormals d = Denormals::kFlush) : saved_(_mm_getcsr()) {
    _mm_setcsr(0x1f80u | (d == Denormals::kFlush ? 0x8040u : 0u));  // all masked, nearest; FTZ and DAZ
  }
  ~FloatEnv() { _mm_setcsr(saved_); }
#elif defined(__aarch64__)
  explicit FloatEnv(Denormals d = Denormals::kFlush) {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
    const uint64_t mode = d == Denormals::kFlush ? uint64_t{1} << 24 : 0;  // FZ; rounding bits 0 are to nearest
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
  }
  ~FloatEnv() { __asm__ volatile("msr fpcr, %0" : : "r"(saved_)); }
#else
  explicit FloatEnv(Denormals = Denormals::kFlush) : saved_(0) {}
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
