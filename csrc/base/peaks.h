// What this CPU can do, in small loops: fused multiply-adds on registers, bytes read, bytes copied. The caller takes
// the time. `isa` chooses the vectors, and must be one that may_run().
#pragma once

#include <cstdint>

#include "base/kernel.h"

namespace striate {

// Runs `turns` turns of independent chains; gives the multiplications and additions done.
double fma_loop(Isa isa, int64_t turns);

// Reads n floats `turns` times; gives the bytes read. What is left over of a multiple of 128 floats is not touched.
double read_loop(Isa isa, const float* x, int64_t n, int64_t turns);

// Copies n floats `turns` times; gives the bytes read and written, with the same remainder.
double copy_loop(Isa isa, const float* x, float* y, int64_t n, int64_t turns);

}  // namespace striate
