// What a product does to a finished sum before storing it: bias, then an activation.
#pragma once

#include "base/activations.h"

namespace striate {
namespace {

// The order of the Literal in src/striate/ir/ops/_epilogue.py.
enum class Act : int32_t {
  kNone,
  kRelu,
  kRelu6,
  kTanh,
  kSigmoid,
  kElu,
  kLeakyRelu,
  kGelu,
  kGeluTanh,
  kSilu,
  kHardSigmoid,
  kHardSilu
};
constexpr int64_t kActs = 12;

struct Epilogue {
  Act act;
  float alpha;
  float lo, hi;  // the activation as a clamp; without effect where it is none

  bool is_clamp() const { return act == Act::kNone || act == Act::kRelu || act == Act::kRelu6; }
};

[[maybe_unused]] inline Epilogue make_epilogue(int64_t act, double alpha) {
  const Act a = static_cast<Act>(act);
  const bool floor0 = a == Act::kRelu || a == Act::kRelu6;
  return {a, static_cast<float>(alpha), floor0 ? 0.0f : -kInf, a == Act::kRelu6 ? 6.0f : kInf};
}

// A NaN stays.
[[maybe_unused]] STRIATE_INLINE Vf clamp(Vf x, float lo, float hi) { return vmin(vmax(x, splat(lo)), splat(hi)); }

// f over n floats in each of `rows` rows, in place.
template <typename F>
STRIATE_INLINE void map_rows(float* y, int64_t rows, int64_t stride, int64_t n, F f) {
  for (int64_t i = 0; i < rows; ++i, y += stride) {
    int64_t j = 0;
    for (; j + kLanes <= n; j += kLanes) store(y + j, f(load(y + j)));
    if (j < n) store_n(y + j, f(load_n(y + j, static_cast<int>(n - j))), static_cast<int>(n - j));
  }
}

// The activations that are no clamp, over a finished tile.
[[maybe_unused]] inline void activate(float* y, int64_t rows, int64_t stride, int64_t n, const Epilogue& e) {
  const float alpha = e.alpha;
  if (stride == n) {  // one row: few filters would leave most of a vector's lanes empty, row after row
    n *= rows;
    rows = 1;
  }
  switch (e.act) {
    case Act::kTanh:
      return map_rows(y, rows, stride, n, [](Vf x) { return vtanh(x); });
    case Act::kSigmoid:
      return map_rows(y, rows, stride, n, [](Vf x) { return vsigmoid(x); });
    case Act::kElu:
      return map_rows(y, rows, stride, n, [alpha](Vf x) { return velu(x, alpha); });
    case Act::kLeakyRelu:
      return map_rows(y, rows, stride, n, [alpha](Vf x) { return vleaky_relu(x, alpha); });
    case Act::kGelu:
      return map_rows(y, rows, stride, n, [](Vf x) { return vgelu(x); });
    case Act::kGeluTanh:
      return map_rows(y, rows, stride, n, [](Vf x) { return vgelu_tanh(x); });
    case Act::kSilu:
      return map_rows(y, rows, stride, n, [](Vf x) { return vsilu(x); });
    case Act::kHardSigmoid:
      return map_rows(y, rows, stride, n, [](Vf x) { return vhard_sigmoid(x); });
    case Act::kHardSilu:
      return map_rows(y, rows, stride, n, [](Vf x) { return vhard_silu(x); });
    default:
      return;
  }
}

}  // namespace
}  // namespace striate
