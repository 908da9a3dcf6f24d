// cast, stop_gradient, and the tests of floats: one input, a result of the same dims.
#pragma once

#include "kernels/eltwise/binary.h"

namespace striate {
namespace {

// C's conversions; floats that do not fit an integer are left to the machine, as NumPy leaves them.
template <typename T>
struct To {
  template <typename S>
  static T of(S x) {
    return static_cast<T>(x);
  }
};
template <>
struct To<uint8_t> {
  static uint8_t of(float x) { return static_cast<uint8_t>(static_cast<int32_t>(x)); }
  template <typename S>
  static uint8_t of(S x) {
    return static_cast<uint8_t>(x);
  }
};
struct NotZero {
  template <typename S>
  static uint8_t of(S x) {
    return x != S(0);
  }
};

struct IsNan {
  static uint8_t of(float x) { return x != x; }
};
struct IsInf {
  static uint8_t of(float x) { return x == kInf || x == -kInf; }
};
struct IsFinite {
  static uint8_t of(float x) { return x > -kInf && x < kInf; }
};

void copy_loop(const Run& r) {  // bytes; alpha is not used
  if (r.in[0] != r.out[0]) std::memcpy(r.out[0], r.in[0], static_cast<size_t>(r.n));
}

// Dense bytes: the step is seen as one axis of single bytes.
STRIATE_NOINLINE const char* plan_copy(const StepSpec& s, StepPlan* plan) {
  if (!same_dims(s.in(0), s.out(0))) return "the result's shape is not the input's";
  Operand flat[2];
  for (Operand& o : flat) {
    o.dtype = DType::kU8;
    o.rank = 1;
    o.size = o.dims[0] = s.in(0).size * element_bytes(s.in(0).dtype);
  }
  StepSpec bytes = s;
  bytes.operands = flat;
  return plan_eltwise(bytes, plan, eltwise_of(copy_loop, false));
}
const char* eltwise_stop_gradient(const StepSpec& s, StepPlan* plan) {
  if (const char* why = check_step(s, 1, 1, 0, 0)) return why;
  if (s.in(0).dtype != s.out(0).dtype) return "the result's dtype is not the input's";
  return plan_copy(s, plan);
}

template <typename S>
Loop cast_loop(DType to) {
  switch (to) {
    case DType::kF32:
      return loop1<To<float>, S, float>;
    case DType::kI32:
      return loop1<To<int32_t>, S, int32_t>;
    case DType::kI64:
      return loop1<To<int64_t>, S, int64_t>;
    case DType::kU8:
      return loop1<To<uint8_t>, S, uint8_t>;
    case DType::kBool:
      return loop1<NotZero, S, uint8_t>;
    default:
      return nullptr;
  }
}
const char* eltwise_cast(const StepSpec& s, StepPlan* plan) {
  if (const char* why = check_step(s, 1, 1, 1, 0)) return why;
  const DType from = s.in(0).dtype, to = s.out(0).dtype;
  if (s.ints[0] != static_cast<int64_t>(to)) return "the result's dtype is not the attribute's";
  if (!same_dims(s.in(0), s.out(0))) return "the result's shape is not the input's";
  if (from == to) return plan_copy(s, plan);
  Loop loop = nullptr;
  if (from == DType::kF32)
    loop = cast_loop<float>(to);
  else if (from == DType::kI32)
    loop = cast_loop<int32_t>(to);
  else if (from == DType::kI64)
    loop = cast_loop<int64_t>(to);
  else if (from == DType::kU8)
    loop = cast_loop<uint8_t>(to);
  else if (from == DType::kBool && to == DType::kU8)
    loop = loop1<NotZero, uint8_t, uint8_t>;
  else if (from == DType::kBool)
    loop = cast_loop<uint8_t>(to);
  if (loop == nullptr) return "casts between float32, int32, int64, uint8 and bool only";
  return plan_eltwise(s, plan, eltwise_of(loop, false));
}

STRIATE_NOINLINE const char* plan_test(const StepSpec& s, StepPlan* plan, Loop loop) {
  if (const char* why = check_step(s, 1, 1, 0, 0)) return why;
  if (s.in(0).dtype != DType::kF32) return "takes float32 only";
  if (s.out(0).dtype != DType::kBool) return "gives bool";
  if (!same_dims(s.in(0), s.out(0))) return "the result's shape is not the input's";
  return plan_eltwise(s, plan, eltwise_of(loop, false));
}
const char* eltwise_isnan(const StepSpec& s, StepPlan* p) { return plan_test(s, p, loop1<IsNan, float, uint8_t>); }
const char* eltwise_isinf(const StepSpec& s, StepPlan* p) { return plan_test(s, p, loop1<IsInf, float, uint8_t>); }
const char* eltwise_isfinite(const StepSpec& s, StepPlan* p) {
  return plan_test(s, p, loop1<IsFinite, float, uint8_t>);
}

}  // namespace
}  // namespace striate
