// The contract is in sample.h.
#pragma once

#include "kernels/sample/sample.h"

namespace striate {
namespace {

constexpr int kMaxAxes = 3;
// Points of a piece: some 10 ns each, against well under a microsecond to hand a piece out.
constexpr int64_t kPointsPerPiece = 2048;

// The order is that of FillMode in src/striate/ir/ops/attrs.py.
enum class Fill : int32_t { kConstant, kNearest, kWrap, kMirror, kReflect };

struct Sample {
  int64_t points, channels, pixels, pieces;  // of one image
  int64_t lengths[kMaxAxes];
  int32_t axes;
  Fill fill;
  float value;
};

// Exact; what is beyond 2^52, infinite or no number stays as it is.
inline double floor_of(double x) {
  if (!(x < 4503599627370496.0 && x > -4503599627370496.0)) return x;
  const double whole = static_cast<double>(static_cast<int64_t>(x));
  return whole > x ? whole - 1 : whole;
}

inline double modulo(double x, double period) { return x - floor_of(x / period) * period; }

// The pixel, a whole number, that stands for `pixel` on an axis of n.
inline int64_t inside(double pixel, int64_t n, Fill fill) {
  const double last = static_cast<double>(n - 1);
  if (pixel < 0 || pixel > last) {
    if (fill == Fill::kWrap) {
      pixel = modulo(pixel, static_cast<double>(n));
    } else if (fill == Fill::kReflect && n > 1) {
      pixel = modulo(pixel, 2 * last + 2);
      if (pixel > last) pixel = 2 * last + 1 - pixel;
    } else if (fill == Fill::kMirror && n > 1) {
      pixel = modulo(pixel, 2 * last);
      if (pixel > last) pixel = 2 * last - pixel;
    }
  }
  if (!(pixel >= 0)) return 0;  // no number, too
  return pixel > last ? n - 1 : static_cast<int64_t>(pixel);
}

struct Tap {
  int64_t index;
  float weight;
  bool known;
};

inline Tap tap_of(double pixel, float weight, int64_t n, Fill fill) {
  const bool there = pixel >= 0 && pixel <= static_cast<double>(n - 1);
  return Tap{inside(pixel, n, fill), weight, there || fill != Fill::kConstant};
}

template <bool kLinear>
inline void taps_of(float place, int64_t n, Fill fill, Tap* taps) {
  const double p = static_cast<double>(place);
  if (kLinear) {
    // In double, where both are exact: right below a whole number, 1 - f of a rounded f would be a rounding error.
    const double low = floor_of(p), part = p - low;
    taps[0] = tap_of(low, static_cast<float>(1 - part), n, fill);
    taps[1] = tap_of(low + 1, static_cast<float>(part), n, fill);
  } else {
    const double size = p < 0 ? -p : p;
    double whole = floor_of(size);
    if (size - whole >= 0.5) whole += 1;
    taps[0] = tap_of(p < 0 ? -whole : whole, 1.0f, n, fill);
  }
}

// One point: its taps' corners, weighted and added up. kChannels 0: as many as the step has.
template <bool kLinear, int kAxes, int kChannels>
STRIATE_INLINE void sample_one(const Sample& s, const Tap (&taps)[kAxes][2], const float* x, float* y) {
  const int64_t channels = kChannels == 0 ? s.channels : kChannels;
  constexpr int kCorners = kLinear ? 1 << kAxes : 1;
  STRIATE_UNROLL
  for (int corner = 0; corner < kCorners; ++corner) {
    int64_t pixel = 0;
    float weight = 1.0f;
    bool known = true;
    STRIATE_UNROLL
    for (int a = 0; a < kAxes; ++a) {
      const Tap& t = taps[a][corner >> (kAxes - 1 - a) & 1];
      pixel = pixel * s.lengths[a] + t.index;
      weight *= t.weight;
      known = known && t.known;
    }
    const float* from = x + pixel * channels;
    if (!kLinear) {
      for (int64_t c = 0; c < channels; ++c) y[c] = known ? from[c] : s.value;
    } else if (!known) {
      const float all = weight * s.value;
      for (int64_t c = 0; c < channels; ++c) y[c] = corner == 0 ? all : y[c] + all;
    } else if (corner == 0) {
      for (int64_t c = 0; c < channels; ++c) y[c] = weight * from[c];
    } else {
      for (int64_t c = 0; c < channels; ++c) y[c] += weight * from[c];
    }
  }
}

template <bool kLinear, int kAxes, int kChannels>
void sample_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Sample s = args.as<Sample>();
  const int64_t image = piece / s.pieces, begin = piece % s.pieces * kPointsPerPiece;
  const int64_t end = begin + kPointsPerPiece < s.points ? begin + kPointsPerPiece : s.points;
  const int64_t channels = kChannels == 0 ? s.channels : kChannels;
  const float* x = args.ptr<const float>(0) + image * s.pixels * channels;
  float* y = args.ptr<float>(1 + kAxes) + (image * s.points + begin) * channels;
  for (int64_t m = begin; m < end; ++m, y += channels) {
    Tap taps[kAxes][2];
    STRIATE_UNROLL
    for (int a = 0; a < kAxes; ++a)
      taps_of<kLinear>(args.ptr<const float>(1 + a)[image * s.points + m], s.lengths[a], s.fill, taps[a]);
    if (kChannels == 0) {
      sample_one<kLinear, kAxes, kChannels>(s, taps, x, y);
    } else {
      float sums[kChannels == 0 ? 1 : kChannels];  // in registers, where y could be an alias of x
      sample_one<kLinear, kAxes, kChannels>(s, taps, x, sums);
      for (int64_t c = 0; c < channels; ++c) y[c] = sums[c];
    }
  }
}

template <bool kLinear, int kAxes>
inline PhaseFn sampler_of(int64_t channels) {
  return channels == 1   ? sample_run<kLinear, kAxes, 1>
         : channels == 3 ? sample_run<kLinear, kAxes, 3>
         : channels == 4 ? sample_run<kLinear, kAxes, 4>
                         : sample_run<kLinear, kAxes, 0>;
}

template <bool kLinear>
inline PhaseFn sampler_of(int axes, int64_t channels) {
  return axes == 1   ? sampler_of<kLinear, 1>(channels)
         : axes == 2 ? sampler_of<kLinear, 2>(channels)
                     : sampler_of<kLinear, 3>(channels);
}

inline const char* sample_points(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_outputs != 1 || spec.n_inputs < 2) return "has other inputs and results";
  if (spec.n_inputs > 1 + kMaxAxes) return "takes 1 to 3 axes";
  const Operand &x = spec.in(0), &y = spec.out(0);
  Sample s{};
  s.axes = spec.n_inputs - 1;
  if (x.rank != s.axes + 2 || y.rank != 3) return "the image's rank does not fit the places";
  for (int i = 0; i < spec.n_inputs + 1; ++i) {
    if (spec.operands[i].dtype != DType::kF32) return "takes float32 only";
  }
  if (spec.n_ints != 2 || spec.n_floats != 1 || spec.ints[1] < 0 || spec.ints[1] > 4) return "has other attributes";
  s.fill = static_cast<Fill>(spec.ints[1]);
  s.value = static_cast<float>(spec.floats[0]);
  const int64_t batch = x.dims[0];
  s.points = y.dims[1];
  s.channels = x.dims[x.rank - 1];
  s.pixels = 1;
  for (int a = 0; a < s.axes; ++a) {
    const Operand& place = spec.in(1 + a);
    if (place.rank != 2 || place.dims[0] != batch || place.dims[1] != s.points) return "the places' shape does not fit";
    s.lengths[a] = x.dims[1 + a];
    s.pixels *= s.lengths[a];
  }
  if (y.dims[0] != batch || y.dims[2] != s.channels) return "the result's shape does not fit";
  if (y.size > 0 && s.pixels == 0) return "there are no pixels to read";
  s.pieces = (s.points + kPointsPerPiece - 1) / kPointsPerPiece;
  const bool linear = spec.ints[0] != 0;
  plan->flops = linear ? 2.0 * static_cast<double>(1 << s.axes) * static_cast<double>(y.size) : 0;
  plan->set_params(s);
  plan->add_phase(linear ? sampler_of<true>(s.axes, s.channels) : sampler_of<false>(s.axes, s.channels),
                  y.size == 0 ? 0 : batch * s.pieces);
  return nullptr;
}

}  // namespace
}  // namespace striate
