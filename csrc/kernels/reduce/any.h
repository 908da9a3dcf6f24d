// Reductions of any type over any axes, one result at a time; and argmax, argmin.
#pragma once

#include "base/lines.h"
#include "kernels/reduce/axes.h"

namespace striate {
namespace {

// A reduction of T: an accumulator that `start` gives, `add` grows and `end` turns into the result.
template <typename T>
struct Wrapping {  // integers are summed as unsigned, which wrap
  using type = uint64_t;
};
template <>
struct Wrapping<float> {
  using type = double;
};

struct AnySum {
  template <typename T>
  using Acc = typename Wrapping<T>::type;
  template <typename T>
  static Acc<T> start(T) {
    return 0;
  }
  template <typename T>
  static Acc<T> add(Acc<T> a, T x) {
    return a + static_cast<Acc<T>>(x);
  }
};
struct AnyProduct {
  template <typename T>
  using Acc = double;
  template <typename T>
  static double start(T) {
    return 1.0;
  }
  template <typename T>
  static double add(double a, T x) {
    return a * static_cast<double>(x);
  }
};
struct AnyMax {
  template <typename T>
  using Acc = T;
  template <typename T>
  static T start(T first) {
    return first;
  }
  template <typename T>
  static T add(T a, T x) {
    return x != x ? x : a < x ? x : a;
  }
};
struct AnyMin {
  template <typename T>
  using Acc = T;
  template <typename T>
  static T start(T first) {
    return first;
  }
  template <typename T>
  static T add(T a, T x) {
    return x != x ? x : x < a ? x : a;
  }
};
struct AnyTrue {
  template <typename T>
  using Acc = T;
  template <typename T>
  static T start(T) {
    return 0;
  }
  template <typename T>
  static T add(T a, T x) {
    return a | (x != 0);
  }
};
struct AllTrue {
  template <typename T>
  using Acc = T;
  template <typename T>
  static T start(T) {
    return 1;
  }
  template <typename T>
  static T add(T a, T x) {
    return a & (x != 0);
  }
};

struct Any {
  Axes axes;
  int64_t outputs_a_piece;
  int inner;  // the last reduced axis, or -1
  double divisor;
};

constexpr int64_t kAnyElements = 16384;  // read by a piece, about

// Reduced elements of a result in row-major order, whatever lies between them.
template <typename F, typename T>
void any_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Any& p = args.as<Any>();
  const Axes& a = p.axes;
  const T* x = args.ptr<T>(0);
  T* y = args.ptr<T>(1);
  const int64_t n = p.inner < 0 ? 1 : a.dims[p.inner], step = p.inner < 0 ? 1 : a.stride[p.inner];
  const int64_t runs = n == 0 ? 0 : a.count / n;
  const int64_t last = smaller(a.outputs, (piece + 1) * p.outputs_a_piece);
  for (int64_t out = piece * p.outputs_a_piece; out < last; ++out) {
    int64_t base = 0, index = out;
    for (int d = a.rank - 1; d >= 0; --d) {
      if (a.reduced[d]) continue;
      base += index % a.dims[d] * a.stride[d];
      index /= a.dims[d];
    }
    auto total = F::template start<T>(a.count > 0 ? x[base] : T(0));
    for (int64_t run = 0; run < runs; ++run) {
      int64_t at = base, rest = run;
      for (int d = p.inner - 1; d >= 0; --d) {
        if (!a.reduced[d]) continue;
        at += rest % a.dims[d] * a.stride[d];
        rest /= a.dims[d];
      }
      if (step == 1)
        for (int64_t i = 0; i < n; ++i) total = F::template add<T>(total, x[at + i]);
      else
        for (int64_t i = 0; i < n; ++i) total = F::template add<T>(total, x[at + i * step]);
    }
    y[out] = static_cast<T>(total);
    if (p.divisor != 1.0) y[out] = static_cast<T>(static_cast<double>(total) / p.divisor);
  }
}

STRIATE_NOINLINE const char* plan_any(StepPlan* plan, const Axes& a, PhaseFn piece, bool mean) {
  Any p = {};
  p.axes = a;
  p.inner = -1;
  for (int d = 0; d < a.rank; ++d)
    if (a.reduced[d]) p.inner = d;
  p.outputs_a_piece = larger(1, kAnyElements / larger(1, a.count));
  p.divisor = mean ? static_cast<double>(a.count) : 1.0;
  plan->set_params(p);
  plan->add_phase(piece, ceil_div(a.outputs, p.outputs_a_piece));
  return nullptr;
}

// ---- argmax, argmin{axis, keepdims}: (outer, n, inner) -> (outer, inner)
struct Arg {
  int64_t outer, n, inner, outputs_a_piece;
};

template <typename T, bool Largest>
void arg_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Arg& p = args.as<Arg>();
  const int64_t last = smaller(p.outer * p.inner, (piece + 1) * p.outputs_a_piece);
  for (int64_t out = piece * p.outputs_a_piece; out < last; ++out) {
    const T* x = args.ptr<T>(0) + out / p.inner * p.n * p.inner + out % p.inner;
    T best = x[0];
    int32_t place = 0;
    for (int64_t i = 1; i < p.n && best == best; ++i) {  // a NaN is not passed
      const T v = x[i * p.inner];
      if ((Largest ? best < v : v < best) || v != v) {
        best = v;
        place = static_cast<int32_t>(i);
      }
    }
    args.ptr<int32_t>(1)[out] = place;
  }
}

// Rows of floats: the largest by vectors, then the first element that equals it (or is NaN, if it is).
template <typename F>
void arg_row_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  constexpr int64_t kBlock = 64;  // looked through whole before asking whether it was there
  const Arg& p = args.as<Arg>();
  const int64_t last = smaller(p.outer, (piece + 1) * p.outputs_a_piece);
  for (int64_t row = piece * p.outputs_a_piece; row < last; ++row) {
    const float* x = args.ptr<float>(0) + row * p.n;
    const float best = fold_row<F>(x, p.n);
    const bool none = best != best;
    int64_t i = 0;
    for (; i + kBlock < p.n; i += kBlock) {
      int32_t found = 0;
      for (int64_t k = i; k < i + kBlock; ++k) found |= (x[k] == best) | (none & (x[k] != x[k]));
      if (found != 0) break;
    }
    while (!(x[i] == best) && !(none && x[i] != x[i])) ++i;
    args.ptr<int32_t>(1)[row] = static_cast<int32_t>(i);
  }
}

template <bool Largest>
const char* plan_arg(const StepSpec& s, StepPlan* plan) {
  if (s.n_inputs != 1 || s.n_outputs != 1 || s.n_ints != 2) return "unknown attributes";
  if (s.out(0).dtype != DType::kI32) return "gives int32";
  const int64_t one_axis[3] = {1, s.ints[0], s.ints[1]};
  StepSpec as_axes = s;
  as_axes.ints = one_axis;
  as_axes.n_ints = 3;
  Axes a;
  if (const char* why = read_axes(as_axes, &a)) return why;
  const Operand& x = s.in(0);
  const DType t = x.dtype;
  if (t != DType::kF32 && t != DType::kI32 && t != DType::kI64) return "takes float32, int32 and int64 only";
  if (s.out(0).size == 0) return nullptr;
  Arg p = {1, x.dims[s.ints[0]], 1, 1};
  if (p.n == 0) return "no elements have no maximum or minimum";
  if (p.n > INT32_MAX) return "places do not fit int32";
  for (int d = 0; d < x.rank; ++d) {
    if (d < s.ints[0]) p.outer *= x.dims[d];
    if (d > s.ints[0]) p.inner *= x.dims[d];
  }
  p.outputs_a_piece = larger(1, kAnyElements / p.n);
  plan->set_params(p);
  PhaseFn run = t == DType::kI32 ? arg_piece<int32_t, Largest> : arg_piece<int64_t, Largest>;
  const bool long_rows = p.inner == 1 && p.n >= 64;
  if (t == DType::kF32)
    run = !long_rows ? arg_piece<float, Largest> : Largest ? arg_row_piece<Max> : arg_row_piece<Min>;
  plan->add_phase(run, ceil_div(p.outer * p.inner, p.outputs_a_piece));
  return nullptr;
}
const char* reduce_argmax(const StepSpec& s, StepPlan* p) { return plan_arg<true>(s, p); }
const char* reduce_argmin(const StepSpec& s, StepPlan* p) { return plan_arg<false>(s, p); }

}  // namespace
}  // namespace striate
