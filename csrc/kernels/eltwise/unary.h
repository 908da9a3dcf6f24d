// Functions of one float tensor, and the gradient forms of the activations (g and x or y, of one shape).
#pragma once

#include <cmath>

#include "base/activations.h"
#include "kernels/eltwise/driver.h"

namespace striate {
namespace {

// <op>_loop computes `value`, an expression in x (in[0]), y (in[1]) and alpha, for whole vectors.
#define STRIATE_LOOP(op, inputs, value)                                                      \
  void op##_loop(const Run& r) {                                                             \
    [[maybe_unused]] const float alpha = r.alpha;                                            \
    const int64_t step_x = r.step[0] * kLanes, step_y = inputs > 1 ? r.step[1] * kLanes : 0; \
    const float *px = r.x<float>(0), *py = inputs > 1 ? r.x<float>(1) : px;                  \
    float* out = r.y<float>(0);                                                              \
    for (int64_t i = 0; i < r.n; i += kLanes, px += step_x, py += step_y) {                  \
      [[maybe_unused]] const Vf x = load(px), y = inputs > 1 ? load(py) : x;                 \
      store(out + i, value);                                                                 \
    }                                                                                        \
  }
// eltwise_<op>: operands and result of one shape.
#define STRIATE_MAP(op, inputs, has_alpha, value) \
  STRIATE_LOOP(op, inputs, value)                 \
  const char* eltwise_##op(const StepSpec& s, StepPlan* p) { return plan_map(s, p, inputs, 1, op##_loop, has_alpha); }

#define STRIATE_UNARY(op, value) STRIATE_MAP(op, 1, false, value)
#define STRIATE_GRAD(op, value) STRIATE_MAP(op, 2, false, value)  // x is g, y what the derivative is told from

// Rare functions: the C library's, lane by lane.
template <float (*F)(float)>
STRIATE_INLINE Vf each(Vf x) {
  for (int i = 0; i < kLanes; ++i) x[i] = F(x[i]);
  return x;
}

STRIATE_UNARY(neg, -x)
STRIATE_UNARY(abs, vabs(x))
STRIATE_UNARY(sign, select(x > 0.0f, splat(1.0f), select(x < 0.0f, splat(-1.0f), x)))
STRIATE_UNARY(exp, vexp(x))
STRIATE_UNARY(log, vlog(x))
STRIATE_UNARY(log1p, vlog1p(x))
STRIATE_UNARY(expm1, vexpm1(x))
STRIATE_UNARY(sqrt, vsqrt(x))
STRIATE_UNARY(rsqrt, 1.0f / vsqrt(x))
STRIATE_UNARY(square, x* x)
STRIATE_UNARY(reciprocal, 1.0f / x)
STRIATE_UNARY(sin, each<::sinf>(x))
STRIATE_UNARY(cos, each<::cosf>(x))
STRIATE_UNARY(tan, each<::tanf>(x))
STRIATE_UNARY(asin, each<::asinf>(x))
STRIATE_UNARY(acos, each<::acosf>(x))
STRIATE_UNARY(atan, each<::atanf>(x))
STRIATE_UNARY(sinh, each<::sinhf>(x))
STRIATE_UNARY(cosh, each<::coshf>(x))
STRIATE_UNARY(floor, vfloor(x))
STRIATE_UNARY(ceil, vceil(x))
STRIATE_UNARY(round, vround(x))
STRIATE_UNARY(erf, verf(x))
STRIATE_UNARY(tanh, vtanh(x))
STRIATE_UNARY(sigmoid, vsigmoid(x))
STRIATE_UNARY(relu, vrelu(x))
STRIATE_UNARY(relu6, vrelu6(x))
STRIATE_UNARY(softplus, vsoftplus(x))
STRIATE_UNARY(log_sigmoid, -vsoftplus(-x))
STRIATE_UNARY(silu, vsilu(x))
STRIATE_UNARY(hard_sigmoid, vhard_sigmoid(x))
STRIATE_UNARY(hard_silu, vhard_silu(x))
STRIATE_MAP(elu, 1, true, velu(x, alpha))
STRIATE_MAP(leaky_relu, 1, true, vleaky_relu(x, alpha))
STRIATE_LOOP(gelu_erf, 1, vgelu(x))
STRIATE_LOOP(gelu_tanh, 1, vgelu_tanh(x))

// x / (1 + |x|); held below infinity, where it would be inf / inf.
STRIATE_VFN vsoftsign(Vf x) {
  const Vf held = vmin(vmax(x, splat(-3.40282347e38f)), splat(3.40282347e38f));
  return held / (vabs(held) + 1.0f);
}
STRIATE_UNARY(softsign, vsoftsign(x))

// ---- Gradients: x is g. At a kink, the derivative from the left.

STRIATE_VFN hard_silu_slope(Vf x) {
  return select(x <= -3.0f, Vf{}, select(x >= 3.0f, splat(1.0f), (2.0f * x + 3.0f) * (1.0f / 6.0f)));
}
// s = sigmoid(x) and 1 - s, both with all their digits.
STRIATE_INLINE void both_sigmoids(Vf x, Vf* s, Vf* rest) {
  const Vf e = vexp(-vabs(x)), large = vreciprocal(e + 1.0f), small = e * large;
  *s = select(x < 0.0f, small, large);
  *rest = select(x < 0.0f, large, small);
}
STRIATE_VFN silu_slope(Vf x) {
  x = vmin(vmax(x, splat(-120.0f)), splat(120.0f));
  Vf s, rest;
  both_sigmoids(x, &s, &rest);
  return s * (x * rest + 1.0f);
}
// Phi(x) + x phi(x)
STRIATE_VFN gelu_slope(Vf x) {
  x = vmin(vmax(x, splat(-20.0f)), splat(20.0f));
  return 0.5f * (verf(x * 0.707106781f) + 1.0f) + x * (0.398942280f * vexp(-0.5f * x * x));
}
// With s = sigmoid(2 u): d/dx x s(2 u) = s + x s (1 - s) 2 u'
STRIATE_VFN gelu_tanh_slope(Vf x) {
  x = vmin(vmax(x, splat(-20.0f)), splat(20.0f));
  const Vf square = x * x;
  Vf s, rest;
  both_sigmoids(1.59576912f * x * (square * 0.044715f + 1.0f), &s, &rest);
  return s + x * (s * rest) * (square * 0.214064449f + 1.59576912f);
}

STRIATE_GRAD(relu_grad, as_float(as_int(x) & (y > 0.0f)))
STRIATE_GRAD(relu6_grad, as_float(as_int(x) & (y > 0.0f) & (y < 6.0f)))
STRIATE_GRAD(tanh_grad, x * ((1.0f - y) * (1.0f + y)))
STRIATE_GRAD(sigmoid_grad, x*(y * (1.0f - y)))
STRIATE_GRAD(silu_grad, x* silu_slope(y))
STRIATE_GRAD(hard_sigmoid_grad, as_float(as_int(x * (1.0f / 6.0f)) & (y > -3.0f) & (y < 3.0f)))
STRIATE_GRAD(hard_silu_grad, x* hard_silu_slope(y))
STRIATE_GRAD(softplus_grad, x* vsigmoid(y))
STRIATE_MAP(elu_grad, 2, true, select(y > 0.0f, x, x*(alpha* vexp(y))))
STRIATE_MAP(leaky_relu_grad, 2, true, select(y > 0.0f, x, x* alpha))
STRIATE_LOOP(gelu_erf_grad, 2, x* gelu_slope(y))
STRIATE_LOOP(gelu_tanh_grad, 2, x* gelu_tanh_slope(y))

// gelu{approximate}
STRIATE_NOINLINE const char* plan_gelu(const StepSpec& s, StepPlan* plan, int inputs, Loop exact, Loop approximate) {
  if (const char* why = check_floats(s, inputs, 1, 1, 0)) return why;
  if (const char* why = check_one_shape(s)) return why;
  return plan_eltwise(s, plan, eltwise_of(s.ints[0] != 0 ? approximate : exact, true));
}
const char* eltwise_gelu(const StepSpec& s, StepPlan* p) { return plan_gelu(s, p, 1, gelu_erf_loop, gelu_tanh_loop); }
const char* eltwise_gelu_grad(const StepSpec& s, StepPlan* p) {
  return plan_gelu(s, p, 2, gelu_erf_grad_loop, gelu_tanh_grad_loop);
}

}  // namespace
}  // namespace striate
