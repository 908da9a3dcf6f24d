// Elementwise ops: y[i] = f(a[i], b[i], ...), with NumPy broadcasting where the op has it (ir/ops: unary_*, binary,
// compare, where, cast, losses). Reference: each op's `reference`.
//
// A result may lie exactly on an input (same address) if the two have the same dims and the same bytes an element:
// every element is read before it is written. All kernels of this family allow that, those with two results too.
//
// Shapes, ranks 0 to 8. Types:
//   float32            all of them
//   int32, int64       add, subtract, multiply (wrapping), maximum, minimum, comparisons
//   uint8, bool        equal, not_equal, greater, ...; logical ops take bool
//   any                where, stop_gradient;  cast between float32, int32, int64, uint8, bool
// A bool is one byte, 0 or 1; any other byte counts as true.
//
// An element's bits depend on its own inputs alone: not on its place, the shape, or how many there are.
#pragma once
