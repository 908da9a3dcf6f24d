// seed_next, random_uniform, random_normal, dropout. See random.h.
#pragma once

#include "kernels/random/random.h"

namespace striate {
namespace {

constexpr int64_t kPieceElements = 16384;  // a multiple of kWords; some 15 microseconds

struct Field {
  int64_t size;
  int32_t threshold;  // dropout keeps an element whose 24 bits are at least this
  float scale;
};

inline const char* check_state(const Operand& state) {
  return state.dtype == DType::kI64 && state.size == 2 ? nullptr : "takes a state of two int64";
}

// Calls use(at, n, words) with the words of elements at to at + n - 1, n <= kWords; there are always kWords of them.
template <typename Use>
STRIATE_INLINE void each_words(const int64_t* state, int64_t size, int64_t piece, Use use) {
  const int64_t end = (piece + 1) * kPieceElements < size ? (piece + 1) * kPieceElements : size;
  for (int64_t at = piece * kPieceElements; at < end; at += kWords) {
    alignas(64) uint32_t words[kWords];
    philox_words(state, at / 4, words);
    use(at, static_cast<int>(end - at < kWords ? end - at : kWords), words);
  }
}

STRIATE_INLINE void give_out(float* y, const float* made, int n) {
  std::memcpy(y, made, static_cast<size_t>(n) * sizeof(float));
}

void uniform_run(const StepArgs& args, int64_t piece, unsigned char*) {
  float* y = args.ptr<float>(1);
  const auto use = [y](int64_t at, int n, const uint32_t* words) {
    float u[kWords];
    for (int i = 0; i < kWords; ++i) u[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 8)) * 0x1p-24f;
    give_out(y + at, u, n);
  };
  each_words(args.ptr<const int64_t>(0), args.as<Field>().size, piece, use);
}

// cos and sin of 2 pi m 2^-24: the nearest quarter turn is taken off exactly, and both are polynomials in what is left,
// |t| <= pi / 4 (Taylor's: the first term left out is 2e-9 of the sine, 2e-9 of the cosine).
STRIATE_INLINE void turn(Vi m, Vf* cosine, Vf* sine) {
  const Vi quarter = (m + (1 << 21)) >> 22;
  const Vf t = __builtin_convertvector(m - (quarter << 22), Vf) * 3.74507038e-7f;  // 2 pi 2^-24
  const Vf z = t * t;
  Vf s = z * 2.75573192e-6f - 1.98412698e-4f;
  s = s * z + 8.33333333e-3f;
  s = s * z - 1.66666667e-1f;
  s = t + t * (z * s);
  Vf c = z * -2.75573192e-7f + 2.48015873e-5f;
  c = c * z - 1.38888889e-3f;
  c = c * z + 4.16666667e-2f;
  c = c * z - 0.5f;
  c = c * z + 1.0f;
  const Vi odd = (quarter & 1) == 1;
  const Vi cosine_sign = ((quarter + 1) & 2) << 30, sine_sign = (quarter & 2) << 30;
  *cosine = as_float(as_int(select(odd, s, c)) ^ cosine_sign);
  *sine = as_float(as_int(select(odd, c, s)) ^ sine_sign);
}

void normal_run(const StepArgs& args, int64_t piece, unsigned char*) {
  float* y = args.ptr<float>(1);
  const auto use = [y](int64_t at, int n, const uint32_t* words) {
    constexpr int kPairs = kWords / 2;
    float u1[kPairs], z0[kPairs], z1[kPairs], z[kWords];
    int32_t u2[kPairs];
    for (int i = 0; i < kPairs; ++i) {
      u1[i] = static_cast<float>(static_cast<int32_t>((words[2 * i] >> 8) + 1)) * 0x1p-24f;
      u2[i] = static_cast<int32_t>(words[2 * i + 1] >> 8);
    }
    for (int i = 0; i < kPairs; i += kLanes) {
      const Vf radius = vsqrt(-2.0f * vlog(load(u1 + i)));
      Vi m;
      std::memcpy(&m, u2 + i, sizeof m);
      Vf cosine, sine;
      turn(m, &cosine, &sine);
      store(z0 + i, radius * cosine);
      store(z1 + i, radius * sine);
    }
    for (int i = 0; i < kPairs; ++i) {
      z[2 * i] = z0[i];
      z[2 * i + 1] = z1[i];
    }
    give_out(y + at, z, n);
  };
  each_words(args.ptr<const int64_t>(0), args.as<Field>().size, piece, use);
}

void dropout_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Field& f = args.as<Field>();
  const float* x = args.ptr<const float>(0);
  float* y = args.ptr<float>(2);
  const auto use = [&f, x, y](int64_t at, int n, const uint32_t* words) {
    for (int i = 0; i < n; i += kLanes) {
      const int lanes = n - i < kLanes ? n - i : kLanes;
      Vi bits;
      std::memcpy(&bits, words + i, sizeof bits);
      const Vi kept = ((bits >> 8) & 0xffffff) >= f.threshold;
      const Vf scaled = load_n(x + at + i, lanes) * f.scale;
      store_n(y + at + i, as_float(as_int(scaled) & kept), lanes);
    }
  };
  each_words(args.ptr<const int64_t>(1), f.size, piece, use);
}

void seed_next_run(const StepArgs& args, int64_t, unsigned char*) {
  const int64_t* state = args.ptr<const int64_t>(0);
  int64_t* next = args.ptr<int64_t>(1);
  next[0] = state[0];
  next[1] = static_cast<int64_t>(static_cast<uint64_t>(state[1]) + 1);
}

const char* seed_next_one(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 1 || spec.n_outputs != 1) return "has other inputs and results";
  if (const char* why = check_state(spec.in(0))) return why;
  if (const char* why = check_state(spec.out(0))) return why;
  plan->add_phase(seed_next_run, 1);
  return nullptr;
}

const char* plan_field(int64_t size, double rate, PhaseFn run, StepPlan* plan) {
  Field f{size, 1 << 24, 0.0f};
  if (rate < 1) {
    f.threshold = static_cast<int32_t>(__builtin_ceil(rate * 0x1p24));  // exact: rate has a float's or double's bits
    f.scale = static_cast<float>(1.0 / (1.0 - rate));
  }
  plan->set_params(f);
  plan->add_phase(run, (size + kPieceElements - 1) / kPieceElements);
  return nullptr;
}

const char* plan_random(const StepSpec& spec, PhaseFn run, StepPlan* plan) {
  if (spec.n_inputs != 1 || spec.n_outputs != 1) return "has other inputs and results";
  if (const char* why = check_state(spec.in(0))) return why;
  if (spec.out(0).dtype != DType::kF32) return "gives float32 only";
  return plan_field(spec.out(0).size, 0, run, plan);
}

const char* random_uniform_philox(const StepSpec& spec, StepPlan* plan) { return plan_random(spec, uniform_run, plan); }
const char* random_normal_philox(const StepSpec& spec, StepPlan* plan) { return plan_random(spec, normal_run, plan); }

const char* dropout_philox(const StepSpec& spec, StepPlan* plan) {
  if (spec.n_inputs != 2 || spec.n_outputs != 1 || spec.n_floats != 1) return "has other inputs and results";
  if (const char* why = check_state(spec.in(1))) return why;
  const Operand &x = spec.in(0), &y = spec.out(0);
  if (x.dtype != DType::kF32 || y.dtype != DType::kF32) return "takes float32 only";
  if (x.size != y.size) return "the result's shape is not the input's";
  if (!(spec.floats[0] >= 0)) return "takes a rate of 0 or more";
  return plan_field(x.size, spec.floats[0], dropout_run, plan);
}

}  // namespace
}  // namespace striate
