// bottleneck_conv2d: a depthwise convolution with the 1x1 convolution before it, the one after it, or both, in bands of
// rows, so that the wide maps between them stay in a thread's cache.
//
//   y = act3(b3 + w3 . depthwise(act1(b1 + w1 . x)))        "." over channels, pixel by pixel
//
// Shapes: x (N, H, W, D), w1 (1, 1, D, C), b1 (C,), depthwise w (KH, KW, C, 1), b (C,), w3 (1, 1, C, K), b3 (K,),
// y (N, OH, OW, K). Without the first, x is the depthwise convolution's; without the last, y is.
//
// A piece is a run of output rows of an image, done band after band. A band's rows of the wide map are made in the
// thread's scratch; those that the next band needs too are moved to its top. Rows at the ends of a piece are made by
// both neighbours. Every sum is summed as by the steps apart: the bits are theirs.
#pragma once

#include "kernels/conv_depthwise/rows.h"
#include "kernels/gemm/tile.h"

namespace striate {
namespace {

// Floats of a band's wide rows and depthwise results: with the weights within a second-level cache.
constexpr int64_t kBandFloats = 192 * 1024;
constexpr int64_t kBandPieces = 16;    // wanted of a batch
constexpr int64_t kLeastBandRows = 8;  // of a piece: two more are made for a 3x3's neighbours
constexpr int64_t kMostFloats = int64_t{1} << 32;

// A 1x1 convolution whose weights are packed in the step's scratch.
struct Pixelwise {
  int64_t k, n, at;  // at: floats from the scratch's start
  Epilogue epilogue;

  int64_t floats() const { return panels_of(n) * kPanel * k; }
};

struct Bottleneck {
  Depthwise depthwise;
  Pixelwise expand, project;  // n = 0: there is none
  int64_t parts, band;        // pieces of an image, output rows of a band
  int64_t held, step;         // rows of the wide map in scratch, and floats from its pixel to pixel

  bool expands() const { return expand.n > 0; }
  bool projects() const { return project.n > 0; }
  int64_t inputs() const { return 3 + (expands() ? 2 : 0) + (projects() ? 2 : 0); }
};

// y[m][n] = act(x[m] . w + bias): rows of x and y x_step and y_step floats apart.
inline void pixels_by_weights(const Pixelwise& p, const float* x, int64_t x_step, int64_t m, const float* packed,
                              const float* bias, float* y, int64_t y_step) {
  const int64_t tiles = tiles_of(m), zero = 0;
  for (int64_t t = 0; t < tiles; ++t) {
    const Part part = part_of(m, tiles, t);
    const int64_t height = part.end - part.begin;
    const float* rows[kTileRows];
    for (int64_t i = 0; i < height; ++i) rows[i] = x + (part.begin + i) * x_step;
    for (int64_t col = 0; col < p.n; col += kPanel) {
      const int64_t n = min64(kPanel, p.n - col);
      float* to = y + part.begin * y_step + col;
      const RowsTile tile = {rows, &zero, 1, p.k, packed + col * p.k, kPanel};
      const TileEnds ends = {nullptr, 0, nullptr, false, to, y_step, n, bias + col, p.epilogue.lo, p.epilogue.hi};
      run_rows<false>(height, n, tile, ends);
      if (!p.epilogue.is_clamp()) activate(to, height, y_step, n, p.epilogue);
    }
  }
}

inline void bottleneck_pack(const StepArgs& args, int64_t piece, unsigned char*) {
  const Bottleneck& b = args.as<Bottleneck>();
  const int64_t of_expand = b.expands() ? panels_of(b.expand.n) : 0;
  const bool first = piece < of_expand;
  const Pixelwise& p = first ? b.expand : b.project;
  const int64_t panel = first ? piece : piece - of_expand;
  pack_panel(args.ptr<const float>(first         ? 1
                                   : b.expands() ? 5
                                                 : 3) +
                 panel * kPanel,
             p.n, p.k, min64(kPanel, p.n - panel * kPanel),
             reinterpret_cast<float*>(args.scratch) + p.at + panel * kPanel * p.k);
}

inline void bottleneck_run(const StepArgs& args, int64_t piece, unsigned char* thread_scratch) {
  const Bottleneck& b = args.as<Bottleneck>();
  const Depthwise& d = b.depthwise;
  const Axis &rows = d.rows, &cols = d.cols;
  const int64_t image = piece / b.parts, in_channels = b.expands() ? b.expand.k : d.channels;
  const Part part = part_of(rows.out, b.parts, piece % b.parts);
  const int weights = b.expands() ? 3 : 1;
  const float* x = args.ptr<const float>(0) + image * rows.in * cols.in * in_channels;
  const float* bias1 = b.expands() ? args.ptr<const float>(2) : nullptr;
  const float* bias3 = b.projects() ? args.ptr<const float>(weights + 3) : nullptr;
  const int64_t out_channels = b.projects() ? b.project.n : d.channels;
  float* y = args.ptr<float>(static_cast<int>(b.inputs())) + image * rows.out * cols.out * out_channels;
  const float* packed = reinterpret_cast<const float*>(args.scratch);
  float* wide = reinterpret_cast<float*>(thread_scratch);  // rows [top, bottom) of the wide map
  float* deep = wide + b.held * cols.in * b.step;
  const int64_t line = cols.in * b.step;
  int64_t top = 0, bottom = 0;
  for (int64_t i = part.begin; i < part.end; i += b.band) {
    const Part band = {i, min64(i + b.band, part.end)};
    const int64_t first = max64(0, min64(rows.in, band.begin * rows.stride - rows.pad));
    const int64_t last = (band.end - 1) * rows.stride - rows.pad + (rows.kernel - 1) * rows.dilation + 1;
    const int64_t end = max64(first, min64(rows.in, last));
    if (b.expands()) {
      const int64_t kept = max64(bottom - first, 0);
      if (kept > 0) std::memmove(wide, wide + (first - top) * line, static_cast<size_t>(kept * line) * sizeof(float));
      const int64_t from = first + kept;
      if (from < end)
        pixels_by_weights(b.expand, x + from * cols.in * in_channels, in_channels, (end - from) * cols.in,
                          packed + b.expand.at, bias1, wide + kept * line, b.step);
      bottom = max64(end, from);
    }
    top = first;
    float* to = y + i * cols.out * out_channels;
    depthwise_rows(d, {b.expands() ? b.step : d.channels, b.projects() ? b.step : d.channels},
                   b.expands() ? wide : x + first * cols.in * d.channels, top, args.ptr<const float>(weights),
                   args.ptr<const float>(weights + 1), band, b.projects() ? deep : to);
    if (b.projects())
      pixels_by_weights(b.project, deep, b.step, (band.end - i) * cols.out, packed + b.project.at, bias3, to,
                        out_channels);
  }
}

inline const char* plan_bands(Bottleneck* b, StepPlan* plan) {
  const Axis &rows = b->depthwise.rows, &cols = b->depthwise.cols;
  // An odd number of cache lines from pixel to pixel: neighbours lie in different sets.
  b->step = ((b->depthwise.channels + 15) / 16 | 1) * 16;
  const int64_t span = (rows.kernel - 1) * rows.dilation + 1;
  if (static_cast<double>(b->step) * static_cast<double>(max64(cols.in, cols.out)) *
          static_cast<double>(min64(span, rows.in)) >
      static_cast<double>(kMostFloats))
    return "rows of the wide map are too long";
  const int64_t wide = b->expands() ? cols.in * b->step : 0, deep = b->projects() ? cols.out * b->step : 0;
  for (b->parts = 1;
       b->parts * 2 * max64(b->depthwise.batch, 1) <= kBandPieces && rows.out >= b->parts * 2 * kLeastBandRows;)
    b->parts *= 2;
  const int64_t longest = (rows.out + b->parts - 1) / b->parts;
  const auto seen = [&](int64_t band) { return min64(rows.in, (band - 1) * rows.stride + span); };
  const auto fits = [&](int64_t band) { return seen(band) * wide + band * deep <= kBandFloats; };
  int64_t bands = 1;
  while (bands < longest && !fits((longest + bands - 1) / bands)) ++bands;
  b->band = (longest + bands - 1) / bands;
  b->held = b->expands() ? seen(b->band) : 0;
  plan->scratch_bytes = sizeof(float) * static_cast<size_t>(b->project.at + (b->projects() ? b->project.floats() : 0));
  plan->thread_scratch_bytes = sizeof(float) * static_cast<size_t>(b->held * wide + b->band * deep);
  return nullptr;
}

// ints and floats: the depthwise convolution's ConvAttrs, then (there is a first, its activation), (there is a last,
// its activation), and their alphas.
inline const char* bottleneck(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_ints != kConvInts + 4 || spec.n_floats != 3) return "unknown attributes";
  const int64_t* more = spec.ints + kConvInts;
  for (int i = 0; i < 4; ++i)
    if (more[i] < 0 || more[i] >= (i % 2 == 0 ? 2 : kActs)) return "unknown attributes";
  const bool expands = more[0] != 0, projects = more[2] != 0;
  if (!expands && !projects) return "takes a 1x1 convolution before or after it";
  if (spec.n_inputs != 3 + (expands ? 2 : 0) + (projects ? 2 : 0) || spec.n_outputs != 1)
    return "takes x, and weights and a bias of each convolution";
  const auto fits = [&](int w, int64_t k, int64_t n) {  // a 1x1 kernel and its bias
    const Operand &kernel = spec.in(w), &bias = spec.in(w + 1);
    return is_float(kernel, 4) && kernel.dims[0] == 1 && kernel.dims[1] == 1 && kernel.dims[2] == k &&
           kernel.dims[3] == n && is_float(bias, 1) && bias.dims[0] == n;
  };
  const int at = expands ? 3 : 1;
  const Operand &x = spec.in(0), &w = spec.in(at), &y = spec.out(0);
  if (!is_float(x, 4) || !is_float(w, 4) || !is_float(y, 4)) return "takes float32 of rank 4 only";
  const int64_t channels = w.dims[2];
  if (w.dims[3] != 1) return "takes a depth multiplier of 1";
  if (!is_float(spec.in(at + 1), 1) || spec.in(at + 1).dims[0] != channels) return "takes a bias of each channel";
  if (expands && !fits(1, x.dims[3], channels)) return "the first convolution does not fit x and the depthwise one";
  if (projects && !fits(at + 2, channels, y.dims[3]))
    return "the last convolution does not fit the depthwise one and y";
  if (x.dims[3] < 1 || y.dims[3] < 1) return "takes at least one channel";
  Operand wide = x, deep = y;  // of the depthwise convolution
  wide.dims[3] = deep.dims[3] = channels;
  StepSpec middle = spec;
  middle.n_ints = kConvInts;
  middle.n_floats = 1;
  Conv c;
  if (const char* why = decode_conv(middle, wide, w, deep, true, nullptr, &c)) return why;
  Bottleneck b = {};
  b.depthwise = make_depthwise(c);
  b.depthwise.near = expands;  // else x comes from memory
  plan->flops = c.flops();
  const auto pixels = [](const Operand& o) { return static_cast<double>(o.dims[0] * o.dims[1] * o.dims[2]); };
  const auto product = [&](const Operand& o, int64_t k, int64_t n) {
    plan->flops += 2 * pixels(o) * static_cast<double>(k) * static_cast<double>(n);
  };
  if (expands) {
    b.expand = {x.dims[3], channels, 0, make_epilogue(more[1], spec.floats[1])};
    b.project.at = b.expand.floats();
    product(x, b.expand.k, b.expand.n);
  }
  if (projects) {
    b.project = {channels, y.dims[3], b.project.at, make_epilogue(more[3], spec.floats[2])};
    product(y, b.project.k, b.project.n);
  }
  if (const char* why = plan_bands(&b, plan)) return why;
  if (c.batch > 0) {
    plan->add_phase(bottleneck_pack, (expands ? panels_of(b.expand.n) : 0) + (projects ? panels_of(b.project.n) : 0));
    plan->add_phase(bottleneck_run, c.batch * b.parts);
  }
  plan->set_params(b);
  return nullptr;
}

}  // namespace
}  // namespace striate
