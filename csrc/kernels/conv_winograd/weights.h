// conv2d_grad_w, in rounds of tiles.
#pragma once

#include "kernels/conv_winograd/forward.h"

namespace striate {
namespace {

// What a round's transformed tiles come to at most: they are written, and read by every panel, in the third-level
// cache.
constexpr int64_t kRoundBytes = 4 * 1024 * 1024;
constexpr int64_t kMoveTiles = 4;   // tiles of a transforming piece
constexpr int64_t kSumTiles = 128;  // tiles between storing and reloading sums: 16 KiB of a panel at AVX-512
constexpr int64_t kSumPanels = 4;   // panels of a product's piece

struct GradFilters {
  Tiles tiles;
  Filters filters;
  int64_t rounds, room;  // room: tiles of a round at most
  int64_t move_pieces, groups;
  int64_t u_bytes, v_bytes;

  Part round(int64_t i) const { return part_of(tiles.count(), rounds, i); }
};

inline void grad_w_move(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const GradFilters& f = args.as<GradFilters>();
  const Part round = f.round(args.round), part = part_of(round.end - round.begin, f.move_pieces, piece);
  float* zeros = floats_at(thread_scratch, 0);
  clear(zeros, zeros_floats(max64(f.filters.channels, f.filters.width)));
  const Image x = {args.ptr<const float>(0), f.filters.channels, zeros};
  const Image g = {args.ptr<const float>(1), f.filters.width, zeros};
  float* v = floats_at(args.scratch, f.u_bytes);
  float* m = floats_at(args.scratch, f.u_bytes + f.v_bytes);
  for (int64_t t = part.begin; t < part.end; ++t) {
    input_tile(f.tiles, round.begin + t, x, v, t, f.room);
    grad_tile(f.tiles, round.begin + t, g, m, t, f.room);
  }
}

// One point, all channels, a few panels.
inline void grad_w_sum(const StepArgs& args, int64_t piece, unsigned char*) {
  const GradFilters& f = args.as<GradFilters>();
  const int64_t p = piece / f.groups, channels = f.filters.channels, panels = f.filters.panels();
  const Part group = part_of(panels, f.groups, piece % f.groups), round = f.round(args.round);
  const Part need = f.tiles.needing(static_cast<int>(p / 6), static_cast<int>(p % 6), round);
  float* u = floats_at(args.scratch, 0) + p * u_floats(panels, channels);
  const float* v = floats_at(args.scratch, f.u_bytes) + p * v_floats(channels, f.room);
  const float* m = floats_at(args.scratch, f.u_bytes + f.v_bytes) + p * m_floats(panels, f.room);
  if (need.begin == need.end) {
    if (args.round == 0) clear(u + group.begin * channels * kPanel, (group.end - group.begin) * channels * kPanel);
    return;
  }
  const int64_t steps = ceil_div(need.end - need.begin, kSumTiles);
  for (int64_t s = 0; s < steps; ++s) {
    const Part part = part_of(need.end - need.begin, steps, s);
    const int64_t first = need.begin + part.begin, count = part.end - part.begin;
    const bool resume = args.round > 0 || s > 0;
    for (int64_t panel = group.begin; panel < group.end; ++panel) {
      const float* g = m + (panel * f.room + first) * kPanel;
      const bool wide = f.filters.width - panel * kPanel > kLanes;
      for (int64_t c0 = 0; c0 < channels; c0 += kChunk) {
        const int64_t n = min64(kChunk, channels - c0), parts = ceil_div(n, kSumRows);
        for (int64_t i = 0; i < parts; ++i) {
          const Part rows = part_of(n, parts, i);
          const float* from = v + c0 * f.room + first * kChunk + rows.begin;
          float* sums = u + (panel * channels + c0 + rows.begin) * kPanel;
          if (wide) {
            run_sums_nv<2>(rows.end - rows.begin, from, g, count, sums, resume);
          } else {
            run_sums_nv<1>(rows.end - rows.begin, from, g, count, sums, resume);
          }
        }
      }
    }
  }
}

inline void grad_w_finish(const StepArgs& args, int64_t piece, unsigned char*) {
  const GradFilters& f = args.as<GradFilters>();
  if (args.round + 1 == f.rounds) filter_grad_piece(f.filters, floats_at(args.scratch, 0), piece, args.ptr<float>(2));
}

inline const char* plan_grad_w_winograd(const Conv& c, const Tiles& t, StepPlan* plan) {
  GradFilters f = {};
  f.tiles = t;
  f.filters = {c.in_channels, c.out_channels, false};
  const int64_t tiles = f.tiles.count(), panels = f.filters.panels();
  const int64_t tile_bytes = 36 * 4 * (chunks_of(c.in_channels) * kChunk + panels * kPanel);
  const int64_t fit = max64(kSumTiles, kRoundBytes / tile_bytes / kSumTiles * kSumTiles);
  f.rounds = max64(1, ceil_div(tiles, fit));
  f.room = max64(1, ceil_div(tiles, f.rounds));
  f.move_pieces = ceil_div(f.room, kMoveTiles);
  f.groups = ceil_div(panels, kSumPanels);
  f.u_bytes = 36 * 4 * u_floats(panels, c.in_channels);
  f.v_bytes = 36 * 4 * v_floats(c.in_channels, f.room);
  plan->scratch_bytes = static_cast<size_t>(f.u_bytes + f.v_bytes + 36 * 4 * m_floats(panels, f.room));
  plan->thread_scratch_bytes = static_cast<size_t>(zeros_floats(max64(c.in_channels, c.out_channels)) * 4);
  plan->flops = c.flops();
  plan->rounds = f.rounds;
  plan->add_phase(grad_w_move, f.move_pieces);
  plan->add_phase(grad_w_sum, 36 * f.groups);
  plan->add_phase(grad_w_finish, f.filters.pieces());
  plan->set_params(f);
  return nullptr;
}

}  // namespace
}  // namespace striate
