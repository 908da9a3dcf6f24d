// conv2d_grad_w: tiles of input channels by filters, summed over pixels.
#pragma once

#include "base/bytes.h"
#include "base/normalize.h"
#include "kernels/conv_direct/pixels.h"
#include "kernels/conv_direct/strip.h"

namespace striate {
namespace {

// Pixels between storing and reloading a tile of sums. Their gradients for one panel are 32 KiB at AVX-512, 16 at AVX2:
// a first-level cache, nearly, while the tiles of input channels go by.
constexpr int64_t kBlockPixels = 256;
// Taps of a piece at most: their lists are 132 KiB. All rows of a 3x3 or 5x5 kernel together read a block of x once.
constexpr int64_t kPieceTaps = 32;
// Fewer input channels than this are summed with a kernel row's columns (algorithm "few").
constexpr int64_t kFewChannels = 8;

struct GradW {
  PixelMap map;
  Strip strip;  // few only
  bool few;
  int64_t pixels, blocks;  // few: blocks are strips
  int64_t groups, depth, width, filters;
  int64_t taps;       // few: kernel rows; else all
  int64_t tap_rows;   // kernel rows of a piece
  int64_t row_parts;  // pieces' worth of kernel rows
  int64_t panels, units, parts;
  int64_t piece_units;  // few: all, so that the list of steps is made once; else one, normalised two
  bool unpooled;        // few only: g is that of the outputs' 2x2 max pool, and a byte says which cell takes it
  Norming norm;         // of x; 1x1 kernels only

  int result() const { return (unpooled ? 3 : 2) + norm.inputs(); }
};

// Floats of sums of one unit, [tap][depth][kPanel].
inline int64_t unit_floats(const GradW& g) { return g.taps * g.depth * kPanel; }
inline int64_t taps_a_row(const GradW& g) { return g.taps / g.map.rows.kernel; }

struct GradWScratch {
  float* sums;  // a piece's [unit][tap][depth][kPanel], where parts == 1
  float* strip;
  float* grad;       // [kBlockPixels][kPanel]
  float* normed;     // [kBlockPixels][depth], where x is normalised as it is read
  Step* steps;       // [tap][kListStride]
  RunStart* starts;  // few: [tap][height of a strip]
  int64_t* count;
  Run* runs;
};
inline int64_t block_pixels(const GradW& g) { return g.few ? g.strip.height * g.strip.cols.out : kBlockPixels; }
constexpr int64_t kListStride = kBlockPixels + kStepsAhead;
inline size_t grad_w_layout(const GradW& g, unsigned char* bytes, GradWScratch* s) {
  const int64_t taps = g.tap_rows * taps_a_row(g), pixels = block_pixels(g);
  size_t at = 0;
  const auto take = [&](int64_t n, size_t each) {
    const size_t here = at;
    at += (static_cast<size_t>(n) * each + kAlignment - 1) / kAlignment * kAlignment;
    return reinterpret_cast<uintptr_t>(bytes) + here;  // bytes may be null
  };
  s->sums = reinterpret_cast<float*>(take(g.parts == 1 ? g.piece_units * taps * g.depth * kPanel : 0, 4));
  s->strip = reinterpret_cast<float*>(take(g.few ? g.strip.floats() : 0, 4));
  s->grad = reinterpret_cast<float*>(take(pixels * kPanel, 4));
  s->normed = reinterpret_cast<float*>(take(g.norm.on() ? pixels * g.depth : 0, 4));
  s->steps = reinterpret_cast<Step*>(take(g.few ? 0 : taps * kListStride, sizeof(Step)));
  s->starts = reinterpret_cast<RunStart*>(take(g.few ? taps * g.strip.height : 0, sizeof(RunStart)));
  s->count = reinterpret_cast<int64_t*>(take(taps, 8));
  s->runs = reinterpret_cast<Run*>(take(g.map.cols.kernel, sizeof(Run)));
  return at;
}

// Rows [begin, end) of dw, as [row][filters], from the sums of a unit (of `parts` parts, `stride` floats apart).
inline void write_unit(const GradW& g, const float* sums, int64_t stride, int64_t unit, Part rows, float* dw) {
  const int64_t col = unit % g.panels * kPanel, n = min64(kPanel, g.width - col);
  float* to = dw + rows.begin * g.filters + unit / g.panels * g.width + col;
  for (int64_t i = rows.begin; i < rows.end; ++i, to += g.filters) {
    const float* from = sums + (i - rows.begin) * kPanel;
    for (int64_t j = 0; j < n; j += kLanes) {
      Vf sum = load(from + j);
      for (int64_t part = 1; part < g.parts; ++part) sum += load(from + part * stride + j);
      store_n(to + j, sum, static_cast<int>(min64(kLanes, n - j)));
    }
  }
}

// Lists, for the taps of kernel rows [u0, u1), the pixels of a block that have a term.
inline void direct_steps(const GradW& g, const float* x, Part block, Part u, const GradWScratch& s) {
  const int64_t src_step = g.map.src_step() * g.map.src_channels;
  each_run(g.map, x, block.begin, block.end, u.begin, u.end, s.runs,
           [&](int64_t tap, int64_t first, const float* from, int64_t count) {
             Step* to = s.steps + tap * kListStride + s.count[tap];
             s.count[tap] += count;
             for (int64_t i = 0; i < count; ++i) to[i] = {from + i * src_step, s.grad + (first + i) * kPanel};
           });
}

// Normalises the pixels that are listed for a 1x1 kernel, and lists them where they then lie.
inline void normalize_steps(const GradW& g, const Normalizer& norm, const GradWScratch& s) {
  normalize_rows(norm, [&](int64_t i) { return s.steps[i].a; }, s.count[0], 0, g.depth, s.normed, g.depth);
  for (int64_t i = 0; i < s.count[0]; ++i) s.steps[i].a = s.normed + i * g.depth;
}

inline void few_steps(const GradW& g, const float* x, int64_t image, Part rows, const GradWScratch& s) {
  const Strip& strip = g.strip;
  copy_strip(strip, x + image * strip.rows.in * strip.cols.in * strip.channels, rows, s.strip);
  const int64_t line = strip.line();
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    const Part inside = rows_inside(strip.rows, y);
    for (int64_t u = inside.begin; u < inside.end; ++u) {
      const float* from = s.strip + ((y - rows.begin) * strip.rows.stride + u * strip.rows.dilation) * line;
      s.starts[u * strip.height + s.count[u]++] = {from, (y - rows.begin) * strip.cols.out};
    }
  }
}

// The gradient of output rows `rows` of an image, filters [col, col + n), out of that of their pool: as pack_panel.
inline void unpool_panel(const GradW& g, const StepArgs& args, int64_t image, Part rows, int64_t col, int64_t n,
                         float* to) {
  const int64_t height = g.map.rows.out / kPooled, width = g.map.cols.out / kPooled;
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    const int64_t first = ((image * height + y / kPooled) * width) * g.filters + col;
    for (int64_t x = 0; x < g.map.cols.out; ++x, to += kPanel) {
      const bool inside = y / kPooled < height && x / kPooled < width;
      const int64_t from = first + x / kPooled * g.filters;
      const int32_t cell = static_cast<int32_t>(y % kPooled * kPooled + x % kPooled);
      for (int64_t k = 0; k < kPanel; k += kLanes) {
        const int lanes = static_cast<int>(min64(kLanes, n - k));
        if (!inside || lanes <= 0) {
          store(to + k, Vf{});
          continue;
        }
        const Vi at = load_bytes(args.ptr<const uint8_t>(2) + from + k, lanes);
        store(to + k, at == cell ? load_n(args.ptr<const float>(1) + from + k, lanes) : Vf{});
      }
    }
  }
}

inline void grad_w_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const GradW& g = args.as<GradW>();
  GradWScratch s;
  grad_w_layout(g, thread_scratch, &s);
  const int64_t part = piece % g.parts, row_part = piece / g.parts % g.row_parts;
  const int64_t first_unit = piece / g.parts / g.row_parts * g.piece_units;
  const Part u = {row_part * g.tap_rows, min64((row_part + 1) * g.tap_rows, g.map.rows.kernel)};
  const int64_t taps = (u.end - u.begin) * taps_a_row(g), first_tap = u.begin * taps_a_row(g);
  const int64_t units = min64(g.piece_units, g.units - first_unit);
  float* sums = s.sums;
  int64_t sums_stride = taps * g.depth * kPanel;  // from unit to unit
  if (g.parts > 1) {
    sums_stride = unit_floats(g);
    sums = reinterpret_cast<float*>(args.scratch) + (part * g.units + first_unit) * sums_stride +
           first_tap * g.depth * kPanel;
  }
  const float* x = args.ptr<const float>(0);
  const int64_t tiles = tiles_of(g.depth);
  const Part blocks = part_of(g.blocks, g.parts, part);
  if (blocks.begin == blocks.end)  // an empty batch
    for (int64_t i = 0; i < units * sums_stride; ++i) sums[i] = 0;
  for (int64_t b = blocks.begin; b < blocks.end; ++b) {
    Part block, rows = {};
    int64_t image = 0;
    for (int64_t t = 0; t < taps; ++t) s.count[t] = 0;
    if (g.few) {
      image = b / g.strip.per_image;
      rows = part_of(g.strip.rows.out, g.strip.per_image, b % g.strip.per_image);
      const int64_t first = image * g.strip.rows.out;
      block = {(first + rows.begin) * g.strip.cols.out, (first + rows.end) * g.strip.cols.out};
      few_steps(g, x, image, rows, s);
    } else {
      block = part_of(g.pixels, g.blocks, b);
      direct_steps(g, x, block, u, s);
      if (g.norm.on()) normalize_steps(g, g.norm.of(args), s);
    }
    for (int64_t t = 0; !g.few && t < taps; ++t) end_steps(s.steps + t * kListStride, s.count[t]);
    for (int64_t i = 0; i < units; ++i) {
      const int64_t unit = first_unit + i, group = unit / g.panels, col = unit % g.panels * kPanel;
      const int64_t n = min64(kPanel, g.width - col);
      const float* grad = args.ptr<const float>(1) + block.begin * g.filters + group * g.width + col;
      int64_t grad_step = g.filters;
      if (g.unpooled) {
        unpool_panel(g, args, image, rows, col, n, s.grad);
        grad = s.grad;
        grad_step = kPanel;
      } else if (!g.few || n < kPanel) {  // with few channels, a whole panel is read too few times to be worth packing
        pack_panel(grad, g.filters, block.end - block.begin, n, s.grad);
        grad = s.grad;
        grad_step = kPanel;
      }
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t t = 0; t < tiles; ++t) {
          const Part channels = part_of(g.depth, tiles, t);
          float* acc = sums + i * sums_stride + (tap * g.depth + channels.begin) * kPanel;
          const int64_t height = channels.end - channels.begin;
          const TileEnds ends = {acc, kPanel, nullptr, b > blocks.begin, nullptr, 0, 0, nullptr, 0, 0};
          if (g.few) {
            const RunStart* starts = s.starts + tap * g.strip.height;
            const int64_t step = g.strip.cols.stride * g.strip.channels;
            run_runs(height, n, RunsTile{starts, s.count[tap], g.strip.cols.out, step, channels.begin, grad, grad_step},
                     ends);
          } else {
            run_steps(height, n,
                      StepsTile{s.steps + tap * kListStride, s.count[tap], group * g.depth + channels.begin, 0}, ends);
          }
        }
    }
  }
  if (g.parts > 1) return;
  for (int64_t i = 0; i < units; ++i)
    write_unit(g, sums + i * sums_stride, 0, first_unit + i, {first_tap * g.depth, (first_tap + taps) * g.depth},
               args.ptr<float>(g.result()));
}

// Adds the parts, in order; a piece is one unit's tap.
inline void grad_w_reduce(const StepArgs& args, int64_t piece, unsigned char*) {
  const GradW& g = args.as<GradW>();
  const int64_t unit = piece / g.taps, tap = piece % g.taps;
  const float* sums = reinterpret_cast<const float*>(args.scratch) + unit * unit_floats(g) + tap * g.depth * kPanel;
  write_unit(g, sums, g.units * unit_floats(g), unit, {tap * g.depth, (tap + 1) * g.depth},
             args.ptr<float>(g.result()));
}

inline const char* plan_grad_w(const Conv& c, bool few, bool unpooled, const Norming& norm, StepPlan* plan) {
  GradW g = {};
  g.norm = norm;
  g.unpooled = unpooled;
  g.few = few;
  g.map = PixelMap{c.rows, c.cols, false, c.in_channels};
  g.groups = c.groups;
  g.width = c.group_out();
  g.filters = c.out_channels;
  g.pixels = c.batch * c.rows.out * c.cols.out;
  g.panels = panels_of(g.width);
  g.units = g.panels * c.groups;
  if (few) {
    if (c.groups != 1) return "takes one group only";
    if (c.in_channels >= kFewChannels) return "too many channels: they fill a tile by themselves";
    if (c.cols.dilation != 1 || c.cols.kernel == 1) return "takes kernels whose columns lie side by side only";
    g.strip = make_strip(c, kBlockPixels);
    if (g.strip.floats() > kStripFloats) return "the rows of a window do not fit a strip";
    g.blocks = c.batch * g.strip.per_image;
    g.taps = c.rows.kernel;
    g.depth = c.cols.kernel * c.in_channels;
    g.tap_rows = c.rows.kernel;
    g.piece_units = g.units;
  } else {
    g.blocks = (g.pixels + kBlockPixels - 1) / kBlockPixels;
    g.taps = c.taps();
    g.depth = c.group_in();
    g.tap_rows = max64(1, min64(c.rows.kernel, kPieceTaps / c.cols.kernel));
    g.piece_units = 1;
  }
  g.row_parts = (c.rows.kernel + g.tap_rows - 1) / g.tap_rows;
  const int64_t pieces = g.units / g.piece_units * g.row_parts;
  g.parts = max64(1, min64((kWantedSums + pieces - 1) / pieces, g.blocks));
  // A block of x is normalised once a piece, which takes a quarter of its sums for one panel. Parts stay as they are,
  // and so do bits.
  if (norm.on()) g.piece_units = min64(g.units, 2);
  GradWScratch s;
  plan->thread_scratch_bytes = grad_w_layout(g, nullptr, &s);
  plan->flops = c.flops();
  add_norm_scales<GradW>(norm, plan);
  plan->add_phase(grad_w_run, ceil_div(g.units, g.piece_units) * g.row_parts * g.parts);
  if (g.parts > 1) {
    plan->scratch_bytes = sizeof(float) * static_cast<size_t>(g.parts * g.units * unit_floats(g));
    plan->add_phase(grad_w_reduce, g.units * g.taps);
  }
  if (norm.on()) g.norm.book(plan);
  plan->set_params(g);
  return nullptr;
}

}  // namespace
}  // namespace striate
