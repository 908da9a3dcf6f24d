// Optimizer updates, float32. lr and step (iterations + 1) are float32 scalars read when the step runs, so that a
// schedule changes no program. w, m, v, g and the results all have one size.
//
//   sgd_update(w, g, lr) -> w                     w - lr g
//   momentum_update(w, m, g, lr) -> w, m          m' = momentum m - lr g;  w + m', or w + momentum m' - lr g (Nesterov)
//   adam_update(w, m, v, g, lr, step) -> w, m, v  m' = m + (g - m)(1 - beta_1);  v' = v + (g g - v)(1 - beta_2)
//                                                 w - m' a / (sqrt(v') + epsilon),  a = lr sqrt(1 - beta_2^step) / (1 -
//                                                 beta_1^step)
//   rmsprop_update(w, v, g, lr) -> w, v           v' = rho v + (1 - rho) g g;  w - lr g / sqrt(v' + epsilon)
//
// <rule>_update_dense(w, slots..., x, dy, scalars...[, decay]) -> w, slots...    the same with g = x^T dy, which is
// never whole: x (rows, M), dy (rows, N), w and its slots M N numbers in rows of N. A block of g is summed over the
// rows from the first on, as gemm.h says, and then used up, so that results have the bits of matmul and then the
// update; w and slots are read and written once. With `decay`, a scalar, w - w decay is what is updated, in two
// roundings.
//
// A result may lie exactly over the input of its name: each element is read before it is written, and by one piece
// only. Elements are independent, so pieces change no bit. A piece is 16 thousand elements, 64 KB a stream; with a
// product, 8 tiles of rows by half a thousand columns.
#pragma once

#include "base/kernel.h"
#include "base/simd.h"
#include "base/simd_math.h"
