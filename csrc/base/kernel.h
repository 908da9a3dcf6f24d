// What a kernel is to the engine: a row with an op's name, and one function that looks at a step's
// operands and attributes, either says why it cannot take them or lays out the work.
//
// A family of kernels (csrc/kernels/<family>) includes base/ only. The planner (Python) asks every row of
// an op in turn, fastest first, and takes the first that does not refuse; reasons are shown to people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace striate {

// The order is that of DTYPES in src/striate/ir/types.py.
enum class DType : int32_t { kF32, kI32, kI64, kU8, kBool, kF64, kF16, kBF16, kI8, kI16, kU16, kU32, kU64 };

// Ascending: a CPU that has one has all before it (NEON stands alone).
enum class Isa : int32_t { kBaseline, kAvx2, kAvx512, kNeon };

constexpr int kMaxRank = 8;
constexpr size_t kAlignment = 64;  // bytes; arena, scratch and Variables; user arrays only to their element

// One input or result of a step. Dense, row-major (NHWC, HWIO).
struct Operand {
  DType dtype;
  int32_t rank;
  int64_t dims[kMaxRank];
  int64_t size;  // elements, the product of dims (1 for a scalar)
};

// A step as the planner wrote it: operands are the inputs, then the results; ints and floats are the op's
// attributes as src/striate/ir/attrs.py encodes them (fields in order; Literal -> position; tuple -> length, items).
struct StepSpec {
  const Operand* operands;
  int32_t n_inputs, n_outputs;
  const int64_t* ints;
  int32_t n_ints;
  const double* floats;
  int32_t n_floats;

  const Operand& in(int i) const { return operands[i]; }
  const Operand& out(int i) const { return operands[n_inputs + i]; }
};

// What a phase gets when it runs. `params` is what prepare() stored; `data` are the operands' addresses in the
// order of the spec; `scratch` is shared by all pieces of the step, and is 64-byte aligned and not zeroed.
struct StepArgs {
  void* const* data;
  const void* params;
  unsigned char* scratch;

  template <typename T>
  const T& as() const {
    return *static_cast<const T*>(params);
  }
  template <typename T>
  T* ptr(int i) const {
    return static_cast<T*>(data[i]);
  }
};

// Does one piece. Pieces of a phase run in any order, on any thread, at once; between phases there is a barrier.
// The number of pieces and what each does depend on the spec alone, never on the number of threads, so that the bits do
// not either. No allocation, no exceptions, no globals; nothing read or written outside the operands and scratch.
using PhaseFn = void (*)(const StepArgs& args, int64_t piece, unsigned char* thread_scratch);

struct Phase {
  PhaseFn run;
  int64_t pieces;
};

struct StepPlan {
  static constexpr int kMaxPhases = 6;
  static constexpr size_t kMaxParams = 512;

  Phase phases[kMaxPhases];
  int n_phases = 0;
  size_t scratch_bytes = 0;         // shared by the pieces
  size_t thread_scratch_bytes = 0;  // for each thread
  double flops = 0;                 // multiplications and additions, for benches and --plan (0: not counted)
  double done = 0;                  // those of the products that it forms, where they are others (0: flops)
  alignas(16) unsigned char params[kMaxParams];

  void add_phase(PhaseFn run, int64_t pieces) { phases[n_phases++] = Phase{run, pieces}; }
  template <typename T>
  void set_params(const T& p) {
    static_assert(sizeof(T) <= kMaxParams && alignof(T) <= 16, "step parameters are too large");
    std::memcpy(params, &p, sizeof(T));
  }
};

// nullptr when this kernel takes the step (then the plan is filled in), else why not: static text for people, such as
// "takes float32 only". Must check every size and dtype it relies on: a plan that passed never leaves its buffers.
using PrepareFn = const char* (*)(const StepSpec& spec, StepPlan* plan);

struct KernelRow {
  const char* op;    // the op of src/striate/ir/ops it computes, "conv2d"
  const char* name;  // unique, "<algorithm>_<isa>": "conv2d_direct_avx512"
  Isa isa;
  PrepareFn prepare;
};

// A family gives its rows, one call an instruction set; each lives in an object compiled for that set.
struct KernelRows {
  const KernelRow* rows;
  size_t count;
};

}  // namespace striate
