// conv2d_moments: mean and squares about it of each tile's outputs, taken right after they are written, while they lie
// in the first-level cache, and joined to those of the tiles before it in its run; runs are joined in their order
// (base/moments.h). y has the bits of conv2d.
#pragma once

#include "base/moments.h"
#include "kernels/conv_winograd/forward.h"

namespace striate {
namespace {

// Tiles of a run at most: their sums are then no deeper than those of kMomentRows rows.
constexpr int64_t kRunTiles = 40;

// The outputs of a tile, and how many of its run's lie before them.
struct TileOutputs {
  const float* y;  // the first
  int64_t line, channels;
  int64_t rows, cols, before;
};

STRIATE_INLINE void store_few(float* p, Vf v, int64_t n) {
  n == kLanes ? store(p, v) : store_n(p, v, static_cast<int>(n));
}

// Of n <= kLanes channels, less `base`. kRows = 4 keeps a whole tile in registers; 0 takes any number of rows.
template <int kRows, int kCols>
STRIATE_INLINE Moments tile_moments(const TileOutputs& o, int64_t c, Vf base, float share, int64_t n) {
  const float* y = o.y + c;
  Vf sum = {}, squares = {};
  if constexpr (kRows > 0) {
    Vf r[kRows][kCols];
    STRIATE_UNROLL
    for (int i = 0; i < kRows; ++i) {
      STRIATE_UNROLL
      for (int j = 0; j < kCols; ++j) r[i][j] = load_few(y + i * o.line + j * o.channels, n) - base;
      sum += (r[i][0] + r[i][1]) + (r[i][2] + r[i][3]);
    }
    const Vf mean = sum * splat(share);
    STRIATE_UNROLL
    for (int i = 0; i < kRows; ++i) {
      STRIATE_UNROLL
      for (int j = 0; j < kCols; ++j) r[i][j] = (r[i][j] - mean) * (r[i][j] - mean);
      squares += (r[i][0] + r[i][1]) + (r[i][2] + r[i][3]);
    }
    return {mean, squares};
  }
  for (int64_t i = 0; i < o.rows; ++i) {
    Vf row = {};
    STRIATE_UNROLL
    for (int j = 0; j < kCols; ++j) row += load_few(y + i * o.line + j * o.channels, n) - base;
    sum += row;
  }
  const Vf mean = sum * splat(share);
  for (int64_t i = 0; i < o.rows; ++i) {
    Vf row = {};
    STRIATE_UNROLL
    for (int j = 0; j < kCols; ++j) {
      const Vf d = (load_few(y + i * o.line + j * o.channels, n) - base) - mean;
      row += d * d;
    }
    squares += row;
  }
  return {mean, squares};
}

template <int kRows, int kCols>
STRIATE_INLINE void join_vector(const TileOutputs& o, const MomentsTo& to, int64_t c, float one, float share,
                                float weight, int64_t n) {
  const Vf base = load_few(o.before > 0 ? to.base + c : o.y + c, n);
  Moments m = tile_moments<kRows, kCols>(o, c, base, one, n);
  if (o.before > 0)
    m = joined({load_few(to.mean + c, n), load_few(to.squares + c, n)}, m, share, weight);
  else
    store_few(to.base + c, base, n);
  store_few(to.mean + c, m.mean, n);
  store_few(to.squares + c, m.squares, n);
}

// Joins a tile to its run, for `width` channels; the first begins the run.
template <int kRows, int kCols>
STRIATE_NOINLINE void join_tile(const TileOutputs& o, int64_t width, const MomentsTo& to) {
  const float own = static_cast<float>(o.rows * kCols), before = static_cast<float>(o.before);
  const float one = 1.0f / own, share = own / (before + own), weight = before * share;
  int64_t c = 0;
  for (; c + kLanes <= width; c += kLanes) join_vector<kRows, kCols>(o, to, c, one, share, weight, kLanes);
  if (c < width) join_vector<kRows, kCols>(o, to, c, one, share, weight, width - c);
}
inline void join_any_tile(const TileOutputs& o, int64_t width, const MomentsTo& to) {
  if (o.cols == 1) return join_tile<0, 1>(o, width, to);
  if (o.cols == 2) return join_tile<0, 2>(o, width, to);
  if (o.cols == 3) return join_tile<0, 3>(o, width, to);
  return o.rows == 4 ? join_tile<4, 4>(o, width, to) : join_tile<0, 4>(o, width, to);
}

struct ForwardMoments {
  Forward forward;  // first, so that its own phases find it
  int64_t blocks;   // of tiles: the forward's, or each tile is one
  int64_t cuts;     // runs of a block
  MomentBlocks runs;
  int64_t from;  // of scratch, in bytes: behind the forward's

  float* at(const StepArgs& args) const { return floats_at(args.scratch, from); }
  Part run(int64_t i) const {
    const Part block = part_of(forward.tiles.count(), blocks, i / cuts);
    const Part cut = part_of(block.end - block.begin, cuts, i % cuts);
    return {block.begin + cut.begin, block.begin + cut.end};
  }
  // Outputs of a run, by the kinds of its tiles.
  int64_t pixels(Part run) const {
    const Tiles& t = forward.tiles;
    int64_t sum = 0;
    for (int kind = 0; kind < 4; ++kind) {
      const int64_t begin = max64(run.begin, kind > 0 ? t.end[kind - 1] : 0), end = min64(run.end, t.end[kind]);
      const int64_t rows = kind == 0 || kind == 3 ? t.rows.out % kOutputs : kOutputs;
      const int64_t cols = kind >= 2 ? t.cols.out % kOutputs : kOutputs;
      sum += max64(end - begin, 0) * rows * cols;
    }
    return sum;
  }
};

// The tile of run `run` that has been written to r, `before` outputs of it lie before; returns its outputs.
inline int64_t take_tile(const StepArgs& args, const ForwardMoments& p, int64_t run, int64_t tile, const Result& r,
                         int64_t before) {
  const Forward& f = p.forward;
  const Outputs o = outputs_of(f.tiles, f.tiles.at(tile));
  const int64_t column = r.y - args.ptr<float>(f.result());
  join_any_tile({r.y + o.first * r.channels, f.tiles.cols.out * r.channels, r.channels, o.rows, o.cols, before},
                r.width, p.runs.at(p.at(args), run, column));
  return o.rows * o.cols;
}

inline void moments_block(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const ForwardMoments& p = args.as<ForwardMoments>();
  const Forward& f = p.forward;
  block_with(args, piece, thread_scratch, [&](int64_t number, Part block, const float* m, const Result& r) {
    for (int64_t i = number * p.cuts; i < (number + 1) * p.cuts; ++i) {
      const Part run = p.run(i);
      int64_t before = 0;
      for (int64_t t = run.begin; t < run.end; ++t) {
        output_tile(f.tiles, t, m, t - block.begin, f.room, f.group, r);
        before += take_tile(args, p, i, t, r, before);
      }
    }
  });
}
inline void moments_together(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const ForwardMoments& p = args.as<ForwardMoments>();
  const int64_t tiles = p.forward.tiles.count(), tile = piece % tiles;
  together_output(args, piece, thread_scratch);
  take_tile(args, p, tile, tile, result_of(args, p.forward, piece / tiles, {0, p.forward.filters.panels()}), 0);
}
inline void moments_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const ForwardMoments& p = args.as<ForwardMoments>();
  const int y = p.forward.result();
  join_moments(
      p.runs, p.at(args), piece, [&p](int64_t i) { return p.pixels(p.run(i)); }, args.ptr<float>(y + 1),
      args.ptr<float>(y + 2));
}

inline const char* plan_moments(const Conv& c, const Tiles& t, bool has_bias, const Norming& norm, StepPlan* plan) {
  if (t.count() == 0) return "takes one pixel at least";
  if (const char* why = plan_forward(c, t, false, has_bias, When::kFirst, Give::kOutputs, norm, plan)) return why;
  ForwardMoments p = {};
  std::memcpy(&p.forward, plan->params, sizeof p.forward);
  const Forward& f = p.forward;
  p.blocks = f.together ? t.count() : f.blocks;
  p.cuts = f.together ? 1 : ceil_div(f.room, kRunTiles);
  p.runs = moment_blocks(p.blocks * p.cuts, c.out_channels);
  p.from = static_cast<int64_t>((plan->scratch_bytes + kAlignment - 1) / kAlignment * kAlignment);
  plan->scratch_bytes = static_cast<size_t>(p.from + p.runs.floats() * 4);
  plan->phases[plan->n_phases - 1].run = f.together ? moments_together : moments_block;
  plan->add_phase(moments_join, ceil_div(p.runs.columns, kJoined));
  plan->set_params(p);
  return nullptr;
}

}  // namespace
}  // namespace striate
