// The transforms along one axis, on vectors of channels. Points in the order 0, 1, -1, 2, -1/2, infinity. For F(4, 3):
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
// F(2, 5), a filter of five taps and two outputs, has the same points and so the same B^T; row p of G goes on with p^3
// and p^4, and of A^T the first two rows stay, with the 1 of infinity in the last.
//
// [Lo, Hi) are the points that the tile needs: [0, 6) for all outputs, [0, 5) for all but the last, [1, 5) for the
// middle two of four. Nothing that only the other points or outputs use is read.
#pragma once

#include "base/simd.h"

namespace striate {
namespace {

constexpr int kPoints = 6;  // along an axis

// Point P of v = B^T d. What points share the compiler finds: the same expression of the same numbers.
template <int P>
STRIATE_INLINE Vf input_point(const Vf (&d)[6]) {
  if constexpr (P == 0) return (d[0] - d[2]) + (d[4] - d[2]) + 1.5f * (d[1] - d[3]);
  if constexpr (P == 1) return (d[4] - d[1]) - 0.5f * d[3] - 2.5f * d[2];
  if constexpr (P == 2) return (d[4] + d[1]) + 0.5f * d[2] - 2.5f * d[3];
  if constexpr (P == 3) return (d[4] - d[2]) - 0.5f * (d[1] - d[3]);
  if constexpr (P == 4) return (d[4] - d[2]) + 2.0f * (d[1] - d[3]);
  if constexpr (P == 5) return (d[5] - d[3]) + (d[1] - d[3]) - 1.5f * (d[4] - d[2]);
}
// v = B^T d
template <int Lo, int Hi>
STRIATE_INLINE void transform_input(const Vf (&d)[6], Vf (&v)[6]) {
  if constexpr (Lo == 0) v[0] = input_point<0>(d);
  v[1] = input_point<1>(d);
  v[2] = input_point<2>(d);
  v[3] = input_point<3>(d);
  v[4] = input_point<4>(d);
  if constexpr (Hi == 6) v[5] = input_point<5>(d);
}

// u = G w
STRIATE_INLINE void transform_filter(const Vf (&w)[5], Vf (&u)[6]) {
  constexpr float kThird = 1.0f / 3.0f, kFifteenth = 1.0f / 15.0f;
  const Vf even = (w[0] + w[2]) + w[4], odd = w[1] + w[3];
  u[0] = w[0];
  u[1] = -kThird * (even + odd);
  u[2] = kThird * (even - odd);
  u[3] = kFifteenth * (w[0] + 2.0f * w[1] + 4.0f * w[2] + 8.0f * w[3] + 16.0f * w[4]);
  u[4] = (-16.0f * kFifteenth) * (w[0] - 0.5f * w[1] + 0.25f * w[2] - 0.125f * w[3] + 0.0625f * w[4]);
  u[5] = w[4];
}
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
STRIATE_INLINE void transform_output(const Vf (&m)[6], Vf (&y)[2]) {
  if constexpr (Lo == 0) y[0] = m[0] + (m[1] + m[2]) + (m[3] + m[4]);
  if constexpr (Hi == 6) y[1] = (m[1] - m[2]) + 2.0f * m[3] - 0.5f * m[4] + m[5];
}
template <int Lo, int Hi>
STRIATE_INLINE void transform_output(const Vf (&m)[6], Vf (&y)[4]) {
  const Vf even = m[1] + m[2], odd = m[1] - m[2];
  if constexpr (Lo == 0) y[0] = m[0] + even + (m[3] + m[4]);
  y[1] = odd + 2.0f * m[3] - 0.5f * m[4];
  y[2] = even + 4.0f * m[3] + 0.25f * m[4];
  if constexpr (Hi == 6) y[3] = odd + 8.0f * m[3] - 0.125f * m[4] + m[5];
}

// Point P of m = A y, where the first and the last of y count only if First and Last say so.
template <int P, bool First, bool Last>
STRIATE_INLINE Vf grad_point(const Vf (&y)[2]) {
  if constexpr (P == 0 || (!Last && P < 5)) return y[0];  // the first always counts
  if constexpr (P == 1) return y[0] + y[1];
  if constexpr (P == 2) return y[0] - y[1];
  if constexpr (P == 3) return y[0] + 2.0f * y[1];
  if constexpr (P == 4) return y[0] - 0.5f * y[1];
  if constexpr (P == 5) return y[1];
}
template <int P, bool First, bool Last>
STRIATE_INLINE Vf grad_point(const Vf (&y)[4]) {
  if constexpr (P == 0) return y[0];
  if constexpr (P == 1) return (First ? y[2] + y[0] : y[2]) + (Last ? y[1] + y[3] : y[1]);
  if constexpr (P == 2) return (First ? y[2] + y[0] : y[2]) - (Last ? y[1] + y[3] : y[1]);
  if constexpr (P == 3) {
    Vf m = 2.0f * y[1] + 4.0f * y[2];
    if constexpr (First) m += y[0];
    return Last ? m + 8.0f * y[3] : m;
  }
  if constexpr (P == 4) {
    Vf m = 0.25f * y[2] - 0.5f * y[1];
    if constexpr (First) m += y[0];
    return Last ? m - 0.125f * y[3] : m;
  }
  if constexpr (P == 5) return y[3];
}
// m = A y
template <int Lo, int Hi, int Side>
STRIATE_INLINE void transform_grad(const Vf (&y)[Side], Vf (&m)[6]) {
  constexpr bool kFirst = Lo == 0, kLast = Hi == 6;
  if constexpr (kFirst) m[0] = grad_point<0, kFirst, kLast>(y);
  m[1] = grad_point<1, kFirst, kLast>(y);
  m[2] = grad_point<2, kFirst, kLast>(y);
  m[3] = grad_point<3, kFirst, kLast>(y);
  m[4] = grad_point<4, kFirst, kLast>(y);
  if constexpr (kLast) m[5] = grad_point<5, kFirst, kLast>(y);
}

// w = G^T u
STRIATE_INLINE void transform_filter_grad(const Vf (&u)[6], Vf (&w)[5]) {
  constexpr float kThird = 1.0f / 3.0f, kFifteenth = 1.0f / 15.0f;
  const Vf difference = kThird * (u[2] - u[1]), sum = kThird * (u[1] + u[2]);
  w[0] = u[0] + difference + kFifteenth * (u[3] - 16.0f * u[4]);
  w[1] = kFifteenth * (2.0f * u[3] + 8.0f * u[4]) - sum;
  w[2] = difference + (4.0f * kFifteenth) * (u[3] - u[4]);
  w[3] = kFifteenth * (8.0f * u[3] + 2.0f * u[4]) - sum;
  w[4] = u[5] + difference + kFifteenth * (16.0f * u[3] - u[4]);
}
STRIATE_INLINE void transform_filter_grad(const Vf (&u)[6], Vf (&w)[3]) {
  constexpr float kThird = 1.0f / 3.0f, kFifteenth = 1.0f / 15.0f;
  const Vf difference = kThird * (u[2] - u[1]), sum = kThird * (u[1] + u[2]);
  w[0] = u[0] + difference + kFifteenth * (u[3] - 16.0f * u[4]);
  w[1] = kFifteenth * (2.0f * u[3] + 8.0f * u[4]) - sum;
  w[2] = u[5] + difference + (4.0f * kFifteenth) * (u[3] - u[4]);
}

}  // namespace
}  // namespace striate
