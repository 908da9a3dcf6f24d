// Reductions over any axes, and argmax/argmin along one. Reference: ir/ops/reduce.py, argmax.py;
// gather_grad (scatter.h), float32, which adds up rows that go to one place: ir/ops/gather.py.
//
//   reduce_sum max min     float32, int32, int64 (sums wrap)        reduce_mean prod   float32
//   reduce_any all         bool                                     argmax argmin      float32, int32, int64 -> int32
//
// NaN: sum, mean, prod, max and min give NaN; argmax and argmin its place (the first). Over no elements: sum 0, mean
// NaN, prod 1, any false, all true; the others refuse.
//
// The arithmetic of a result depends on the lengths of the reduced axes and of the axes after them, never on axes
// before: one image's mean has the same bits in any batch. Sums and means: blocks in float32, blocks' sums added in
// float64. Bound: 100 eps sum |x| (base/lines.h), eps = 2^-24. Products, and sums over axes that are not neighbours,
// are made in float64.
//
// Results never lie on inputs.
#pragma once
