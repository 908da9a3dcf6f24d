// conv2d and conv2d_grad_x.
#pragma once

#include "kernels/conv_winograd/on_the_fly.h"
#include "kernels/conv_winograd/pool.h"

namespace striate {
namespace {

// Transformed inputs of a block at most: with the products of a group of panels they stay in the second-level cache.
constexpr int64_t kBlockBytes = 640 * 1024;
constexpr int64_t kBlockTiles = 8 * kTileRows;  // tiles of a block at most
constexpr int64_t kGroupWidth = 64;             // filters whose products a block holds at a time
constexpr int64_t kWantedBlocks = 8;            // smaller blocks rather than fewer than this
// Fewer blocks than this: all tiles together, pieces are points.
constexpr int64_t kFewBlocks = 8;
// So few tiles are one block, and pieces are its groups of panels: transforming the tiles again for each takes less
// than handing V and M from one core's cache to another's.
constexpr int64_t kFewTiles = 32;
constexpr int64_t kFewTilesBytes = 1280 * 1024;  // of V
constexpr int64_t kFewTilesPieces = 4;

// When filters are transformed: by the first phase; before the step, so that they come in the place of w; on the fly
// (on_the_fly.h), w packed.
enum class When { kFirst, kBefore, kOnTheFly };

struct Forward {
  Tiles tiles;
  Filters filters;
  Epilogue epilogue;
  int64_t channels;                   // of the source
  int64_t blocks, room, group;        // room: tiles of a block at most; group: panels
  int64_t parts;                      // pieces of a block
  int64_t u_bytes, v_bytes, m_bytes;  // v, m: of one group of the convolution
  bool has_bias, together;
  bool few;  // tiles
  When when;
  bool pooled, indices;  // the result is the outputs' 2x2 max pool; and which cells hold the maxima
  bool masked;           // a gradient goes through where the third operand is above 0 and not at `end` only
  float end;             // of the activation's slope; NaN where it has none
  Norming norm;          // of x

  int result() const { return (has_bias || masked ? 3 : 2) + norm.inputs(); }

  int64_t panel_groups() const { return (filters.panels() + group - 1) / group; }
  Part panels_of_group(int64_t i) const { return {i * group, min64((i + 1) * group, filters.panels())}; }
};

[[maybe_unused]] inline float* floats_at(unsigned char* bytes, int64_t offset) {
  return reinterpret_cast<float*>(bytes + offset);
}
inline void clear(float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) store(p + i, Vf{});
}
inline int64_t zeros_floats(int64_t channels) { return (channels + 15) / 16 * 16; }

inline void forward_filters(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Forward& f = args.as<Forward>();
  filter_piece(f.filters, args.ptr<const float>(1), piece, floats_at(args.scratch, 0), thread_scratch);
}

// U of a group of the convolution: made by the first phase, or what comes in the place of w.
inline const float* filters_of(const StepArgs& args, const Forward& f, int64_t conv_group) {
  const float* u = f.when == When::kBefore ? args.ptr<const float>(1) : floats_at(args.scratch, 0);
  return u + conv_group * f.filters.group_floats();
}

// `zeros`: followed by room for a tile's pixels, where they are normalised.
inline Image source_of(const StepArgs& args, const Forward& f, int64_t conv_group, float* zeros, Normalizer* norm) {
  if (f.norm.on()) *norm = f.norm.of(args);
  return {args.ptr<const float>(0) + conv_group * f.channels,
          f.channels,
          f.filters.groups * f.channels,
          zeros,
          f.norm.on() ? norm : nullptr,
          conv_group * f.channels,
          zeros + zeros_floats(f.channels)};
}

inline Result result_of(const StepArgs& args, const Forward& f, int64_t conv_group, Part panels) {
  const int64_t first = panels.begin * kPanel, col = conv_group * f.filters.width + first;
  const float* bias = f.has_bias ? args.ptr<const float>(2) + col : nullptr;
  return {args.ptr<float>(f.result()) + col, f.filters.groups * f.filters.width,
          min64(panels.end * kPanel, f.filters.width) - first, bias, f.epilogue};
}

// The tile that lies at r, where the activation let y through. r.y's place in the result is that in y.
inline void mask_tile(const StepArgs& args, const Forward& f, int64_t tile, const Result& r) {
  const Tile t = f.tiles.at(tile);
  const Outputs o = outputs_of(f.tiles, t);
  const float* y = args.ptr<const float>(2) + (r.y - args.ptr<float>(f.result()));
  for (int64_t i = 0; i < o.rows; ++i)
    for (int64_t j = 0; j < o.cols; ++j) {
      const int64_t at = (o.first + i * f.tiles.cols.out + j) * r.channels;
      for (int64_t k = 0; k < r.width; k += kLanes) {
        const int n = static_cast<int>(min64(kLanes, r.width - k));
        const Vf through = load_n(y + at + k, n);
        const Vi open = (through > 0.0f) & ~(through >= f.end);
        store_n(r.y + at + k, open ? load_n(r.y + at + k, n) : Vf{}, n);
      }
    }
}

// A tile of the result, or what is pooled of it. `panels`: those of M, from the first filter of r on.
inline void put_tile(const StepArgs& args, const Forward& f, int64_t tile, const float* m, int64_t place,
                     int64_t panels, const Result& r) {
  if (f.pooled)
    return pooled_tile(f.tiles, tile, m, place, f.room, panels, r,
                       f.indices ? args.ptr<uint8_t>(f.result() + 1) + (r.y - args.ptr<float>(f.result())) : nullptr);
  output_tile(f.tiles, tile, m, place, f.room, panels, r);
  if (f.masked) mask_tile(args, f, tile, r);
}

// The products of tiles [block), panels [panels): M has room for f.room tiles and these panels. Far: of few tiles.
template <bool Far>
inline void products(const Forward& f, const float* v, const float* u, float* m, Part block, Part panels) {
  const int64_t v_point = v_floats(f.channels, f.room), u_point = u_floats(f.filters.panels(), f.channels);
  const int64_t m_point = m_floats(f.group, f.room);
  for (int p = 0; p < f.tiles.all_points(); ++p) {
    const Part need = f.tiles.needing(p / f.tiles.points(), p % f.tiles.points(), block);
    if (need.begin == need.end) continue;
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
      const float* own = u + p * u_point + panel * f.channels * kPanel;
      const bool last = panel + 1 == panels.end;
      const float* next = last ? u + (p + 1) * u_point + panels.begin * f.channels * kPanel : own + f.channels * kPanel;
      point_product<Far>(v + p * v_point, own, next, m + p * m_point + (panel - panels.begin) * f.room * kPanel,
                         f.channels, f.room, need, f.filters.width - panel * kPanel);
    }
  }
}

// A block of tiles, or its share of the filters, all the way; output(block's number, its tiles, M, result) writes what
// a group of panels gives.
template <typename Output>
inline void block_with(const StepArgs& args, int64_t piece, unsigned char* thread_scratch, Output output) {
  const Forward& f = args.as<Forward>();
  const int64_t conv_group = piece / (f.blocks * f.parts), within = piece % (f.blocks * f.parts);
  const Part block = part_of(f.tiles.count(), f.blocks, within / f.parts);
  const Part groups = part_of(f.panel_groups(), f.parts, within % f.parts);
  float* v = floats_at(thread_scratch, 0);
  float* m = floats_at(thread_scratch, f.v_bytes);
  float* zeros = floats_at(thread_scratch, f.v_bytes + f.m_bytes);
  clear(zeros, zeros_floats(f.channels));
  Normalizer norm;
  const Image source = source_of(args, f, conv_group, zeros, &norm);
  for (int64_t t = block.begin; t < block.end; ++t) input_tile(f.tiles, t, source, v, t - block.begin, f.room);
  for (int64_t g = groups.begin; g < groups.end; ++g) {
    const Part panels = f.panels_of_group(g);
    if (f.when == When::kOnTheFly) {
      fly_products(f.tiles, f.filters, args.ptr<const float>(1) + conv_group * fly_floats(f.filters), v, m, f.room,
                   f.group, panels);
    } else {
      const float* u = filters_of(args, f, conv_group);
      f.few ? products<true>(f, v, u, m, block, panels) : products<false>(f, v, u, m, block, panels);
    }
    output(within / f.parts, block, m, result_of(args, f, conv_group, panels));
  }
}
inline void forward_block(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Forward& f = args.as<Forward>();
  block_with(args, piece, thread_scratch, [&](int64_t, Part block, const float* m, const Result& r) {
    for (int64_t t = block.begin; t < block.end; ++t) put_tile(args, f, t, m, t - block.begin, f.group, r);
  });
}

// All tiles together: the block is everything, V and M are shared.
inline float* together_v(const StepArgs& args, const Forward& f, int64_t conv_group) {
  return floats_at(args.scratch, f.u_bytes + conv_group * f.v_bytes);
}
inline float* together_m(const StepArgs& args, const Forward& f, int64_t conv_group) {
  return floats_at(args.scratch, f.u_bytes + f.filters.groups * f.v_bytes + conv_group * f.m_bytes);
}
inline void together_input(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Forward& f = args.as<Forward>();
  const int64_t conv_group = piece / f.tiles.count(), tile = piece % f.tiles.count();
  float* zeros = floats_at(thread_scratch, 0);
  clear(zeros, zeros_floats(f.channels));
  Normalizer norm;
  input_tile(f.tiles, tile, source_of(args, f, conv_group, zeros, &norm), together_v(args, f, conv_group), tile,
             f.room);
}
inline void together_product(const StepArgs& args, int64_t piece, unsigned char*) {
  const Forward& f = args.as<Forward>();
  const int64_t all = f.tiles.all_points(), conv_group = piece / (all * f.panel_groups());
  const int p = static_cast<int>(piece / f.panel_groups() % all);
  const Part need = f.tiles.needing(p / f.tiles.points(), p % f.tiles.points(), {0, f.tiles.count()});
  const Part panels = f.panels_of_group(piece % f.panel_groups());
  const float* v = together_v(args, f, conv_group) + p * v_floats(f.channels, f.room);
  const float* u = filters_of(args, f, conv_group) + p * u_floats(f.filters.panels(), f.channels);
  float* m = together_m(args, f, conv_group) + p * m_floats(f.filters.panels(), f.room);
  for (int64_t panel = panels.begin; panel < panels.end; ++panel)
    point_product<false>(v, u + panel * f.channels * kPanel, nullptr, m + panel * f.room * kPanel, f.channels, f.room,
                         need, f.filters.width - panel * kPanel);
}
inline void together_output(const StepArgs& args, int64_t piece, unsigned char*) {
  const Forward& f = args.as<Forward>();
  const int64_t conv_group = piece / f.tiles.count(), tile = piece % f.tiles.count();
  put_tile(args, f, tile, together_m(args, f, conv_group), tile, f.filters.panels(),
           result_of(args, f, conv_group, {0, f.filters.panels()}));
}

// What the result is: the outputs, their pool, or their pool and which cells hold the maxima.
// Masked: a gradient, where the activation of the convolution before let its result through.
enum class Give { kOutputs, kPool, kPoolAndIndices, kMasked };

inline const char* plan_forward(const Conv& c, const Tiles& t, bool transposed, bool has_bias, When when, Give give,
                                const Norming& norm, StepPlan* plan) {
  Forward f = {};
  f.norm = norm;
  add_norm_scales<Forward>(norm, plan);
  f.pooled = give == Give::kPool || give == Give::kPoolAndIndices;
  f.masked = give == Give::kMasked;
  f.end = c.epilogue.act == Act::kRelu6 ? c.epilogue.hi : __builtin_nanf("");
  f.indices = give == Give::kPoolAndIndices;
  f.when = when;
  f.tiles = t;
  f.filters = {transposed ? c.group_out() : c.group_in(), transposed ? c.group_in() : c.group_out(), transposed,
               c.rows.kernel, c.groups};
  f.channels = f.filters.channels;
  f.epilogue = transposed ? make_epilogue(0, 0) : c.epilogue;
  f.has_bias = has_bias;
  const int64_t tiles = f.tiles.count(), panels = f.filters.panels();
  const int64_t all = t.all_points(), tile_bytes = all * 4 * chunks_of(f.channels) * kChunk;
  const int64_t fit = kBlockBytes / tile_bytes / kTileRows * kTileRows;
  const int64_t share = ceil_div(tiles, kWantedBlocks);
  const int64_t most = max64(min64(min64(fit, kBlockTiles), share), kTileRows);
  f.blocks = ceil_div(tiles, most);
  const bool few = tiles <= kFewTiles && tiles * tile_bytes <= kFewTilesBytes && panels > 1;
  const bool first = when == When::kFirst;
  if (when == When::kOnTheFly && !(few && flies(t)))
    return "takes up to four tiles, of enough filters: of more, transformed filters are read in less time";
  f.few = few;
  if (few) f.blocks = min64(tiles, 1);
  f.together = f.blocks < kFewBlocks && !few;
  f.u_bytes = first ? c.groups * f.filters.group_floats() * 4 : 0;
  plan->flops = c.flops();
  plan->done = t.done(c.in_channels, c.group_out());
  if (first) plan->add_phase(forward_filters, tiles > 0 ? f.filters.pieces() : 0);
  const int64_t of_tile = norm.on() ? normed_floats(f.channels, all) : 0;
  const int64_t zeros = (zeros_floats(f.channels) + of_tile) * 4, of_filters = first ? f.filters.scratch_bytes() : 0;
  if (f.together) {
    f.room = tiles;
    f.group = min64(panels, 2);
    f.v_bytes = all * 4 * v_floats(f.channels, f.room);
    f.m_bytes = all * 4 * m_floats(panels, f.room);
    plan->scratch_bytes = static_cast<size_t>(f.u_bytes + c.groups * (f.v_bytes + f.m_bytes));
    plan->thread_scratch_bytes = static_cast<size_t>(max64(zeros, of_filters));
    plan->add_phase(together_input, c.groups * tiles);
    plan->add_phase(together_product, tiles > 0 ? c.groups * all * f.panel_groups() : 0);
    plan->add_phase(together_output, c.groups * tiles);
  } else {
    f.room = ceil_div(tiles, max64(f.blocks, 1));
    f.group = min64(panels, max64(1, kGroupWidth / kPanel));
    f.parts = 1;
    if (few) {
      f.parts = min64(panels, kFewTilesPieces);
      f.group = min64(f.group, ceil_div(panels, f.parts));
    }
    f.v_bytes = all * 4 * v_floats(f.channels, f.room);
    f.m_bytes = all * 4 * m_floats(f.group, f.room);
    plan->scratch_bytes = static_cast<size_t>(f.u_bytes);
    plan->thread_scratch_bytes = static_cast<size_t>(max64(f.v_bytes + f.m_bytes + zeros, of_filters));
    plan->add_phase(forward_block, c.groups * f.blocks * f.parts);
  }
  if (norm.on()) f.norm.book(plan);
  plan->set_params(f);
  return nullptr;
}

// ---- the filters alone, for prediction: made once a change of the weights
struct TransformFilters {
  Filters filters;
};
inline void transform_filters(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Filters& f = args.as<TransformFilters>().filters;
  float* u = args.ptr<float>(1);
  filter_piece(f, args.ptr<const float>(0), piece, u, thread_scratch);
  if (piece > 0) return;
  const int64_t used = f.panels() * f.channels * kPanel, stride = u_floats(f.panels(), f.channels);
  for (int64_t p = 0; p < f.all_points() * f.groups; ++p)
    for (int64_t i = used; i < stride; ++i) u[p * stride + i] = 0.0f;
}

inline const char* plan_filters(const Filters& filters, StepPlan* plan) {
  const TransformFilters f = {filters};
  plan->thread_scratch_bytes = static_cast<size_t>(f.filters.scratch_bytes());
  plan->add_phase(transform_filters, f.filters.pieces());
  plan->set_params(f);
  return nullptr;
}

}  // namespace
}  // namespace striate
