// Softmax and its losses. The contract is in softmax.h.
#pragma once

#include "base/lines.h"
#include "kernels/softmax/softmax.h"

namespace striate {
namespace {

struct Rows {
  int64_t rows, classes, rows_a_piece;
  int64_t k;  // in_top_k's
};

constexpr int64_t kRowElements = 8192;  // of a piece, about: exp of them takes 2-8 us

// Sum of term(i, n) over the row, n <= kLanes elements from i at a time; 32 vectors, then into a total.
template <typename Term>
STRIATE_INLINE float sum_row(int64_t classes, Term term) {
  Vf total = Vf{};
  for (int64_t i = 0; i < classes;) {
    const int64_t end = smaller(classes, i + 32 * kLanes);
    Vf part = Vf{};
    for (; i < end; i += kLanes) part += term(i, smaller(kLanes, classes - i));
    total += part;
  }
  return fold_lanes<Sum>(total);
}

STRIATE_INLINE float log_of(float x) { return vlog(splat(x))[0]; }

// The largest of a row and the sum of exp(x - largest); the exponentials go to `e` unless it is null.
STRIATE_NOINLINE void exp_row(const float* x, int64_t classes, float* e, float* largest, float* sum) {
  const float top = fold_row<Max>(x, classes);
  *largest = top;
  *sum = sum_row(classes, [=](int64_t i, int64_t n) {
    const Vf v = vexp(load_padded(x + i, n, -kInf) - top);
    if (e != nullptr) store_some(e + i, v, n);
    return v;
  });
}

#define STRIATE_ROWS_OF_PIECE(p) \
  for (int64_t row = piece * (p).rows_a_piece, end = smaller((p).rows, row + (p).rows_a_piece); row < end; ++row)
#define STRIATE_VECTORS(classes) \
  for (int64_t i = 0, n = smaller(kLanes, classes); i < (classes); i += kLanes, n = smaller(kLanes, (classes) - i))

void softmax_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    float* y = args.ptr<float>(1) + row * p.classes;
    float top, sum;
    exp_row(args.ptr<float>(0) + row * p.classes, p.classes, y, &top, &sum);
    const float scale = 1.0f / sum;
    STRIATE_VECTORS(p.classes) store_some(y + i, load_some(y + i, n) * scale, n);
  }
}

void log_softmax_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float* x = args.ptr<float>(0) + row * p.classes;
    float* y = args.ptr<float>(1) + row * p.classes;
    float top, sum;
    exp_row(x, p.classes, nullptr, &top, &sum);
    const float log_sum = log_of(sum);
    STRIATE_VECTORS(p.classes) store_some(y + i, (load_some(x + i, n) - top) - log_sum, n);
  }
}

// (g, y) -> y (g - sum g y)
void softmax_grad_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float *g = args.ptr<float>(0) + row * p.classes, *y = args.ptr<float>(1) + row * p.classes;
    float* dx = args.ptr<float>(2) + row * p.classes;
    const float dot =
        sum_row(p.classes, [=](int64_t i, int64_t n) { return load_some(g + i, n) * load_some(y + i, n); });
    STRIATE_VECTORS(p.classes) store_some(dx + i, load_some(y + i, n) * (load_some(g + i, n) - dot), n);
  }
}

// (g, y) -> g - exp(y) sum g
void log_softmax_grad_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float *g = args.ptr<float>(0) + row * p.classes, *y = args.ptr<float>(1) + row * p.classes;
    float* dx = args.ptr<float>(2) + row * p.classes;
    const float total = fold_row<Sum>(g, p.classes);
    STRIATE_VECTORS(p.classes) store_some(dx + i, load_some(g + i, n) - vexp(load_some(y + i, n)) * total, n);
  }
}

// (logits, labels) -> loss
void sparse_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float* x = args.ptr<float>(0) + row * p.classes;
    const int64_t label = args.ptr<int32_t>(1)[row];
    float loss = kNan;
    if (label >= 0 && label < p.classes) {
      float top, sum;
      exp_row(x, p.classes, nullptr, &top, &sum);
      loss = log_of(sum) - (x[label] - top);
    }
    args.ptr<float>(2)[row] = loss;
  }
}

// (g, logits, labels) -> g (softmax - [c = label])
void sparse_grad_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float g = args.ptr<float>(0)[row];
    const int64_t label = args.ptr<int32_t>(2)[row];
    float* dx = args.ptr<float>(3) + row * p.classes;
    if (label < 0 || label >= p.classes) {
      std::memset(dx, 0, static_cast<size_t>(p.classes) * sizeof(float));
      continue;
    }
    float top, sum;
    exp_row(args.ptr<float>(1) + row * p.classes, p.classes, dx, &top, &sum);
    const float scale = 1.0f / sum, right = g * (dx[label] * scale - 1.0f);
    STRIATE_VECTORS(p.classes) store_some(dx + i, g * (load_some(dx + i, n) * scale), n);
    dx[label] = right;
  }
}

// (logits, targets) -> loss = sum targets (log sum - (x - largest))
void dense_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float *x = args.ptr<float>(0) + row * p.classes, *t = args.ptr<float>(1) + row * p.classes;
    float top, sum;
    exp_row(x, p.classes, nullptr, &top, &sum);
    const float log_sum = log_of(sum);
    args.ptr<float>(2)[row] = sum_row(p.classes, [=](int64_t i, int64_t n) {
      return load_some(t + i, n) * (log_sum - (load_padded(x + i, n, top) - top));
    });
  }
}

// (g, logits, targets) -> g (softmax sum targets - targets), -g log_softmax
void dense_grad_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const float g = args.ptr<float>(0)[row];
    const float *x = args.ptr<float>(1) + row * p.classes, *t = args.ptr<float>(2) + row * p.classes;
    float *dx = args.ptr<float>(3) + row * p.classes, *dt = args.ptr<float>(4) + row * p.classes;
    float top, sum;
    exp_row(x, p.classes, nullptr, &top, &sum);
    const float log_sum = log_of(sum), scale = fold_row<Sum>(t, p.classes) / sum;
    STRIATE_VECTORS(p.classes) {
      const Vf shifted = load_some(x + i, n) - top, target = load_some(t + i, n);
      store_some(dx + i, g * (vexp(shifted) * scale - target), n);
      store_some(dt + i, g * (log_sum - shifted), n);
    }
  }
}

// (labels, predictions) -> is the label's prediction finite and beaten by fewer than k?
void top_k_piece(const StepArgs& args, int64_t piece, unsigned char*) {
  const Rows& p = args.as<Rows>();
  STRIATE_ROWS_OF_PIECE(p) {
    const int64_t label = args.ptr<int32_t>(0)[row];
    const float* x = args.ptr<float>(1) + row * p.classes;
    bool in = false;
    if (label >= 0 && label < p.classes && x[label] > -kInf && x[label] < kInf) {
      const float own = x[label];
      int64_t better = 0;
      for (int64_t c = 0; c < p.classes; ++c) better += x[c] > own;
      in = better < p.k;
    }
    args.ptr<uint8_t>(2)[row] = in;
  }
}

// ---- Preparing

// The step's rows are those of operand `logits` (..., C).
STRIATE_NOINLINE const char* plan_rows(StepPlan* plan, const Operand& logits, PhaseFn run, int64_t k = 0) {
  if (logits.rank < 1) return "takes at least one axis";
  Rows p = {1, logits.dims[logits.rank - 1], 1, k};
  for (int d = 0; d + 1 < logits.rank; ++d) p.rows *= logits.dims[d];
  if (p.rows == 0) return nullptr;
  if (p.classes == 0 && run != sparse_piece && run != top_k_piece) {
    if (run != dense_piece) return nullptr;  // nothing to write
    return "no classes";
  }
  p.rows_a_piece = larger(1, kRowElements / larger(1, p.classes));
  plan->set_params(p);
  plan->add_phase(run, ceil_div(p.rows, p.rows_a_piece));
  return nullptr;
}

// softmax and the like: `operands` of one shape, {axis}.
STRIATE_NOINLINE const char* plan_along_last(const StepSpec& s, StepPlan* plan, int inputs, PhaseFn run) {
  if (const char* why = check_floats(s, inputs, 1, 1, 0)) return why;
  for (int i = 1; i <= inputs; ++i)
    if (!same_dims(s.operands[i], s.operands[0])) return "takes operands of one shape";
  if (s.ints[0] != s.in(0).rank - 1) return "takes the last axis only";
  return plan_rows(plan, s.in(0), run);
}
const char* softmax(const StepSpec& s, StepPlan* p) { return plan_along_last(s, p, 1, softmax_piece); }
const char* log_softmax(const StepSpec& s, StepPlan* p) { return plan_along_last(s, p, 1, log_softmax_piece); }
const char* softmax_grad(const StepSpec& s, StepPlan* p) { return plan_along_last(s, p, 2, softmax_grad_piece); }
const char* log_softmax_grad(const StepSpec& s, StepPlan* p) {
  return plan_along_last(s, p, 2, log_softmax_grad_piece);
}

// A (...) operand goes with a (..., C) one.
STRIATE_NOINLINE bool one_a_row(const Operand& small, const Operand& large) {
  return small.rank + 1 == large.rank && leading_dims(small, large);
}

STRIATE_NOINLINE const char* plan_loss(const StepSpec& s, StepPlan* plan, bool grad, bool sparse, PhaseFn run) {
  const int inputs = grad ? 3 : 2, outputs = grad && !sparse ? 2 : 1;
  if (const char* why = check_step(s, inputs, outputs, 0, 0)) return why;
  const int first = grad ? 1 : 0;  // g comes before the logits
  const Operand &logits = s.in(first), &targets = s.in(first + 1), &each = grad ? s.in(0) : s.out(0);
  for (int i = 0; i < inputs + outputs; ++i)
    if (s.operands[i].dtype != (sparse && i == first + 1 ? DType::kI32 : DType::kF32))
      return sparse ? "takes float32 logits and int32 labels only" : "takes float32 only";
  if (!one_a_row(each, logits)) return "takes logits (..., C), and a loss of shape (...)";
  if (sparse ? !one_a_row(targets, logits) : !same_dims(targets, logits)) return "the targets' shape does not fit";
  for (int i = 0; grad && i < outputs; ++i)
    if (!same_dims(s.out(i), logits)) return "the result's shape is not that of the logits";
  return plan_rows(plan, logits, run);
}
const char* sparse_softmax_crossentropy(const StepSpec& s, StepPlan* p) {
  return plan_loss(s, p, false, true, sparse_piece);
}
const char* sparse_softmax_crossentropy_grad(const StepSpec& s, StepPlan* p) {
  return plan_loss(s, p, true, true, sparse_grad_piece);
}
const char* softmax_crossentropy(const StepSpec& s, StepPlan* p) { return plan_loss(s, p, false, false, dense_piece); }
const char* softmax_crossentropy_grad(const StepSpec& s, StepPlan* p) {
  return plan_loss(s, p, true, false, dense_grad_piece);
}

const char* in_top_k(const StepSpec& s, StepPlan* p) {
  if (const char* why = check_step(s, 2, 1, 1, 0)) return why;
  if (s.in(0).dtype != DType::kI32 || s.in(1).dtype != DType::kF32) return "takes int32 labels and float32 predictions";
  if (s.out(0).dtype != DType::kBool) return "gives bool";
  if (s.in(1).rank != 2 || !one_a_row(s.in(0), s.in(1)) || !same_dims(s.in(0), s.out(0)))
    return "takes labels (N) and predictions (N, C)";
  return plan_rows(p, s.in(1), top_k_piece, s.ints[0]);
}

}  // namespace
}  // namespace striate
