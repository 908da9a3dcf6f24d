// Activations on vectors of float, as Keras defines them; tanh and sigmoid are elementary functions. Bounds:
// docs/numerics.md.
#pragma once

#include "base/simd_math.h"

namespace striate {
namespace {

STRIATE_VFN vrelu(Vf x) { return vmax(x, Vf{}); }
STRIATE_VFN vrelu6(Vf x) { return vmin(vmax(x, Vf{}), splat(6.0f)); }
STRIATE_VFN velu(Vf x, float alpha) { return select(x > 0.0f, x, alpha * vexpm1(x)); }
STRIATE_VFN vleaky_relu(Vf x, float slope) { return select(x > 0.0f, x, slope * x); }
STRIATE_VFN vhard_sigmoid(Vf x) { return vrelu6(x + 3.0f) * (1.0f / 6.0f); }
// These and gelu tend to 0 at minus infinity, where the formula would give inf * 0: x is held where they are 0 already.
STRIATE_VFN vhard_silu(Vf x) { return vmax(x, splat(-3.0f)) * vhard_sigmoid(x); }
STRIATE_VFN vsilu(Vf x) {
#if defined(__AVX512F__)
  x = vmax(x, splat(-88.0f));
  return x * sigmoid_above(x);
#else
  x = vmax(x, splat(-88.9f));  // where the divisor is infinite
  return x / one_plus_exp(-vmin(x, splat(88.0f)));
#endif
}
STRIATE_VFN vsoftplus(Vf x) { return vmax(x, Vf{}) + vlog1p(vexp(-vabs(x))); }
// x Phi(x). For x < -1 the sum cancels: the error is ulps of x, not of the result.
STRIATE_VFN vgelu(Vf x) { return 0.5f * vmax(x, splat(-20.0f)) * (verf(x * 0.707106781f) + 1.0f); }
// 0.5 x (1 + tanh(u)) written as x sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3): no cancellation.
STRIATE_VFN vgelu_tanh(Vf x) { return vmax(x, splat(-20.0f)) * vsigmoid(1.59576912f * (x + 0.044715f * x * x * x)); }

}  // namespace
}  // namespace striate
