// Functions of two tensors with broadcasting, comparisons, logic, where, and the sigmoid cross-entropy.
#pragma once

#include <cmath>

#include "kernels/eltwise/unary.h"

namespace striate {
namespace {

// ---- Float32

STRIATE_VFN or_nan(Vf r, Vf b) { return select(b != b, b, r); }  // vmax and vmin keep a NaN of their first only

STRIATE_INLINE Vf vpower(Vf a, Vf b) {
  // Squares are what models ask for; x * x is the rounded square, powf's bound is 1 ulp.
  for (int i = 0; i < kLanes; ++i) a[i] = b[i] == 2.0f ? a[i] * a[i] : ::powf(a[i], b[i]);
  return a;
}

// Python's: the result has the divisor's sign. fmod is exact.
inline double divide_floor(double a, double b, double* mod) {
  *mod = ::fmod(a, b);
  if (b == 0.0) return a / b;
  double quotient = (a - *mod) / b;
  if (*mod != 0.0 && (b < 0.0) != (*mod < 0.0)) {
    *mod += b;
    quotient -= 1.0;
  } else if (*mod == 0.0) {
    *mod = ::copysign(0.0, b);
  }
  if (quotient == 0.0) return ::copysign(0.0, a / b);
  const double whole = ::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1.0 : whole;
}
STRIATE_INLINE Vf vmod(Vf a, Vf b) {
  for (int i = 0; i < kLanes; ++i) {
    double mod;
    divide_floor(a[i], b[i], &mod);
    a[i] = static_cast<float>(mod);
  }
  return a;
}
STRIATE_INLINE Vf vfloor_divide(Vf a, Vf b) {
  double mod;
  for (int i = 0; i < kLanes; ++i) a[i] = static_cast<float>(divide_floor(a[i], b[i], &mod));
  return a;
}

// Float32 only, broadcasting.
#define STRIATE_FLOAT_BINARY(op, value)                            \
  STRIATE_LOOP(op, 2, value)                                       \
  const char* eltwise_##op(const StepSpec& s, StepPlan* p) {       \
    if (const char* why = check_floats(s, 2, 1, 0, 0)) return why; \
    return plan_eltwise(s, p, eltwise_of(op##_loop, true));        \
  }

STRIATE_LOOP(add_float, 2, x + y)
STRIATE_LOOP(subtract_float, 2, x - y)
STRIATE_LOOP(multiply_float, 2, x* y)
STRIATE_LOOP(maximum_float, 2, or_nan(vmax(x, y), y))
STRIATE_LOOP(minimum_float, 2, or_nan(vmin(x, y), y))
STRIATE_FLOAT_BINARY(divide, x / y)
STRIATE_FLOAT_BINARY(power, vpower(x, y))
STRIATE_FLOAT_BINARY(mod, vmod(x, y))
STRIATE_FLOAT_BINARY(floor_divide, vfloor_divide(x, y))

// max(x, 0) - x z + log(1 + exp(-|x|)), z the target
STRIATE_VFN vsigmoid_crossentropy(Vf x, Vf z) { return vmax(x, Vf{}) - x * z + vlog1p(vexp(-vabs(x))); }
STRIATE_MAP(sigmoid_crossentropy, 2, false, vsigmoid_crossentropy(x, y))

// (g, logits, targets) -> (g (sigmoid(x) - z), -g x)
void sigmoid_crossentropy_grad_loop(const Run& r) {
  for (int64_t i = 0; i < r.n; i += kLanes) {
    const Vf g = load(r.x<float>(0) + i * r.step[0]), x = load(r.x<float>(1) + i * r.step[1]);
    const Vf z = load(r.x<float>(2) + i * r.step[2]);
    store(r.y<float>(0) + i, g * (vsigmoid(x) - z));
    store(r.y<float>(1) + i, -(g * x));
  }
}
const char* eltwise_sigmoid_crossentropy_grad(const StepSpec& s, StepPlan* p) {
  return plan_map(s, p, 3, 2, sigmoid_crossentropy_grad_loop, false);
}

// ---- Any type: loops the compiler vectorises. `ivdep`: an operand that is the result's own memory is at the same
// place.

#if defined(__clang__)
#define STRIATE_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define STRIATE_IVDEP _Pragma("GCC ivdep")
#endif

template <typename F, typename T, typename R>
void loop2(const Run& r) {
  const T *a = r.x<T>(0), *b = r.x<T>(1);
  R* y = r.y<R>(0);
  const int64_t n = r.n;
  STRIATE_IVDEP
  for (int64_t i = 0; i < n; ++i) y[i] = F::of(a[i], b[i]);
}
template <typename F, typename T, typename R>
void loop1(const Run& r) {
  const T* a = r.x<T>(0);
  R* y = r.y<R>(0);
  const int64_t n = r.n;
  STRIATE_IVDEP
  for (int64_t i = 0; i < n; ++i) y[i] = F::of(a[i]);
}

// Integers wrap around: unsigned arithmetic, cast back.
template <typename T>
struct Unsigned;
template <>
struct Unsigned<int32_t> {
  using type = uint32_t;
};
template <>
struct Unsigned<int64_t> {
  using type = uint64_t;
};
#define STRIATE_WRAPPING(name, op)                                   \
  struct name {                                                      \
    template <typename T>                                            \
    static T of(T a, T b) {                                          \
      using U = typename Unsigned<T>::type;                          \
      return static_cast<T>(static_cast<U>(a) op static_cast<U>(b)); \
    }                                                                \
  };
STRIATE_WRAPPING(Add, +)
STRIATE_WRAPPING(Subtract, -)
STRIATE_WRAPPING(Multiply, *)
struct Maximum {
  template <typename T>
  static T of(T a, T b) {
    return a < b ? b : a;
  }
};
struct Minimum {
  template <typename T>
  static T of(T a, T b) {
    return b < a ? b : a;
  }
};
struct Equal {
  template <typename T>
  static uint8_t of(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  template <typename T>
  static uint8_t of(T a, T b) {
    return a != b;
  }
};
struct Less {
  template <typename T>
  static uint8_t of(T a, T b) {
    return a < b;
  }
};
struct LessEqual {
  template <typename T>
  static uint8_t of(T a, T b) {
    return a <= b;
  }
};
struct And {
  static uint8_t of(uint8_t a, uint8_t b) { return (a != 0) & (b != 0); }
};
struct Or {
  static uint8_t of(uint8_t a, uint8_t b) { return (a | b) != 0; }
};
struct Xor {
  static uint8_t of(uint8_t a, uint8_t b) { return (a != 0) ^ (b != 0); }
};
struct Not {
  static uint8_t of(uint8_t a) { return a == 0; }
};

template <typename F>
STRIATE_NOINLINE const char* plan_arithmetic(const StepSpec& s, StepPlan* plan, Loop floats) {
  if (const char* why = check_step(s, 2, 1, 0, 0)) return why;
  const DType t = s.in(0).dtype;
  if (s.in(1).dtype != t || s.out(0).dtype != t) return "takes operands of one dtype";
  if (t == DType::kF32) return plan_eltwise(s, plan, eltwise_of(floats, true));
  if (t == DType::kI32) return plan_eltwise(s, plan, eltwise_of(loop2<F, int32_t, int32_t>, false));
  if (t == DType::kI64) return plan_eltwise(s, plan, eltwise_of(loop2<F, int64_t, int64_t>, false));
  return "takes float32, int32 and int64 only";
}
#define STRIATE_ARITHMETIC(op, F) \
  const char* eltwise_##op(const StepSpec& s, StepPlan* p) { return plan_arithmetic<F>(s, p, op##_float_loop); }
STRIATE_ARITHMETIC(add, Add)
STRIATE_ARITHMETIC(subtract, Subtract)
STRIATE_ARITHMETIC(multiply, Multiply)
STRIATE_ARITHMETIC(maximum, Maximum)
STRIATE_ARITHMETIC(minimum, Minimum)

template <typename F>
STRIATE_NOINLINE const char* plan_comparison(const StepSpec& s, StepPlan* plan, bool swapped) {
  if (const char* why = check_step(s, 2, 1, 0, 0)) return why;
  const DType t = s.in(0).dtype;
  if (s.in(1).dtype != t) return "takes inputs of one dtype";
  if (s.out(0).dtype != DType::kBool) return "gives bool";
  Loop loop;
  if (t == DType::kF32)
    loop = loop2<F, float, uint8_t>;
  else if (t == DType::kI32)
    loop = loop2<F, int32_t, uint8_t>;
  else if (t == DType::kI64)
    loop = loop2<F, int64_t, uint8_t>;
  else if (t == DType::kU8 || t == DType::kBool)
    loop = loop2<F, uint8_t, uint8_t>;
  else
    return "takes float32, int32, int64, uint8 and bool only";
  Eltwise p = eltwise_of(loop, false);
  p.operand[0] = swapped ? 1 : 0;
  p.operand[1] = swapped ? 0 : 1;
  return plan_eltwise(s, plan, p);
}
#define STRIATE_COMPARISON(op, F, swapped) \
  const char* eltwise_##op(const StepSpec& s, StepPlan* p) { return plan_comparison<F>(s, p, swapped); }
STRIATE_COMPARISON(equal, Equal, false)
STRIATE_COMPARISON(not_equal, NotEqual, false)
STRIATE_COMPARISON(less, Less, false)
STRIATE_COMPARISON(less_equal, LessEqual, false)
STRIATE_COMPARISON(greater, Less, true)
STRIATE_COMPARISON(greater_equal, LessEqual, true)

STRIATE_NOINLINE const char* plan_logic(const StepSpec& s, StepPlan* plan, int inputs, Loop loop) {
  if (const char* why = check_step(s, inputs, 1, 0, 0)) return why;
  for (int i = 0; i <= inputs; ++i)
    if (s.operands[i].dtype != DType::kBool) return "takes bool only";
  return plan_eltwise(s, plan, eltwise_of(loop, false));
}
#define STRIATE_LOGIC(op, inputs, ...) \
  const char* eltwise_##op(const StepSpec& s, StepPlan* p) { return plan_logic(s, p, inputs, __VA_ARGS__); }
STRIATE_LOGIC(logical_and, 2, loop2<And, uint8_t, uint8_t>)
STRIATE_LOGIC(logical_or, 2, loop2<Or, uint8_t, uint8_t>)
STRIATE_LOGIC(logical_xor, 2, loop2<Xor, uint8_t, uint8_t>)
STRIATE_LOGIC(logical_not, 1, loop1<Not, uint8_t, uint8_t>)

// where(condition, a, b), by the size of an element.
template <typename T>
void where_loop(const Run& r) {
  const uint8_t* condition = r.x<uint8_t>(0);
  const T *a = r.x<T>(1), *b = r.x<T>(2);
  T* y = r.y<T>(0);
  const int64_t n = r.n;
  STRIATE_IVDEP
  for (int64_t i = 0; i < n; ++i) {
    const T yes = a[i], no = b[i];  // both read whatever the condition, so that the choice is a blend
    y[i] = condition[i] != 0 ? yes : no;
  }
}
const char* eltwise_where(const StepSpec& s, StepPlan* plan) {
  if (const char* why = check_step(s, 3, 1, 0, 0)) return why;
  if (s.in(0).dtype != DType::kBool) return "takes a bool condition";
  if (s.in(1).dtype != s.in(2).dtype || s.in(1).dtype != s.out(0).dtype) return "takes a and b of the result's dtype";
  switch (element_bytes(s.in(1).dtype)) {
    case 1:
      return plan_eltwise(s, plan, eltwise_of(where_loop<uint8_t>, false));
    case 2:
      return plan_eltwise(s, plan, eltwise_of(where_loop<uint16_t>, false));
    case 4:
      return plan_eltwise(s, plan, eltwise_of(where_loop<uint32_t>, false));
    default:
      return plan_eltwise(s, plan, eltwise_of(where_loop<uint64_t>, false));
  }
}

}  // namespace
}  // namespace striate
