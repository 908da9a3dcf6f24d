// The micro-kernels: one tile of at most kTileRows rows by NV vectors, its sums in registers.
//
//   rows_tile:  A given as one pointer a row, k running along it (a product's rows, a convolution's pixels).
//   steps_tile: A given as one pointer a term, the tile's rows running along it (A transposed: weight gradients).
#pragma once

#include "base/epilogue.h"
#include "base/kernel.h"
#include "kernels/gemm/gemm.h"

namespace striate {
namespace {

// Where a tile's sums come from and go to.
struct TileEnds {
  float* acc;  // sums between blocks of terms: acc_stride floats a row, all NV vectors of it writable
  int64_t acc_stride;
  const int32_t* acc_row;  // row of acc for each row of the tile; null: row m
  bool resume;             // start from acc, not from zero
  float* y;                // null: store to acc. Else finish: y[m][j] = clamp(sum + bias[j]), j < n only
  int64_t y_stride;
  int64_t n;
  const float* bias;  // n floats, or null
  float lo, hi;
};

struct RowsTile {
  const float* const* rows;  // M pointers
  const int64_t* segments;   // floats from each pointer at which a run of k terms starts
  int64_t n_segments, k;
  const float* b;    // n_segments * k rows of NV vectors, one after the other
  int64_t b_stride;  // floats from row to row
};

// A packed: M floats a term, one term after the other.
struct PackedTile {
  const float* a;
  int64_t k;
  const float* b;
  int64_t b_stride;
};

struct Step {
  const float* a;  // M floats
  const float* b;  // NV vectors
};
// Terms come from all over an image, so that no hardware foresees them: the kernel asks for what comes kStepsAhead
// steps later. end_steps() gives a list the entries that this reads past its end.
constexpr int64_t kStepsAhead = 8;
[[maybe_unused]] inline void end_steps(Step* steps, int64_t n) {
  for (int64_t i = 0; n > 0 && i < kStepsAhead; ++i) steps[n + i] = steps[n - 1];
}
struct StepsTile {
  const Step* steps;  // n_steps and kStepsAhead more
  int64_t n_steps;
  int64_t a_offset, b_offset;  // floats, added to every step
};

// Terms in runs of `length` that lie evenly: a_step, b_step floats apart.
struct RunStart {
  const float* a;
  int64_t b;  // steps of b from its first
};
struct RunsTile {
  const RunStart* starts;
  int64_t n_runs, length;
  int64_t a_step, a_offset;  // a_offset: floats, added to every start
  const float* b;
  int64_t b_step;
};

template <int M, int NV>
STRIATE_INLINE void begin_tile(Vf (&acc)[M][NV], const TileEnds& e) {
  if (e.y) {  // the lines are here when the sums are
    STRIATE_UNROLL
    for (int m = 0; m < M; ++m) {
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) __builtin_prefetch(e.y + m * e.y_stride + v * kLanes, 1);
    }
  }
  if (!e.resume) {
    STRIATE_UNROLL
    for (int m = 0; m < M; ++m) {
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) acc[m][v] = Vf{};
    }
    return;
  }
  STRIATE_UNROLL
  for (int m = 0; m < M; ++m) {
    const float* from = e.acc + (e.acc_row ? e.acc_row[m] : m) * e.acc_stride;
    STRIATE_UNROLL
    for (int v = 0; v < NV; ++v) acc[m][v] = load(from + v * kLanes);
  }
}

template <int M, int NV>
STRIATE_INLINE void end_tile(const Vf (&acc)[M][NV], const TileEnds& e) {
  if (!e.y) {
    STRIATE_UNROLL
    for (int m = 0; m < M; ++m) {
      float* to = e.acc + (e.acc_row ? e.acc_row[m] : m) * e.acc_stride;
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) store(to + v * kLanes, acc[m][v]);
    }
    return;
  }
  STRIATE_UNROLL
  for (int v = 0; v < NV; ++v) {
    const int n = static_cast<int>(min64(e.n - v * kLanes, kLanes));
    if (n <= 0) continue;
    const Vf bias = e.bias ? load_n(e.bias + v * kLanes, n) : Vf{};
    if (n == kLanes) {
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) store(e.y + m * e.y_stride + v * kLanes, clamp(acc[m][v] + bias, e.lo, e.hi));
    } else {
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) store_n(e.y + m * e.y_stride + v * kLanes, clamp(acc[m][v] + bias, e.lo, e.hi), n);
    }
  }
}

// Terms ahead of which A and B are asked for where they come from beyond the first-level cache: 16 times 14 cycles at
// AVX-512, what the third-level cache takes.
constexpr int64_t kTermsAhead = 16;

// Streaming: B comes from beyond the first-level cache.
template <int M, int NV, bool Streaming>
__attribute__((noinline)) void rows_tile(const RowsTile& t, const TileEnds& e) {
  Vf acc[M][NV];
  begin_tile<M, NV>(acc, e);
  const float* p[M];
  STRIATE_UNROLL
  for (int m = 0; m < M; ++m) p[m] = t.rows[m];
  const float* b = t.b;
  const int64_t b_stride = t.b_stride;
  for (int64_t s = 0; s < t.n_segments; ++s) {
    int64_t i = t.segments[s];
    const int64_t end = i + t.k;
    for (; i < end; ++i, b += b_stride) {
      Vf bv[NV];
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) {
        bv[v] = load(b + v * kLanes);
        if (Streaming) __builtin_prefetch(b + kTermsAhead * b_stride + v * kLanes);
      }
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) {
        const Vf x = splat(p[m][i]);
        STRIATE_UNROLL
        for (int v = 0; v < NV; ++v) acc[m][v] += x * bv[v];
      }
    }
  }
  end_tile<M, NV>(acc, e);
}

template <int M, int NV>
__attribute__((noinline)) void packed_tile(const PackedTile& t, const TileEnds& e) {
  Vf acc[M][NV];
  begin_tile<M, NV>(acc, e);
  const float *a = t.a, *b = t.b;
  const int64_t b_stride = t.b_stride;
  for (const float* end = a + t.k * M; a < end; a += M, b += b_stride) {
    Vf bv[NV];
    STRIATE_UNROLL
    for (int v = 0; v < NV; ++v) {
      bv[v] = load(b + v * kLanes);
      __builtin_prefetch(b + kTermsAhead * b_stride + v * kLanes);
    }
    __builtin_prefetch(a + kTermsAhead * M);
    STRIATE_UNROLL
    for (int m = 0; m < M; ++m) {
      const Vf x = splat(a[m]);
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) acc[m][v] += x * bv[v];
    }
  }
  end_tile<M, NV>(acc, e);
}

template <int M, int NV>
__attribute__((noinline)) void steps_tile(const StepsTile& t, const TileEnds& e) {
  Vf acc[M][NV];
  begin_tile<M, NV>(acc, e);
  const int64_t a_offset = t.a_offset, b_offset = t.b_offset;
  for (const Step *s = t.steps, *end = s + t.n_steps; s < end; ++s) {
    const float* a = s->a + a_offset;
    const float* b = s->b + b_offset;
    const float* later = s[kStepsAhead].a + a_offset;
    __builtin_prefetch(later);
    if (M > 1) __builtin_prefetch(later + M - 1);
    Vf bv[NV];
    STRIATE_UNROLL
    for (int v = 0; v < NV; ++v) bv[v] = load(b + v * kLanes);
    STRIATE_UNROLL
    for (int m = 0; m < M; ++m) {
      const Vf x = splat(a[m]);
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) acc[m][v] += x * bv[v];
    }
  }
  end_tile<M, NV>(acc, e);
}

template <int M, int NV>
__attribute__((noinline)) void runs_tile(const RunsTile& t, const TileEnds& e) {
  Vf acc[M][NV];
  begin_tile<M, NV>(acc, e);
  const int64_t a_step = t.a_step, b_step = t.b_step;
  for (int64_t r = 0; r < t.n_runs; ++r) {
    const float* a = t.starts[r].a + t.a_offset;
    const float* b = t.b + t.starts[r].b * b_step;
    for (const float* end = b + t.length * b_step; b < end; a += a_step, b += b_step) {
      Vf bv[NV];
      STRIATE_UNROLL
      for (int v = 0; v < NV; ++v) {
        bv[v] = load(b + v * kLanes);
        __builtin_prefetch(b + kTermsAhead * b_step + v * kLanes);
      }
      STRIATE_UNROLL
      for (int m = 0; m < M; ++m) {
        const Vf x = splat(a[m]);
        STRIATE_UNROLL
        for (int v = 0; v < NV; ++v) acc[m][v] += x * bv[v];
      }
    }
  }
  end_tile<M, NV>(acc, e);
}

#define STRIATE_TILE_CASE(kernel, m, ...)                              \
  case m:                                                              \
    if constexpr (m <= kTileRows) return kernel<m, __VA_ARGS__>(t, e); \
    break;
#define STRIATE_TILE_SWITCH(kernel, rows, ...) \
  switch (rows) {                              \
    STRIATE_TILE_CASE(kernel, 1, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 2, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 3, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 4, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 5, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 6, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 7, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 8, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 9, __VA_ARGS__)  \
    STRIATE_TILE_CASE(kernel, 10, __VA_ARGS__) \
    STRIATE_TILE_CASE(kernel, 11, __VA_ARGS__) \
    STRIATE_TILE_CASE(kernel, 12, __VA_ARGS__) \
    STRIATE_TILE_CASE(kernel, 13, __VA_ARGS__) \
    STRIATE_TILE_CASE(kernel, 14, __VA_ARGS__) \
  }

template <int NV, bool Streaming>
inline void run_rows_nv(int64_t m, const RowsTile& t, const TileEnds& e) {
  STRIATE_TILE_SWITCH(rows_tile, m, NV, Streaming)
}
template <int NV>
inline void run_packed_nv(int64_t m, const PackedTile& t, const TileEnds& e) {
  STRIATE_TILE_SWITCH(packed_tile, m, NV)
}
template <int NV>
inline void run_steps_nv(int64_t m, const StepsTile& t, const TileEnds& e) {
  STRIATE_TILE_SWITCH(steps_tile, m, NV)
}
template <int NV>
inline void run_runs_nv(int64_t m, const RunsTile& t, const TileEnds& e) {
  STRIATE_TILE_SWITCH(runs_tile, m, NV)
}

// `n` columns of a panel are wanted: one vector does where it holds them.
template <bool Streaming>
inline void run_rows(int64_t m, int64_t n, const RowsTile& t, const TileEnds& e) {
  n > kLanes ? run_rows_nv<2, Streaming>(m, t, e) : run_rows_nv<1, Streaming>(m, t, e);
}
[[maybe_unused]] inline void run_packed(int64_t m, int64_t n, const PackedTile& t, const TileEnds& e) {
  n > kLanes ? run_packed_nv<2>(m, t, e) : run_packed_nv<1>(m, t, e);
}
[[maybe_unused]] inline void run_steps(int64_t m, int64_t n, const StepsTile& t, const TileEnds& e) {
  n > kLanes ? run_steps_nv<2>(m, t, e) : run_steps_nv<1>(m, t, e);
}
[[maybe_unused]] inline void run_runs(int64_t m, int64_t n, const RunsTile& t, const TileEnds& e) {
  n > kLanes ? run_runs_nv<2>(m, t, e) : run_runs_nv<1>(m, t, e);
}

// Tiles of n rows, evenly filled: a last tile of one row would run at an eighth of the speed.
[[maybe_unused]] inline int64_t tiles_of(int64_t n) { return (n + kTileRows - 1) / kTileRows; }

}  // namespace
}  // namespace striate
