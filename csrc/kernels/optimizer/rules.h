// What each optimizer does to a vector of numbers, and the loop over a run of them.
#pragma once

#include <cmath>

#include "kernels/optimizer/optimizer.h"

namespace striate {
namespace {

struct Update {
  int64_t size;
  double a, b, epsilon;  // momentum or beta_1 or rho; beta_2
};

// A rule's tensors t[] are w, its slots, g; it leaves the new w and slots in the first kResults of them. Its inputs are
// the tensors, then kScalars scalars.
struct Sgd {
  static constexpr int kResults = 1, kScalars = 1;
  Vf lr;
  Sgd(const Update&, const float* const* scalars) : lr(splat(*scalars[0])) {}
  STRIATE_INLINE void operator()(Vf* t) const { t[0] -= lr * t[1]; }
};

template <bool Nesterov>
struct Momentum {
  static constexpr int kResults = 2, kScalars = 1;
  Vf lr, momentum;
  Momentum(const Update& u, const float* const* scalars)
      : lr(splat(*scalars[0])), momentum(splat(static_cast<float>(u.a))) {}
  STRIATE_INLINE void operator()(Vf* t) const {
    const Vf step = lr * t[2];
    t[1] = momentum * t[1] - step;
    t[0] += Nesterov ? momentum * t[1] - step : t[1];
  }
};

struct Adam {
  static constexpr int kResults = 3, kScalars = 2;
  Vf rate, one_minus_1, one_minus_2, epsilon;
  Adam(const Update& u, const float* const* scalars)
      : one_minus_1(splat(static_cast<float>(1 - u.a))),
        one_minus_2(splat(static_cast<float>(1 - u.b))),
        epsilon(splat(static_cast<float>(u.epsilon))) {
    const double lr = *scalars[0], step = *scalars[1];
    rate = splat(static_cast<float>(lr * std::sqrt(1 - std::pow(u.b, step)) / (1 - std::pow(u.a, step))));
  }
  STRIATE_INLINE void operator()(Vf* t) const {
    t[1] += (t[3] - t[1]) * one_minus_1;
    t[2] += (t[3] * t[3] - t[2]) * one_minus_2;
    t[0] -= t[1] * rate / (vsqrt(t[2]) + epsilon);
  }
};

struct RmsProp {
  static constexpr int kResults = 2, kScalars = 1;
  Vf lr, rho, one_minus, epsilon;
  RmsProp(const Update& u, const float* const* scalars)
      : lr(splat(*scalars[0])),
        rho(splat(static_cast<float>(u.a))),
        one_minus(splat(static_cast<float>(1 - u.a))),
        epsilon(splat(static_cast<float>(u.epsilon))) {}
  STRIATE_INLINE void operator()(Vf* t) const {
    t[1] = rho * t[1] + one_minus * (t[2] * t[2]);
    t[0] -= lr * t[2] / vsqrt(t[1] + epsilon);
  }
};

// n elements of the tensors `in` (w, slots, g) to the results `out`, which may be the same memory. Not inlined: every
// kernel of a rule runs this one code, so that all round alike.
template <typename Rule>
__attribute__((noinline)) void update_span(const Rule& rule, const float* const* in, float* const* out, int64_t n) {
  constexpr int kTensors = Rule::kResults + 1;
  Vf t[kTensors];
  int64_t at = 0;
  for (; at + kLanes <= n; at += kLanes) {
    for (int i = 0; i < kTensors; ++i) t[i] = load(in[i] + at);
    rule(t);
    for (int i = 0; i < Rule::kResults; ++i) store(out[i] + at, t[i]);
  }
  if (at < n) {
    const int rest = static_cast<int>(n - at);
    for (int i = 0; i < kTensors; ++i) t[i] = load_n(in[i] + at, rest);
    rule(t);
    for (int i = 0; i < Rule::kResults; ++i) store_n(out[i] + at, t[i], rest);
  }
}

}  // namespace
}  // namespace striate
