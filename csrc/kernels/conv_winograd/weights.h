// conv2d_grad_w: a piece is half the columns of points, for some channels and filters, over a part of the tiles.
//
// What a piece writes and reads again stays with its thread: V and dM of one column and a few tiles, in the
// second-level cache. Whole tiles would go by way of the third level, and with two threads from one core's cache to the
// other's, which took as long as a third of the products. The price: pixels are transformed along their rows once a
// column, and V once for each group of filters.
#pragma once

#include "kernels/conv_winograd/columns.h"
#include "kernels/conv_winograd/forward.h"

namespace striate {
namespace {

constexpr int64_t kColumnBytes = 768 * 1024;  // V and dM of a round at most
constexpr int64_t kRoundTiles = 64;           // tiles of a round at most
constexpr int64_t kGroupChannels = 256;       // channels of a piece at most
constexpr int64_t kGroupFilters = 128;        // filters of a piece at most
constexpr int64_t kWantedSums = 4;            // pieces; below, tiles are cut into parts
constexpr int64_t kPartTiles = 256;           // tiles of a part at least: each has sums of its own

struct GradFilters {
  Tiles tiles;
  Filters filters;
  int64_t parts, rounds, room;           // rounds of a part; room: tiles of a round at most
  int64_t channel_groups, panel_groups;  // pieces of half the columns and a part
  int64_t chunks, panels;                // of a group at most
  int64_t v_bytes, m_bytes;              // of a thread

  int64_t part_floats() const { return filters.groups * filters.group_floats(); }
  int64_t groups() const { return channel_groups * panel_groups; }
};

// Two halves of as many tiles: an image's last tile may leave out the first and the last column.
constexpr int kHalfColumns = kMostPoints / 2;
constexpr int kColumns[2][2][kHalfColumns] = {{{1, 2, 0}, {3, 4, 5}}, {{1, 2, 3, 0}, {4, 5, 6, 7}}};

// A piece's share of the sums, and where its transforms lie.
struct GradGroup {
  Part channels, panels;
  int64_t width, all_channels;  // of all groups
  int64_t room;
};

// dU[c][panel] += sum_t V[t][c] dM[t][panel] over `count` tiles of one point.
inline void add_products(const GradGroup& w, const float* v, const float* m, int64_t count, float* u, bool resume) {
  for (int64_t panel = w.panels.begin; panel < w.panels.end; ++panel) {
    const float* g = m + (panel - w.panels.begin) * w.room * kPanel;
    const bool wide = w.width - panel * kPanel > kLanes;
    for (int64_t c0 = w.channels.begin; c0 < w.channels.end; c0 += kChunk) {
      const int64_t n = min64(kChunk, w.channels.end - c0), parts = ceil_div(n, kSumRows);
      for (int64_t i = 0; i < parts; ++i) {
        const Part rows = part_of(n, parts, i);
        const float* from = v + (c0 - w.channels.begin) * w.room + rows.begin;
        float* sums = u + (panel * w.all_channels + c0 + rows.begin) * kPanel;
        if (wide) {
          run_sums_nv<2>(rows.end - rows.begin, from, g, count, sums, resume);
        } else {
          run_sums_nv<1>(rows.end - rows.begin, from, g, count, sums, resume);
        }
      }
    }
  }
}

inline void grad_w_sums(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const GradFilters& f = args.as<GradFilters>();
  const int64_t all_channels = f.filters.channels, all_panels = f.filters.panels(), width = f.filters.width;
  const int64_t group = piece / 2 % f.groups(), conv_group = piece / 2 / f.groups() % f.filters.groups;
  const int64_t index = piece / 2 / f.groups() / f.filters.groups;
  const int points = f.tiles.points();
  const int (&columns)[kHalfColumns] = kColumns[points == 8][piece % 2];
  const Part chunks = part_of(chunks_of(all_channels), f.channel_groups, group / f.panel_groups);
  const GradGroup w = {{chunks.begin * kChunk, min64(chunks.end * kChunk, all_channels)},
                       part_of(all_panels, f.panel_groups, group % f.panel_groups),
                       width,
                       all_channels,
                       f.room};
  const Part filters = {w.panels.begin * kPanel, min64(w.panels.end * kPanel, width)};

  float* v = floats_at(thread_scratch, 0);
  float* m = floats_at(thread_scratch, f.v_bytes);
  float* zeros = floats_at(thread_scratch, f.v_bytes + f.m_bytes);
  clear(zeros, zeros_floats(max64(all_channels, width)));
  const Image x = {args.ptr<const float>(0) + conv_group * all_channels,
                   all_channels,
                   f.filters.groups * all_channels,
                   zeros,
                   nullptr,
                   0,
                   nullptr};
  const Image g = {
      args.ptr<const float>(1) + conv_group * width, width, f.filters.groups * width, zeros, nullptr, 0, nullptr};
  const int64_t v_point = v_floats(f.chunks * kChunk, f.room), m_point = m_floats(f.panels, f.room);
  const int64_t u_point = u_floats(all_panels, all_channels);
  float* u = floats_at(args.scratch, 0) + index * f.part_floats() + conv_group * f.filters.group_floats();

  const Part part = part_of(f.tiles.count(), f.parts, index);
  bool begun[kHalfColumns][kMostPoints] = {};
  for (int64_t r = 0; r < f.rounds; ++r) {
    const Part within = part_of(part.end - part.begin, f.rounds, r);
    const Part round = {part.begin + within.begin, part.begin + within.end};
    for (int k = 0; k < points / 2; ++k) {
      const int j = columns[k];
      const Part any = f.tiles.needing(1, j, round);  // every tile needs a row of points that is not the first or last
      for (int64_t i = any.begin; i < any.end; ++i) {
        const Tile t = f.tiles.at(round.begin + i);
        transform_column<false>(points, j, t.row_kind, input_pixels(f.tiles, t, x), w.channels,
                                {v + i * kChunk, f.room * kChunk, v_point});
        transform_column<true>(points, j, t.row_kind, output_pixels(f.tiles, t, g), filters,
                               {m + i * kPanel, f.room * kPanel, m_point});
      }
      for (int p = 0; p < points; ++p) {
        const Part need = f.tiles.needing(p, j, round);
        if (need.begin == need.end) continue;
        add_products(w, v + p * v_point + need.begin * kChunk, m + p * m_point + need.begin * kPanel,
                     need.end - need.begin, u + (p * points + j) * u_point, begun[k][p]);
        begun[k][p] = true;
      }
    }
  }
  for (int k = 0; k < points / 2; ++k) {
    for (int p = 0; p < points; ++p) {
      if (begun[k][p]) continue;
      for (int64_t panel = w.panels.begin; panel < w.panels.end; ++panel)
        clear(u + (p * points + columns[k]) * u_point + (panel * all_channels + w.channels.begin) * kPanel,
              (w.channels.end - w.channels.begin) * kPanel);
    }
  }
}

inline void grad_w_finish(const StepArgs& args, int64_t piece, unsigned char*) {
  const GradFilters& f = args.as<GradFilters>();
  filter_grad_piece(f.filters, floats_at(args.scratch, 0), f.parts, f.part_floats(), piece, args.ptr<float>(2));
}

inline const char* plan_grad_w_winograd(const Conv& c, const Tiles& t, StepPlan* plan) {
  GradFilters f = {};
  f.tiles = t;
  f.filters = {c.group_in(), c.group_out(), false, c.rows.kernel, c.groups};
  const int64_t tiles = f.tiles.count(), panels = f.filters.panels(), chunks = chunks_of(c.group_in());
  f.channel_groups = ceil_div(chunks * kChunk, kGroupChannels);
  f.panel_groups = ceil_div(panels * kPanel, kGroupFilters);
  f.chunks = ceil_div(chunks, f.channel_groups);
  f.panels = ceil_div(panels, f.panel_groups);
  f.parts = max64(1, min64(ceil_div(kWantedSums, 2 * f.groups() * c.groups), tiles / kPartTiles));
  const int64_t part_tiles = ceil_div(tiles, f.parts);
  const int64_t tile_bytes = t.points() * 4 * (f.chunks * kChunk + f.panels * kPanel);
  f.rounds = max64(1, ceil_div(part_tiles, min64(kRoundTiles, kColumnBytes / tile_bytes)));
  f.room = max64(1, ceil_div(part_tiles, f.rounds));
  f.v_bytes = t.points() * 4 * v_floats(f.chunks * kChunk, f.room);
  f.m_bytes = t.points() * 4 * m_floats(f.panels, f.room);
  plan->scratch_bytes = static_cast<size_t>(f.parts * f.part_floats() * 4);
  plan->thread_scratch_bytes =
      static_cast<size_t>(f.v_bytes + f.m_bytes + zeros_floats(max64(c.group_in(), c.group_out())) * 4);
  plan->flops = c.flops();
  plan->done = t.done(c.in_channels, c.group_out());
  plan->add_phase(grad_w_sums, 2 * f.groups() * c.groups * f.parts);
  plan->add_phase(grad_w_finish, f.filters.pieces());
  plan->set_params(f);
  return nullptr;
}

}  // namespace
}  // namespace striate
