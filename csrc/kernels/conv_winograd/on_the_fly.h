// Products of at most four tiles with filters that are transformed while they are multiplied.
//
// U is four times as large as w, and each of its numbers is used once a tile: for one image of a 7x7 map, reading U
// takes longer than the products. Here a column of six points of U is made in registers, a channel and a vector of
// filters at a time, and used at once; w is read where U was. To store U and read it again from a second-level cache
// took as long as what it saved: every number is written and read there for four multiplications.
//
// The same transforms, and sums in the same order, as where U is kept: the same bits. Wants 24 vectors of sums and 8
// more, so AVX-512 has it alone.
//
// w packed: [group][vector of filters][channel][tap][kLanes]; zeros past the last filter of a group. In HWIO the nine
// taps of a channel lie a power of two apart, more often than not, and share sets of the caches.
#pragma once

#include "kernels/conv_winograd/move.h"
#include "kernels/conv_winograd/products.h"

namespace striate {
namespace {

#if defined(__AVX512F__)
constexpr bool kFlies = true;
#else
constexpr bool kFlies = false;
#endif
constexpr int64_t kFlyTaps = 9;
constexpr int64_t kFlyTiles = 4;
constexpr int64_t kFlyChannels = 2 * kChunk;  // between storing and reloading sums: their taps and V, 36 KiB, and M

[[maybe_unused]] inline int64_t fly_vectors(const Filters& f) { return ceil_div(f.width, kLanes); }
[[maybe_unused]] inline int64_t fly_floats(const Filters& f) {  // of a group
  return fly_vectors(f) * f.channels * kFlyTaps * kLanes;
}

#if defined(__AVX512F__)
// A column of points: six of V, M and the tiles that need them.
struct FlyColumn {
  const float* taps;
  const float* v;         // point 0, the first tile that needs points 1 to 4
  int64_t v_row, v_step;  // floats from point to point, from chunk to chunk
  float* m;
  int64_t m_row;
  int64_t first0, first5;  // the first tiles that need points 0 and 5, counted from that
};

// Adds the products of `channels` channels to M: B is the column, of T tiles; T0 and T5 of them need points 0 and 5.
template <int B, int T, int T0, int T5>
__attribute__((noinline)) void fly_column(const FlyColumn& f, int64_t channels, bool resume) {
  constexpr int kInner = 4;
  Vf sums[kInner][T], sums0[T0], sums5[T5 > 0 ? T5 : 1];
  float* m0 = f.m + f.first0 * kPanel;
  float* m5 = f.m + 5 * f.m_row + f.first5 * kPanel;
  STRIATE_UNROLL
  for (int a = 0; a < kInner; ++a) {
    STRIATE_UNROLL
    for (int t = 0; t < T; ++t) sums[a][t] = resume ? load(f.m + (a + 1) * f.m_row + t * kPanel) : Vf{};
  }
  STRIATE_UNROLL
  for (int t = 0; t < T0; ++t) sums0[t] = resume ? load(m0 + t * kPanel) : Vf{};
  STRIATE_UNROLL
  for (int t = 0; t < T5; ++t) sums5[t] = resume ? load(m5 + t * kPanel) : Vf{};
  const float* w = f.taps;
  const float* v = f.v;
  for (int64_t left = channels; left > 0; left -= kChunk, v += f.v_step) {
    const float *v0 = v + f.first0 * kChunk, *v1 = v + f.v_row, *v2 = v1 + f.v_row, *v3 = v2 + f.v_row,
                *v4 = v3 + f.v_row, *v5 = v4 + f.v_row + f.first5 * kChunk;
    const int64_t n = min64(left, kChunk);
    for (int64_t c = 0; c < n; ++c, w += kFlyTaps * kLanes) {
      // The taps of the next channels, or filters: nine lines in six columns.
      const float* next = w + kFlyChannels * kFlyTaps * kLanes;
      __builtin_prefetch(next + (B < 3 ? 2 * B : B + 3) * kLanes, 0, 2);
      if (B < 3) __builtin_prefetch(next + (2 * B + 1) * kLanes, 0, 2);
      Vf rows[3], u[6];
      STRIATE_UNROLL
      for (int a = 0; a < 3; ++a) {
        const Vf taps[3] = {load(w + 3 * a * kLanes), load(w + (3 * a + 1) * kLanes), load(w + (3 * a + 2) * kLanes)};
        transform_filter(taps, u);
        rows[a] = u[B];
      }
      transform_filter(rows, u);
      STRIATE_UNROLL
      for (int t = 0; t < T0; ++t) sums0[t] += splat(v0[t * kChunk + c]) * u[0];
      STRIATE_UNROLL
      for (int t = 0; t < T; ++t) sums[0][t] += splat(v1[t * kChunk + c]) * u[1];
      STRIATE_UNROLL
      for (int t = 0; t < T; ++t) sums[1][t] += splat(v2[t * kChunk + c]) * u[2];
      STRIATE_UNROLL
      for (int t = 0; t < T; ++t) sums[2][t] += splat(v3[t * kChunk + c]) * u[3];
      STRIATE_UNROLL
      for (int t = 0; t < T; ++t) sums[3][t] += splat(v4[t * kChunk + c]) * u[4];
      STRIATE_UNROLL
      for (int t = 0; t < T5; ++t) sums5[t] += splat(v5[t * kChunk + c]) * u[5];
    }
  }
  STRIATE_UNROLL
  for (int a = 0; a < kInner; ++a) {
    STRIATE_UNROLL
    for (int t = 0; t < T; ++t) store(f.m + (a + 1) * f.m_row + t * kPanel, sums[a][t]);
  }
  STRIATE_UNROLL
  for (int t = 0; t < T0; ++t) store(m0 + t * kPanel, sums0[t]);
  STRIATE_UNROLL
  for (int t = 0; t < T5; ++t) store(m5 + t * kPanel, sums5[t]);
}

// How many of a column's tiles need its points: 1 to 4, 0, and 5. All that one image of 4 to 8 rows and columns gives.
// Left out, for code's sake: three tiles side by side, and several whose only row leaves out point 5 (maps of 3 rows).
#define STRIATE_FLY_SHAPES(f) f(4, 4, 4) f(4, 4, 2) f(4, 2, 2) f(2, 2, 2) f(2, 2, 1) f(2, 1, 1) f(1, 1, 1) f(1, 1, 0)

struct FlyShape {
  Part inner, edge0, edge5;  // tiles

  FlyShape(const Tiles& tiles, int column) {
    const Part all = {0, tiles.count()};
    inner = tiles.needing(1, column, all);
    edge0 = tiles.needing(0, column, all);
    edge5 = tiles.needing(5, column, all);
  }
  bool is(int64_t t, int64_t t0, int64_t t5) const {
    return inner.end - inner.begin == t && edge0.end - edge0.begin == t0 && edge5.end - edge5.begin == t5;
  }
};

// A column that no tile needs is taken too.
inline bool flies(const Tiles& tiles) {
  if (tiles.points() != 6 || tiles.count() < 1 || tiles.count() > kFlyTiles) return false;
  for (int column = 0; column < 6; ++column) {
    const FlyShape s(tiles, column);
    bool found = s.inner.begin == s.inner.end;
#define STRIATE_FLY_TAKES(t, t0, t5) found = found || s.is(t, t0, t5);
    STRIATE_FLY_SHAPES(STRIATE_FLY_TAKES)
#undef STRIATE_FLY_TAKES
    if (!found) return false;
  }
  return true;
}

template <int B>
inline void run_fly_column(const Tiles& tiles, FlyColumn f, int64_t channels, bool resume) {
  const FlyShape s(tiles, B);
  f.v += s.inner.begin * kChunk;
  f.m += s.inner.begin * kPanel;
  f.first0 = s.edge0.begin - s.inner.begin;
  f.first5 = s.edge5.begin - s.inner.begin;
#define STRIATE_FLY_RUN(t, t0, t5) \
  if (s.is(t, t0, t5)) return fly_column<B, t, t0, t5>(f, channels, resume);
  STRIATE_FLY_SHAPES(STRIATE_FLY_RUN)
#undef STRIATE_FLY_RUN
}

// M of all tiles and of panels [panels) is made of V and w, packed, of one group of the convolution. V has room for
// `room` tiles, M for them and `group` panels.
inline void fly_products(const Tiles& tiles, const Filters& filters, const float* w, const float* v, float* m,
                         int64_t room, int64_t group, Part panels) {
  const int64_t v_point = v_floats(filters.channels, room), m_point = m_floats(group, room);
  const int64_t first = panels.begin * kPanel, past = min64(panels.end * kPanel, filters.width);
  for (int64_t k = first; k < past; k += kLanes) {
    const float* taps = w + k / kLanes * filters.channels * kFlyTaps * kLanes;
    float* to = m + (k - first) / kPanel * room * kPanel + k % kPanel;
    for (int64_t c0 = 0; c0 < filters.channels; c0 += kFlyChannels, taps += kFlyChannels * kFlyTaps * kLanes) {
      const int64_t n = min64(kFlyChannels, filters.channels - c0);
      const auto column = [&](int b) {
        return FlyColumn{
            taps, v + b * v_point + c0 * room, 6 * v_point, room * kChunk, to + b * m_point, 6 * m_point, 0, 0};
      };
      run_fly_column<0>(tiles, column(0), n, c0 > 0);
      run_fly_column<1>(tiles, column(1), n, c0 > 0);
      run_fly_column<2>(tiles, column(2), n, c0 > 0);
      run_fly_column<3>(tiles, column(3), n, c0 > 0);
      run_fly_column<4>(tiles, column(4), n, c0 > 0);
      run_fly_column<5>(tiles, column(5), n, c0 > 0);
    }
  }
}

#else
inline bool flies(const Tiles&) { return false; }
inline void fly_products(const Tiles&, const Filters&, const float*, const float*, float*, int64_t, int64_t, Part) {}
#endif

// ---- w packed, for prediction: made once a change of the weights
struct PackTaps {
  Filters filters;
};
[[maybe_unused]] inline void pack_taps(const StepArgs& args, int64_t piece, unsigned char*) {
  const Filters& f = args.as<PackTaps>().filters;
  const int64_t group = piece / fly_vectors(f), k = piece % fly_vectors(f) * kLanes;
  const int n = static_cast<int>(min64(kLanes, f.width - k));
  const float* from = args.ptr<const float>(0) + group * f.width + k;
  float* to = args.ptr<float>(1) + group * fly_floats(f) + k * f.channels * kFlyTaps;
  for (int64_t c = 0; c < f.channels; ++c)
    for (int64_t tap = 0; tap < kFlyTaps; ++tap, to += kLanes)
      store(to, load_n(from + (tap * f.channels + c) * f.groups * f.width, n));
}
[[maybe_unused]] inline const char* plan_taps(const Filters& filters, StepPlan* plan) {
  plan->add_phase(pack_taps, filters.groups * fly_vectors(filters));
  plan->set_params(PackTaps{filters});
  return nullptr;
}

}  // namespace
}  // namespace striate
