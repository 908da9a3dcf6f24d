// The transforms along one axis, on vectors of channels. Points in the order 0, 1, -1, 2, -1/2, infinity.
//
//         [ 1   1.5  -2   -1.5   1   0 ]         [  1      0      0    ]          [ 1  1   1  1   1    0 ]
//         [ 0  -1   -2.5  -0.5   1   0 ]         [ -1/3   -1/3   -1/3  ]    A^T = [ 0  1  -1  2  -1/2  0 ]
//   B^T = [ 0   1    0.5  -2.5   1   0 ]     G = [  1/3   -1/3    1/3  ]          [ 0  1   1  4   1/4  0 ]
//         [ 0  -0.5 -1     0.5   1   0 ]         [  1/15   2/15   4/15 ]          [ 0  1  -1  8  -1/8  1 ]
//         [ 0   2   -1    -2     1   0 ]         [-16/15   8/15  -4/15 ]
//         [ 0   1    1.5  -2  -1.5   1 ]         [  0      0      1    ]
//
// From Lagrange interpolation of the product of a polynomial of degree 2 (the filter) and one of degree 3, transposed:
// with M(x) = product of (x - p) over the finite points, row p of B^T holds the coefficients of M(x) / (x - p), its
// last row those of M; row p of G is (1, p, p^2) / M'(p); column p of A^T is (1, p, p^2, p^3).
//
// [Lo, Hi) are the points that the tile needs: [0, 6) for four outputs, [0, 5) for the first three, [1, 5) for the
// middle two. Nothing that only the other points or outputs use is read.
#pragma once

#include "base/simd.h"

namespace striate {
namespace {

constexpr int kPoints = 6;  // along an axis

// v = B^T d
template <int Lo, int Hi>
STRIATE_INLINE void transform_input(const Vf (&d)[6], Vf (&v)[6]) {
  const Vf t = d[4] - d[2], s = d[1] - d[3];
  if constexpr (Lo == 0) v[0] = (d[0] - d[2]) + t + 1.5f * s;
  v[1] = (d[4] - d[1]) - 0.5f * d[3] - 2.5f * d[2];
  v[2] = (d[4] + d[1]) + 0.5f * d[2] - 2.5f * d[3];
  v[3] = t - 0.5f * s;
  v[4] = t + 2.0f * s;
  if constexpr (Hi == 6) v[5] = (d[5] - d[3]) + s - 1.5f * t;
}

// u = G w
STRIATE_INLINE void transform_filter(const Vf (&w)[3], Vf (&u)[6]) {
  constexpr float kThird = 1.0f / 3.0f, kFifteenth = 1.0f / 15.0f;
  const Vf even = w[0] + w[2];
  u[0] = w[0];
  u[1] = -kThird * (even + w[1]);
  u[2] = kThird * (even - w[1]);
  u[3] = kFifteenth * (w[0] + 2.0f * w[1] + 4.0f * w[2]);
  u[4] = (-16.0f * kFifteenth) * (w[0] - 0.5f * w[1] + 0.25f * w[2]);
  u[5] = w[2];
}

// y = A^T m
template <int Lo, int Hi>
STRIATE_INLINE void transform_output(const Vf (&m)[6], Vf (&y)[4]) {
  const Vf even = m[1] + m[2], odd = m[1] - m[2];
  if constexpr (Lo == 0) y[0] = m[0] + even + (m[3] + m[4]);
  y[1] = odd + 2.0f * m[3] - 0.5f * m[4];
  y[2] = even + 4.0f * m[3] + 0.25f * m[4];
  if constexpr (Hi == 6) y[3] = odd + 8.0f * m[3] - 0.125f * m[4] + m[5];
}

// m = A y
template <int Lo, int Hi>
STRIATE_INLINE void transform_grad(const Vf (&y)[4], Vf (&m)[6]) {
  Vf even = y[2], odd = y[1];
  Vf at2 = 2.0f * y[1] + 4.0f * y[2], at_half = 0.25f * y[2] - 0.5f * y[1];
  if constexpr (Lo == 0) {
    m[0] = y[0];
    even += y[0];
    at2 += y[0];
    at_half += y[0];
  }
  if constexpr (Hi == 6) {
    m[5] = y[3];
    odd += y[3];
    at2 += 8.0f * y[3];
    at_half -= 0.125f * y[3];
  }
  m[1] = even + odd;
  m[2] = even - odd;
  m[3] = at2;
  m[4] = at_half;
}

// w = G^T u
STRIATE_INLINE void transform_filter_grad(const Vf (&u)[6], Vf (&w)[3]) {
  constexpr float kThird = 1.0f / 3.0f, kFifteenth = 1.0f / 15.0f;
  const Vf difference = kThird * (u[2] - u[1]), sum = kThird * (u[1] + u[2]);
  w[0] = u[0] + difference + kFifteenth * (u[3] - 16.0f * u[4]);
  w[1] = kFifteenth * (2.0f * u[3] + 8.0f * u[4]) - sum;
  w[2] = u[5] + difference + (4.0f * kFifteenth) * (u[3] - u[4]);
}

}  // namespace
}  // namespace striate
