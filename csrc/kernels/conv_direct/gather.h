// conv2d_direct and conv2d_grad_x_direct: tiles of pixels gathered tap by tap.
#pragma once

#include "kernels/conv_direct/pixels.h"

namespace striate {
namespace {

// Filters are read where they lie while their uses are few, since packing touches them once more: where they are many,
// until there are more pixels than one piece takes.
inline bool worth_packing(int64_t pixels, int64_t filters) { return pixels > (filters < 512 ? 16 : 10) * kTileRows; }

// Result pixels of a piece: about 112, a whole number of tiles. Their sums for one panel are 14 KiB, which leaves the
// first-level cache room for one tap's filters (64 to 256 channels: 8 to 32 KiB). A few more where that makes one
// block of them and filters are enough to share out: they are read once then.
constexpr int64_t kGatherPixels = 112 / kTileRows * kTileRows, kGatherMost = 140 / kTileRows * kTileRows;
constexpr int64_t kGatherUnits = 16;

struct Gather {
  PixelMap map;
  Epilogue epilogue;
  int64_t pixels, blocks;
  int64_t depth, width;  // source and result channels of a group
  int64_t dst_channels, taps;
  int64_t panels, units, unit_parts;  // a unit: one panel of one group
  int64_t filters;                    // K, the filters' row stride as they lie
  bool has_bias, packed;
};

struct GatherScratch {
  float* sums;           // [kGatherMost][kPanel]
  const float** source;  // [tap][kGatherMost]
  int64_t* count;        // [tap]
  Run* runs;             // [kernel column]
  int32_t* pixel;        // [tap][kGatherMost]
};
inline size_t gather_scratch_bytes(int64_t taps, int64_t kernel_w) {
  return static_cast<size_t>(kGatherMost * kPanel * 4 + taps * kGatherMost * 12 + taps * 8 +
                             kernel_w * static_cast<int64_t>(sizeof(Run)));
}
inline GatherScratch gather_scratch(unsigned char* bytes, int64_t taps, int64_t kernel_w) {
  GatherScratch s;
  s.sums = reinterpret_cast<float*>(bytes);
  s.source = reinterpret_cast<const float**>(s.sums + kGatherMost * kPanel);
  s.count = reinterpret_cast<int64_t*>(s.source + taps * kGatherMost);
  s.runs = reinterpret_cast<Run*>(s.count + taps);
  s.pixel = reinterpret_cast<int32_t*>(s.runs + kernel_w);
  return s;
}

// Filters as [unit][tap][depth][panel]; a piece is one unit's tap.
inline void gather_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Gather& g = args.as<Gather>();
  const int64_t unit = piece / g.taps, tap = piece % g.taps;
  const int64_t group = unit / g.panels, col = unit % g.panels * kPanel, n = min64(kPanel, g.width - col);
  float* to = reinterpret_cast<float*>(args.scratch) + piece * g.depth * kPanel;
  const float* w = args.ptr<const float>(1);
  if (g.map.transposed) {  // w[tap][c][group's k], c along the panel
    pack_panel_transposed(w + (tap * g.width + col) * g.filters + group * g.depth, g.filters, g.depth, n, to);
  } else {
    pack_panel(w + tap * g.depth * g.filters + group * g.width + col, g.filters, g.depth, n, to);
  }
}

inline void gather_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Gather& g = args.as<Gather>();
  const Part block = part_of(g.pixels, g.blocks, piece / g.unit_parts);
  const Part units = part_of(g.units, g.unit_parts, piece % g.unit_parts);
  const int64_t pixels = block.end - block.begin;
  const GatherScratch s = gather_scratch(thread_scratch, g.taps, g.map.cols.kernel);

  for (int64_t t = 0; t < g.taps; ++t) s.count[t] = 0;
  const int64_t dst_step = g.map.dst_step(), src_step = g.map.src_step() * g.map.src_channels;
  each_run(g.map, args.ptr<const float>(0), block.begin, block.end, 0, g.map.rows.kernel, s.runs,
           [&](int64_t tap, int64_t first, const float* from, int64_t count) {
             const float** source = s.source + tap * kGatherMost + s.count[tap];
             int32_t* pixel = s.pixel + tap * kGatherMost + s.count[tap];
             s.count[tap] += count;
             for (int64_t i = 0; i < count; ++i) {
               source[i] = from + i * src_step;
               pixel[i] = static_cast<int32_t>(first + i * dst_step);
             }
           });

  const float* bias = g.has_bias ? args.ptr<const float>(2) : nullptr;
  float* result = args.ptr<float>(g.has_bias ? 3 : 2) + block.begin * g.dst_channels;
  // Filters that lie beyond the second-level cache come to the first with the first tile of a tap.
  const bool far = g.units * g.taps * g.depth * kPanel > kNearFloats;
  for (int64_t unit = units.begin; unit < units.end; ++unit) {
    const int64_t group = unit / g.panels, col = unit % g.panels * kPanel, n = min64(kPanel, g.width - col);
    const float* filters = reinterpret_cast<const float*>(args.scratch) + unit * g.taps * g.depth * kPanel;
    if (!g.packed) filters = args.ptr<const float>(1) + group * g.width + col;
    const int64_t stride = g.packed ? kPanel : g.filters;
    for (int64_t i = 0; i < pixels * kPanel; i += kLanes) store(s.sums + i, Vf{});
    for (int64_t tap = 0; tap < g.taps; ++tap) {
      const int64_t count = s.count[tap], tiles = tiles_of(count);
      for (int64_t k0 = 0; k0 < g.depth; k0 += kDepth) {
        const int64_t depth = min64(kDepth, g.depth - k0), channel = group * g.depth + k0;
        for (int64_t t = 0; t < tiles; ++t) {
          const Part part = part_of(count, tiles, t);
          const int64_t at = tap * kGatherMost + part.begin;
          const RowsTile tile = {s.source + at, &channel, 1, depth, filters + (tap * g.depth + k0) * stride, stride};
          const TileEnds ends = {s.sums, kPanel, s.pixel + at, true, nullptr, 0, 0, nullptr, 0, 0};
          if (far && t == 0) {
            run_rows<true>(part.end - part.begin, n, tile, ends);
          } else {
            run_rows<false>(part.end - part.begin, n, tile, ends);
          }
        }
      }
    }
    float* y = result + group * g.width + col;
    finish_rows(s.sums, pixels, y, g.dst_channels, n, bias ? bias + group * g.width + col : nullptr, g.epilogue);
  }
}

inline const char* plan_gather(const Conv& c, bool transposed, bool has_bias, StepPlan* plan) {
  Gather g = {};
  g.map = PixelMap{c.rows, c.cols, transposed, transposed ? c.out_channels : c.in_channels};
  g.epilogue = transposed ? make_epilogue(0, 0) : c.epilogue;
  g.pixels = c.batch * g.map.dst_h() * g.map.dst_w();
  g.depth = transposed ? c.group_out() : c.group_in();
  g.width = transposed ? c.group_in() : c.group_out();
  g.dst_channels = transposed ? c.in_channels : c.out_channels;
  g.taps = c.taps();
  g.panels = panels_of(g.width);
  g.units = g.panels * c.groups;
  const bool one = g.pixels <= kGatherMost && g.units >= kGatherUnits;
  g.blocks = one ? min64(g.pixels, 1) : ceil_div(g.pixels, kGatherPixels);
  g.unit_parts = min64(g.units, max64(1, kWantedPieces / max64(g.blocks, 1)));
  g.filters = c.out_channels;
  g.has_bias = has_bias;
  g.packed = transposed || g.width % kPanel != 0 || worth_packing(g.pixels, g.filters);
  plan->thread_scratch_bytes = gather_scratch_bytes(g.taps, c.cols.kernel);
  plan->flops = c.flops();
  if (g.packed && g.pixels > 0) {
    plan->scratch_bytes = sizeof(float) * static_cast<size_t>(g.units * g.taps * g.depth * kPanel);
    plan->add_phase(gather_pack, g.units * g.taps);
  }
  plan->add_phase(gather_run, g.blocks * g.unit_parts);
  plan->set_params(g);
  return nullptr;
}

}  // namespace
}  // namespace striate
