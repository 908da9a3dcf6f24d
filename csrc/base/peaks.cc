#include "base/peaks.h"

#include "base/simd.h"  // for STRIATE_UNROLL

namespace striate {
namespace {

// Ten chains: two units at four to five cycles' latency, and no more than sixteen registers hold.
constexpr int kChains = 10;
// Vectors of a turn of the loops over memory.
constexpr int kStreams = 8;

// The loops at one width. The function's own `target`, not the file's, brings the instructions, so that nothing else
// here can use them; products are contracted by the file's flag (CMakeLists.txt).
#define STRIATE_PEAK_LOOPS(isa, target_, bytes)                                                                      \
  namespace isa {                                                                                                    \
  constexpr int64_t kLanes = (bytes) / 4;                                                                            \
  typedef float V __attribute__((vector_size(bytes), aligned(4), may_alias));                                        \
  target_ void keep(const V* sums, int n) {                                                                          \
    volatile float sink = 0;                                                                                         \
    for (int i = 0; i < n; ++i)                                                                                      \
      for (int64_t lane = 0; lane < kLanes; ++lane) sink = sink + sums[i][lane];                                     \
  }                                                                                                                  \
  target_ double fma(int64_t turns) {                                                                                \
    volatile float scale_source = 0.999f, add_source = 0.001f; /* not known to the compiler */                       \
    const V scale = scale_source - V{}, add = add_source - V{};                                                      \
    V sum[kChains];                                                                                                  \
    for (int i = 0; i < kChains; ++i) sum[i] = static_cast<float>(i) - V{};                                          \
    for (int64_t t = 0; t < turns; ++t)                                                                              \
      STRIATE_UNROLL for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * scale + add;                                \
    keep(sum, kChains);                                                                                              \
    return 2.0 * kChains * static_cast<double>(kLanes) * static_cast<double>(turns);                                 \
  }                                                                                                                  \
  target_ double read(const float* x, int64_t n, int64_t turns) {                                                    \
    constexpr int64_t kStep = kStreams * kLanes;                                                                     \
    V sum[kStreams] = {};                                                                                            \
    for (int64_t t = 0; t < turns; ++t)                                                                              \
      for (int64_t i = 0; i + kStep <= n; i += kStep)                                                                \
        STRIATE_UNROLL for (int v = 0; v < kStreams; ++v) sum[v] += *reinterpret_cast<const V*>(x + i + v * kLanes); \
    keep(sum, kStreams);                                                                                             \
    return 4.0 * static_cast<double>(n / kStep * kStep) * static_cast<double>(turns);                                \
  }                                                                                                                  \
  target_ double copy(const float* x, float* y, int64_t n, int64_t turns) {                                          \
    constexpr int64_t kStep = kStreams * kLanes;                                                                     \
    for (int64_t t = 0; t < turns; ++t)                                                                              \
      for (int64_t i = 0; i + kStep <= n; i += kStep)                                                                \
        STRIATE_UNROLL for (int v = 0; v < kStreams; ++v) * reinterpret_cast<V*>(y + i + v * kLanes) =               \
            *reinterpret_cast<const V*>(x + i + v * kLanes);                                                         \
    return 8.0 * static_cast<double>(n / kStep * kStep) * static_cast<double>(turns);                                \
  }                                                                                                                  \
  }

STRIATE_PEAK_LOOPS(narrow, , 16)
#if defined(__x86_64__)
STRIATE_PEAK_LOOPS(avx2, __attribute__((target("avx2,fma"))), 32)
STRIATE_PEAK_LOOPS(avx512, __attribute__((target("avx512f"))), 64)
#endif
#undef STRIATE_PEAK_LOOPS

}  // namespace

#if defined(__x86_64__)
#define STRIATE_BY_ISA(isa, call)                 \
  if ((isa) == Isa::kAvx512) return avx512::call; \
  if ((isa) == Isa::kAvx2) return avx2::call;     \
  return narrow::call
#else
#define STRIATE_BY_ISA(isa, call) \
  static_cast<void>(isa);         \
  return narrow::call
#endif

double fma_loop(Isa isa, int64_t turns) { STRIATE_BY_ISA(isa, fma(turns)); }
double read_loop(Isa isa, const float* x, int64_t n, int64_t turns) { STRIATE_BY_ISA(isa, read(x, n, turns)); }
double copy_loop(Isa isa, const float* x, float* y, int64_t n, int64_t turns) {
  STRIATE_BY_ISA(isa, copy(x, y, n, turns));
}

}  // namespace striate
