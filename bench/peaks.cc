// Small loops that measure what the machine can do: fused multiply-adds in registers, bytes read, bytes copied. Built by
// bench/machine.py for one instruction set, with the engine's flags; each returns the thread's own CPU seconds.
#include <cstdint>
#include <ctime>

#include "base/simd.h"

namespace {

using namespace striate;

double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Ten chains: two units at four to five cycles' latency, and no more than sixteen registers hold.
constexpr int kChains = 10;

}  // namespace

extern "C" {

// Multiplications and additions of one turn of striate_fma.
__attribute__((visibility("default"))) double striate_fma_flops() { return 2.0 * kChains * kLanes; }

__attribute__((visibility("default"))) double striate_fma(int64_t turns, float* sink) {
  const Vf scale = splat(sink[0]), add = splat(sink[1]);  // from memory: not known to the compiler
  Vf sum[kChains];
  STRIATE_UNROLL
  for (int i = 0; i < kChains; ++i) sum[i] = splat(static_cast<float>(i));
  const double start = cpu_seconds();
  for (int64_t t = 0; t < turns; ++t) {
    STRIATE_UNROLL
    for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * scale + add;
  }
  const double seconds = cpu_seconds() - start;
  STRIATE_UNROLL
  for (int i = 1; i < kChains; ++i) sum[0] += sum[i];
  store(sink + 2, sum[0]);
  return seconds;
}

// n floats, a multiple of eight vectors.
__attribute__((visibility("default"))) double striate_read(const float* x, int64_t n, int64_t turns, float* sink) {
  Vf sum[8] = {};
  const double start = cpu_seconds();
  for (int64_t t = 0; t < turns; ++t)
    for (int64_t i = 0; i < n; i += 8 * kLanes) {
      STRIATE_UNROLL
      for (int v = 0; v < 8; ++v) sum[v] += load(x + i + v * kLanes);
    }
  const double seconds = cpu_seconds() - start;
  for (int v = 1; v < 8; ++v) sum[0] += sum[v];
  store(sink + 2, sum[0]);
  return seconds;
}

__attribute__((visibility("default"))) double striate_copy(const float* x, float* y, int64_t n, int64_t turns) {
  const double start = cpu_seconds();
  for (int64_t t = 0; t < turns; ++t)
    for (int64_t i = 0; i < n; i += 8 * kLanes) {
      STRIATE_UNROLL
      for (int v = 0; v < 8; ++v) store(y + i + v * kLanes, load(x + i + v * kLanes));
    }
  return cpu_seconds() - start;
}
}
