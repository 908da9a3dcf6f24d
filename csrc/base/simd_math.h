// Elementary functions on vectors of float.
//
// Each is one branch-free formula for every lane, so a value's bits depend on nothing but the value and the instruction
// set. Infinities, NaN, overflow and signed zeros come out as in C's math.h, but for denormals: the engine runs with
// them flushed, so a function may give 0 for one. Bounds (ulp against float64; docs/numerics.md): exp 1.1, expm1 1.6,
// log 0.9, log1p 1.5, tanh 1.4, sigmoid 2.5, erf 1.3.
//
// Methods: reduction by ln 2 in two parts (Cody & Waite, "Software Manual for the Elementary Functions", 1980); the
// logarithm's f/(2+f) form (Tang, ACM TOMS 16, 1990); erf's tail as 1 - exp(polynomial) (the log of erfc is smooth).
// Polynomials are our own fits (Lawson's reweighted least squares, then each coefficient rounded to float in turn and
// the rest fitted again); the error beside each is the fit's, relative to the function.
#pragma once

#include "base/simd.h"

#if defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define STRIATE_VFN [[maybe_unused]] STRIATE_INLINE Vf

namespace striate {
namespace {

constexpr float kInf = __builtin_inff();
constexpr float kNan = __builtin_nanf("");

[[maybe_unused]] STRIATE_INLINE Vi as_int(Vf x) { return reinterpret_cast<Vi>(x); }
STRIATE_VFN as_float(Vi x) { return reinterpret_cast<Vf>(x); }
// Bits are shifted and summed as unsigned: a NaN's overflow int.
typedef uint32_t Vu __attribute__((vector_size(STRIATE_VEC_BYTES)));
[[maybe_unused]] STRIATE_INLINE Vu as_bits(Vf x) { return reinterpret_cast<Vu>(x); }
STRIATE_VFN from_bits(Vu x) { return reinterpret_cast<Vf>(x); }

STRIATE_VFN vabs(Vf x) { return as_float(as_int(x) & 0x7fffffff); }
STRIATE_VFN copysign_of(Vf magnitude, Vf sign) {
  return as_float((as_int(magnitude) & 0x7fffffff) | (as_int(sign) & INT32_MIN));
}
STRIATE_VFN vsqrt(Vf x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(_mm512_maskz_sqrt_ps(0xffff, reinterpret_cast<__m512>(x)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vf>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vf>(_mm_sqrt_ps(reinterpret_cast<__m128>(x)));
#elif defined(__aarch64__)
  return reinterpret_cast<Vf>(vsqrtq_f32(reinterpret_cast<float32x4_t>(x)));
#else
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// To whole numbers: adding 2^23 leaves no bits below one. Above 2^23 every float is whole, infinite or NaN.
STRIATE_VFN vround(Vf x) {  // half to even
  const Vf a = vabs(x), r = copysign_of((a + 8388608.0f) - 8388608.0f, x);
  return select(a < 8388608.0f, r, x);
}
STRIATE_VFN vfloor(Vf x) {
  const Vf r = vround(x);
  return copysign_of(r - as_float(as_int(splat(1.0f)) & (r > x)), x);
}
STRIATE_VFN vceil(Vf x) {
  const Vf r = vround(x);
  return copysign_of(r + as_float(as_int(splat(1.0f)) & (r < x)), x);
}

STRIATE_VFN power_of_two(Vi n) { return from_bits(reinterpret_cast<Vu>(n + 127) << 23); }  // -126 <= n <= 127

// 1 / b for 1 <= b < 2^128, within 0.57 ulp, or flushed. Where the CPU has an estimate of 1 / b to 2^-14, one step of
// Newton's squares its error: AVX-512's division holds its unit for 10 cycles, as long as most of SiLU (13).
STRIATE_VFN vreciprocal(Vf b) {
#if defined(__AVX512F__)
  const Vf estimate = reinterpret_cast<Vf>(_mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(b)));
  return estimate * (1.0f - b * estimate) + estimate;
#else
  return 1.0f / b;
#endif
}

// x = n ln 2 + r, |r| <= ln 2 / 2. |x| <= 110.
constexpr float kShift = 12583039.0f;  // 1.5 * 2^23 + 127
struct ExpParts {
  Vf shifted;  // kShift + n: its low bits are 127 + n, the exponent of 2^n
  Vf r, q;     // exp(r) = 1 + r + r^2 q, error 2^-28.2
};
[[maybe_unused]] STRIATE_INLINE ExpParts reduce_exp(Vf x) {
  const Vf shifted = x * 1.44269504f + kShift, whole = shifted - kShift;
  const Vf r = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  Vf q = r * 1.38200796e-3f + 8.36868398e-3f;
  q = q * r + 4.16682735e-2f;
  q = q * r + 1.66665211e-1f;
  q = q * r + 4.99999940e-1f;
  return {shifted, r, q};
}

[[maybe_unused]] STRIATE_INLINE Vi whole_of(Vf shifted) { return as_int(shifted) - as_int(splat(kShift)); }

STRIATE_VFN exp_of_rest(const ExpParts& e) {
#if defined(__AVX2__) || defined(__ARM_NEON)  // two fused steps; rounded in between, they would be worse than three
  return (e.q * e.r + 1.0f) * e.r + 1.0f;
#else
  return ((e.r * e.r) * e.q + e.r) + 1.0f;
#endif
}

#if defined(__AVX512F__)
STRIATE_VFN vscale(Vf x, Vf shifted) {  // x 2^n
  const Vf whole = shifted - kShift;
  return reinterpret_cast<Vf>(
      _mm512_maskz_scalef_ps(0xffff, reinterpret_cast<__m512>(x), reinterpret_cast<__m512>(whole)));
}
#endif

// -105 <= x <= 89: at the ends it is 0 and infinity.
STRIATE_VFN vexp_within(Vf x) {
  const ExpParts e = reduce_exp(x);
#if defined(__AVX512F__)
  return vscale(exp_of_rest(e), e.shifted);
#else
  const Vi n = whole_of(e.shifted), half = n >> 1;  // 2^128 and 2^-151 are not floats, their roots are
  return (exp_of_rest(e) * power_of_two(half)) * power_of_two(n - half);
#endif
}

// 1 + exp(x), -88 <= x <= 88.9: 2^n is a normal number, or taken as 0 where n is -127, or infinity where n is 128.
STRIATE_VFN one_plus_exp(Vf x) {
  const ExpParts e = reduce_exp(x);
#if defined(__AVX512F__)
  const Vf scale = vscale(splat(1.0f), e.shifted);
#else
  const Vf scale = from_bits(as_bits(e.shifted) << 23);
#endif
  return exp_of_rest(e) * scale + 1.0f;
}

STRIATE_VFN vexp(Vf x) { return vexp_within(vmin(vmax(x, splat(-105.0f)), splat(89.0f))); }

STRIATE_VFN vexpm1(Vf x) {
  const ExpParts e = reduce_exp(vmin(vmax(x, splat(-30.0f)), splat(89.0f)));
  const Vf p = (e.r * e.r) * e.q + e.r;
  const Vf scale = power_of_two(whole_of(e.shifted) - 1);                    // half of 2^n, since 2^128 is no float
  return select(vabs(x) < 5.9e-8f, x, 2.0f * (p * scale + (scale - 0.5f)));  // halving a tiny p would flush it
}

STRIATE_VFN vlog(Vf x) {
  const Vi tiny = x < 1.17549435e-38f;
  const Vf scaled = select(tiny, x * 33554432.0f, x);             // 2^25
  const Vu bits = as_bits(scaled) + (0x3f800000u - 0x3f3504f3u);  // mantissa into [sqrt(1/2), sqrt(2))
  const Vi exponent = (reinterpret_cast<Vi>(bits >> 23) - 127) - (tiny & 25);
  const Vf k = __builtin_convertvector(exponent, Vf);
  const Vf f = from_bits((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  const Vf s = f / (f + 2.0f), z = s * s, half_square = 0.5f * f * f;
  // log(1 + f) = 2 s + s z p(z), error 2^-30
  const Vf p = z * ((z * 0.298721224f + 0.399775535f) * z + 0.666667759f);
  const Vf y = k * 0.693138123f - ((half_square - (s * (half_square + p) + k * 9.05800061e-6f)) - f);
  const Vf special = select(x == 0.0f, splat(-kInf), select(x < 0.0f, splat(kNan), x));
  return select((x > 0.0f) & (x < kInf), y, special);
}

STRIATE_VFN vlog1p(Vf x) {
  const Vf u = x + 1.0f;
  // What u lost in rounding, as a first-order correction: log(u + c) = log(u) + c / u.
  const Vf c = select(x < 1.0f, x - (u - 1.0f), 1.0f - (u - x));
  const Vf y = vlog(u) + c / u;
  return select((u > 0.0f) & (u < kInf), select(x == 0.0f, x, y), vlog(u));
}

STRIATE_VFN vtanh(Vf x) {
  const Vf a = vabs(x);
  const Vf large = 1.0f - 2.0f * vreciprocal(one_plus_exp(2.0f * vmin(a, splat(10.0f))));
  const Vf z = x * x;  // tanh(x) = x + x z p(z) for |x| < 0.625, error 2^-27.7
  Vf p = z * -5.69229666e-3f + 2.06281673e-2f;
  p = p * z + -5.37365153e-2f;
  p = p * z + 1.33314058e-1f;
  p = p * z + -3.33332807e-1f;
  return copysign_of(select(a < 0.625f, x * (z * p) + x, large), x);
}

// Below -88 the result is no normal number, and 0; above 17 it is 1.
STRIATE_VFN sigmoid_above(Vf x) { return vreciprocal(one_plus_exp(-vmin(x, splat(88.0f)))); }  // x >= -88
STRIATE_VFN vsigmoid(Vf x) { return sigmoid_above(vmax(x, splat(-88.0f))); }

STRIATE_VFN verf(Vf x) {
  const Vf a = vabs(x);
  const Vf z = x * x;  // erf(x) = x + x q(z) for |x| < 0.921875, error 2^-30
  Vf q = z * 7.99293048e-5f + -8.04919051e-4f;
  q = q * z + 5.1923776e-3f;
  q = q * z + -2.68557277e-2f;
  q = q * z + 1.12836257e-1f;
  q = q * z + -3.76126289e-1f;
  q = q * z + 1.28379166e-1f;
  const Vf t = vmin(a, splat(4.0f));  // log(erfc(t)), error of the result 2^-29; erf(4) rounds to 1
  Vf g = t * 1.95822722e-4f + -3.04210489e-3f;
  g = g * t + 2.22225264e-2f;
  g = g * t + -1.03922553e-1f;
  g = g * t + -6.37192488e-1f;
  g = g * t + -1.12766957f;
  g = g * t + -1.97136091e-4f;
  return select(a < 0.921875f, x * q + x, copysign_of(1.0f - vexp(g), x));
}

}  // namespace
}  // namespace striate
