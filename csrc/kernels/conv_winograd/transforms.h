// The transforms along one axis, on vectors of channels. A tile has four outputs. For F(4, 3), six points in the order
// 0, 1, -1, 2, -1/2, infinity:
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
// F(4, 5), a filter of five taps, has eight points: 0, 1, -1, 2, -2, 1/2, -1/2, infinity; row p of G goes on to p^4.
//
//         [ -1  0      5.25   0     -5.25   0     1  0 ]        [ -1                                      ]
//         [  0  1      1     -4.25  -4.25   1     1  0 ]        [ -2/9 (1,  1,   1,    1,   1)            ]
//         [  0 -1      1      4.25  -4.25  -1     1  0 ]        [ -2/9 (1, -1,   1,   -1,   1)            ]
//   B^T = [  0  0.5    0.25  -2.5   -1.25   2     1  0 ]    G = [ 1/90 (1,  2,   4,    8,  16)            ]
//         [  0 -0.5    0.25   2.5   -1.25  -2     1  0 ]        [ 1/90 (1, -2,   4,   -8,  16)            ]
//         [  0  2      4     -2.5   -5      0.5   1  0 ]        [ 32/45 (1,  1/2, 1/4,  1/8, 1/16)        ]
//         [  0 -2      4      2.5   -5     -0.5   1  0 ]        [ 32/45 (1, -1/2, 1/4, -1/8, 1/16)        ]
//         [  0 -1      0      5.25   0     -5.25  0  1 ]        [  0   0   0   0   1                      ]
//
// [Lo, Hi) are the points that the tile needs: all of N; [0, N - 1) for all outputs but the last, [1, N - 1) for the
// middle two. Nothing that only the other points or outputs use is read.
#pragma once

#include "base/simd.h"

namespace striate {
namespace {

constexpr int kOutputs = 4;                                              // of a tile along an axis
constexpr int points_of(int64_t window) { return window == 5 ? 8 : 6; }  // along an axis
constexpr int kMostPoints = 8;

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
template <int P>
STRIATE_INLINE Vf input_point(const Vf (&d)[8]) {
  if constexpr (P == 0) return (d[6] - d[0]) + 5.25f * (d[2] - d[4]);
  if constexpr (P == 7) return (d[7] - d[1]) + 5.25f * (d[3] - d[5]);
  if constexpr (P == 1 || P == 2) {
    const Vf even = (d[6] + d[2]) - 4.25f * d[4], odd = (d[5] + d[1]) - 4.25f * d[3];
    return P == 1 ? even + odd : even - odd;
  }
  if constexpr (P == 3 || P == 4) {
    const Vf even = d[6] - 1.25f * d[4] + 0.25f * d[2], odd = 2.0f * d[5] - 2.5f * d[3] + 0.5f * d[1];
    return P == 3 ? even + odd : even - odd;
  }
  if constexpr (P == 5 || P == 6) {
    const Vf even = d[6] - 5.0f * d[4] + 4.0f * d[2], odd = 0.5f * d[5] - 2.5f * d[3] + 2.0f * d[1];
    return P == 5 ? even + odd : even - odd;
  }
}
// v = B^T d
template <int Lo, int Hi, int N>
STRIATE_INLINE void transform_input(const Vf (&d)[N], Vf (&v)[N]) {
  if constexpr (Lo == 0) v[0] = input_point<0>(d);
  v[1] = input_point<1>(d);
  v[2] = input_point<2>(d);
  v[3] = input_point<3>(d);
  v[4] = input_point<4>(d);
  if constexpr (N == 8) {
    v[5] = input_point<5>(d);
    v[6] = input_point<6>(d);
  }
  if constexpr (Hi == N) v[N - 1] = input_point<N - 1>(d);
}

// u = G w
STRIATE_INLINE void transform_filter(const Vf (&w)[5], Vf (&u)[8]) {
  constexpr float kOne = -2.0f / 9.0f, kTwo = 1.0f / 90.0f, kHalf = 32.0f / 45.0f;
  const Vf even1 = (w[0] + w[2]) + w[4], odd1 = w[1] + w[3];
  const Vf even2 = w[0] + 4.0f * w[2] + 16.0f * w[4], odd2 = 2.0f * w[1] + 8.0f * w[3];
  const Vf even3 = w[0] + 0.25f * w[2] + 0.0625f * w[4], odd3 = 0.5f * w[1] + 0.125f * w[3];
  u[0] = -w[0];
  u[1] = kOne * (even1 + odd1);
  u[2] = kOne * (even1 - odd1);
  u[3] = kTwo * (even2 + odd2);
  u[4] = kTwo * (even2 - odd2);
  u[5] = kHalf * (even3 + odd3);
  u[6] = kHalf * (even3 - odd3);
  u[7] = w[4];
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
STRIATE_INLINE void transform_output(const Vf (&m)[6], Vf (&y)[4]) {
  const Vf even = m[1] + m[2], odd = m[1] - m[2];
  if constexpr (Lo == 0) y[0] = m[0] + even + (m[3] + m[4]);
  y[1] = odd + 2.0f * m[3] - 0.5f * m[4];
  y[2] = even + 4.0f * m[3] + 0.25f * m[4];
  if constexpr (Hi == 6) y[3] = odd + 8.0f * m[3] - 0.125f * m[4] + m[5];
}
template <int Lo, int Hi>
STRIATE_INLINE void transform_output(const Vf (&m)[8], Vf (&y)[4]) {
  const Vf even1 = m[1] + m[2], odd1 = m[1] - m[2], even2 = m[3] + m[4], odd2 = m[3] - m[4];
  const Vf even3 = m[5] + m[6], odd3 = m[5] - m[6];
  if constexpr (Lo == 0) y[0] = m[0] + even1 + (even2 + even3);
  y[1] = odd1 + 2.0f * odd2 + 0.5f * odd3;
  y[2] = even1 + 4.0f * even2 + 0.25f * even3;
  if constexpr (Hi == 8) y[3] = odd1 + 8.0f * odd2 + 0.125f * odd3 + m[7];
}

// Point P of m = A y, of N, where the first and the last of y count only if First and Last say so.
template <int N, int P, bool First, bool Last>
STRIATE_INLINE Vf grad_point(const Vf (&y)[4]) {
  constexpr float kPoint[2][kMostPoints] = {{0, 1, -1, 2, -0.5f, 0, 0, 0}, {0, 1, -1, 2, -2, 0.5f, -0.5f, 0}};
  if constexpr (P == 0) {
    return y[0];
  } else if constexpr (P == N - 1) {
    return y[3];
  } else if constexpr (P == 1) {
    return (First ? y[2] + y[0] : y[2]) + (Last ? y[1] + y[3] : y[1]);
  } else if constexpr (P == 2) {
    return (First ? y[2] + y[0] : y[2]) - (Last ? y[1] + y[3] : y[1]);
  } else {
    constexpr float p = kPoint[N == 8][P];
    Vf m = p * y[1] + (p * p) * y[2];
    if constexpr (First) m += y[0];
    return Last ? m + (p * p * p) * y[3] : m;
  }
}
// m = A y
template <int Lo, int Hi, int N>
STRIATE_INLINE void transform_grad(const Vf (&y)[4], Vf (&m)[N]) {
  constexpr bool kFirst = Lo == 0, kLast = Hi == N;
  if constexpr (kFirst) m[0] = grad_point<N, 0, kFirst, kLast>(y);
  m[1] = grad_point<N, 1, kFirst, kLast>(y);
  m[2] = grad_point<N, 2, kFirst, kLast>(y);
  m[3] = grad_point<N, 3, kFirst, kLast>(y);
  m[4] = grad_point<N, 4, kFirst, kLast>(y);
  if constexpr (N == 8) {
    m[5] = grad_point<N, 5, kFirst, kLast>(y);
    m[6] = grad_point<N, 6, kFirst, kLast>(y);
  }
  if constexpr (kLast) m[N - 1] = grad_point<N, N - 1, kFirst, kLast>(y);
}

// w = G^T u
STRIATE_INLINE void transform_filter_grad(const Vf (&u)[8], Vf (&w)[5]) {
  constexpr float kOne = -2.0f / 9.0f, kTwo = 1.0f / 90.0f, kHalf = 32.0f / 45.0f;
  const Vf even1 = kOne * (u[1] + u[2]), odd1 = kOne * (u[1] - u[2]);
  const Vf even2 = kTwo * (u[3] + u[4]), odd2 = kTwo * (u[3] - u[4]);
  const Vf even3 = kHalf * (u[5] + u[6]), odd3 = kHalf * (u[5] - u[6]);
  w[0] = even1 + even2 + even3 - u[0];
  w[1] = odd1 + 2.0f * odd2 + 0.5f * odd3;
  w[2] = even1 + 4.0f * even2 + 0.25f * even3;
  w[3] = odd1 + 8.0f * odd2 + 0.125f * odd3;
  w[4] = even1 + 16.0f * even2 + 0.0625f * even3 + u[7];
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
