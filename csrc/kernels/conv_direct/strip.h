// A strip of the image, copied with the columns of padding that its windows see.
#pragma once

#include "kernels/conv_direct/conv_direct.h"

namespace striate {
namespace {

struct Strip {
  Axis rows, cols;
  int64_t channels;
  int64_t height;     // output rows at most
  int64_t per_image;  // strips of an image

  int64_t line() const { return ((cols.out - 1) * cols.stride + (cols.kernel - 1) * cols.dilation + 1) * channels; }
  int64_t floats() const { return ((height - 1) * rows.stride + (rows.kernel - 1) * rows.dilation + 1) * line(); }
  // Input row 0 of the strip of outputs [begin, ...): may lie above the image.
  int64_t top(int64_t begin) const { return begin * rows.stride - rows.pad; }
};

// About `pixels` outputs a strip.
inline Strip make_strip(const Conv& c, int64_t pixels) {
  Strip s = {c.rows, c.cols, c.in_channels, 0, 0};
  const int64_t rows = max64(1, pixels / c.cols.out);
  s.per_image = (c.rows.out + rows - 1) / rows;
  s.height = (c.rows.out + s.per_image - 1) / s.per_image;
  return s;
}

// Rows outside the image are left as they are: nobody reads them.
inline void copy_strip(const Strip& s, const float* image, Part out_rows, float* to) {
  const int64_t top = s.top(out_rows.begin), line = s.line(), width = s.cols.in * s.channels;
  const int64_t end = s.top(out_rows.end - 1) + (s.rows.kernel - 1) * s.rows.dilation + 1;
  const int64_t left = min64(s.cols.pad * s.channels, line), inside = min64(width, line - left);
  for (int64_t y = max64(top, 0); y < min64(end, s.rows.in); ++y) {
    float* row = to + (y - top) * line;
    for (int64_t i = 0; i < left; ++i) row[i] = 0;
    std::memcpy(row + left, image + y * width, static_cast<size_t>(inside) * 4);
    for (int64_t i = left + inside; i < line; ++i) row[i] = 0;
  }
}

// Kernel rows [u0, u1) of output row y that lie inside the image.
inline Part rows_inside(const Axis& rows, int64_t y) {
  const int64_t first = rows.pad - y * rows.stride;
  const int64_t u0 = max64(0, div_ceil(first, rows.dilation));
  const int64_t u1 = min64(rows.kernel, div_floor(rows.in - 1 + first, rows.dilation) + 1);
  return {u0, max64(u0, u1)};
}

// Strips are worth it while one fits the second-level cache.
constexpr int64_t kStripFloats = 64 * 1024;

// ---- conv2d_few
struct Few {
  Strip strip;
  Epilogue epilogue;
  int64_t batch, depth, filters, panels, panel_parts;
  int64_t run, runs_a_row;  // terms in one piece of strip memory, and such pieces a kernel row
  bool has_bias;
};

inline void few_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Few& f = args.as<Few>();
  pack_panel(args.ptr<const float>(1) + piece * kPanel, f.filters, f.depth, min64(kPanel, f.filters - piece * kPanel),
             reinterpret_cast<float*>(args.scratch) + piece * f.depth * kPanel);
}

// A strip that is copied, and a panel of filters.
struct FewPanel {
  const float* strip;
  int64_t first;      // output row of the strip's first
  int64_t* segments;  // room for a window's pieces of strip memory
  const float* w;     // packed
  const float* bias;  // of the panel, or null
  int64_t n;          // filters
};

// Output row y of a panel: `n` floats a pixel, `step` from pixel to pixel.
inline void few_row(const Few& f, const FewPanel& panel, int64_t y, float* to, int64_t step) {
  const Strip& s = f.strip;
  const int64_t line = s.line(), tiles = tiles_of(s.cols.out), pixel = s.cols.stride * s.channels;
  const Part u = rows_inside(s.rows, y);
  int64_t n_segments = 0;
  for (int64_t i = u.begin; i < u.end; ++i)
    for (int64_t r = 0; r < f.runs_a_row; ++r)
      panel.segments[n_segments++] =
          ((y - panel.first) * s.rows.stride + i * s.rows.dilation) * line + r * s.cols.dilation * s.channels;
  for (int64_t t = 0; t < tiles; ++t) {
    const Part part = part_of(s.cols.out, tiles, t);
    const int64_t m = part.end - part.begin;
    const float* pointers[kTileRows];
    for (int64_t i = 0; i < m; ++i) pointers[i] = panel.strip + (part.begin + i) * pixel;
    run_rows<false>(m, panel.n,
                    RowsTile{pointers, panel.segments, n_segments, f.run,
                             panel.w + u.begin * f.runs_a_row * f.run * kPanel, kPanel},
                    TileEnds{nullptr, 0, nullptr, false, to + part.begin * step, step, panel.n, panel.bias,
                             f.epilogue.lo, f.epilogue.hi});
    if (!f.epilogue.is_clamp()) activate(to + part.begin * step, m, step, panel.n, f.epilogue);
  }
}

// Floats of a thread's scratch before what follows the strip and the list of segments.
inline int64_t few_floats(const Few& f) {
  return (f.strip.floats() + 1) / 2 * 2 + 2 * f.strip.rows.kernel * f.runs_a_row;
}

// The strip of output rows `rows` of an image, copied, and a panel of filters.
inline FewPanel few_panel(const StepArgs& args, const Few& f, int64_t image, Part rows, unsigned char* thread_scratch) {
  const Strip& s = f.strip;
  float* strip = reinterpret_cast<float*>(thread_scratch);
  copy_strip(s, args.ptr<const float>(0) + image * s.rows.in * s.cols.in * s.channels, rows, strip);
  return {strip, rows.begin, reinterpret_cast<int64_t*>(strip + (s.floats() + 1) / 2 * 2), nullptr, nullptr, 0};
}
inline void take_panel(const StepArgs& args, const Few& f, int64_t p, FewPanel* panel) {
  panel->w = reinterpret_cast<const float*>(args.scratch) + p * f.depth * kPanel;
  panel->bias = f.has_bias ? args.ptr<const float>(2) + p * kPanel : nullptr;
  panel->n = min64(kPanel, f.filters - p * kPanel);
}

inline void few_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Few& f = args.as<Few>();
  const Strip& s = f.strip;
  const int64_t at = piece / f.panel_parts, image = at / s.per_image;
  const Part panels = part_of(f.panels, f.panel_parts, piece % f.panel_parts);
  const Part rows = part_of(s.rows.out, s.per_image, at % s.per_image);
  FewPanel panel = few_panel(args, f, image, rows, thread_scratch);
  float* result = args.ptr<float>(f.has_bias ? 3 : 2) + image * s.rows.out * s.cols.out * f.filters;
  for (int64_t p = panels.begin; p < panels.end; ++p) {
    take_panel(args, f, p, &panel);
    for (int64_t y = rows.begin; y < rows.end; ++y)
      few_row(f, panel, y, result + y * s.cols.out * f.filters + p * kPanel, f.filters);
  }
}

// Multiplications with padding columns, against the quarter of a tile's time that a tap costs the direct algorithm
// beside its 4 to 16 channels.
inline const char* plan_few(const Conv& c, bool has_bias, StepPlan* plan) {
  if (c.groups != 1) return "takes one group only";
  const double inside = static_cast<double>(pairs_inside(c.cols));
  const double waste = static_cast<double>(c.cols.out * c.cols.kernel) - inside;
  if (waste * static_cast<double>(c.in_channels) > 4 * inside)
    return "too many channels: padding columns would cost more";
  Few f = {};
  f.depth = c.taps() * c.in_channels;
  if (f.depth > 2 * kDepth) return "too many terms: a panel of filters would not stay in the first-level cache";
  f.strip = make_strip(c, 2 * kBlockRows);
  if (f.strip.floats() > kStripFloats) return "the rows of a window do not fit a strip";
  f.epilogue = c.epilogue;
  f.batch = c.batch;
  f.filters = c.out_channels;
  f.panels = panels_of(f.filters);
  const bool together = c.cols.dilation == 1;  // a kernel row's columns lie side by side
  f.run = together ? c.cols.kernel * c.in_channels : c.in_channels;
  f.runs_a_row = together ? 1 : c.cols.kernel;
  f.has_bias = has_bias;
  const int64_t strips = f.batch * f.strip.per_image;
  f.panel_parts = min64(f.panels, max64(1, kWantedPieces / max64(strips, 1)));
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(f.panels * f.depth * kPanel);
  plan->thread_scratch_bytes = static_cast<size_t>(few_floats(f) * 4);
  plan->flops = c.flops();
  if (strips > 0) plan->add_phase(few_pack, f.panels);
  plan->add_phase(few_run, strips * f.panel_parts);
  plan->set_params(f);
  return nullptr;
}

}  // namespace
}  // namespace striate
