// Batch normalisation. The contract is in norm.h; blocks and sums down columns are base/lines.h.
#pragma once

#include <cmath>

#include "base/lines.h"
#include "kernels/norm/norm.h"

namespace striate {
namespace {

// (x - mean)^2 and g (x - mean), for fold_block.
struct Squares {
  const float* x;
  int64_t width;
  const float* mean;

  STRIATE_INLINE Vf at(int64_t row, int64_t column, int64_t n) const {
    const Vf d = load_some(x + row * width + column, n) - load_some(mean + column, n);
    return d * d;
  }
  Squares widened(int64_t k, float* buffer) const { return Squares{x, width * k, repeated(mean, width, k, buffer)}; }
};
struct Products {
  const float *g, *x;
  int64_t width;
  const float* mean;

  STRIATE_INLINE Vf at(int64_t row, int64_t column, int64_t n) const {
    const int64_t i = row * width + column;
    return load_some(g + i, n) * (load_some(x + i, n) - load_some(mean + column, n));
  }
  Products widened(int64_t k, float* buffer) const {
    return Products{g, x, width * k, repeated(mean, width, k, buffer)};
  }
};

constexpr int64_t kJoined = 256;         // channels of a joining piece
constexpr int64_t kMapElements = 16384;  // of an elementwise piece
constexpr int kMaxChannelArrays = 4;

struct Norm {
  Blocks b;
  int64_t padded;    // channels, up to a whole number of vectors: the distance of arrays in scratch
  int64_t map_rows;  // of an elementwise piece
  float epsilon;

  // Scratch: two arrays of row_blocks x channels, then up to four of channels.
  float* sums(const StepArgs& args, int which) const {
    return reinterpret_cast<float*>(args.scratch) + which * b.row_blocks * padded;
  }
  float* channels(const StepArgs& args, int which) const { return sums(args, 2) + which * padded; }
};

// y = map(values of x's element, its channel's constants), for the rows of a piece; `constants` are arrays of C.
template <int Inputs, int Arrays, typename Map>
STRIATE_INLINE void map_rows(const Norm& p, int64_t piece, const float* const* in, const float* const* constants,
                             float* y, Map map) {
  float wide[Arrays][kWidest];
  const float* per_column[Arrays];
  int64_t width = p.b.columns;
  const int64_t first = piece * p.map_rows, rows = smaller(p.map_rows, p.b.rows - first);
  const bool few = has_few(width);  // then kLanes rows are seen as one
  for (int i = 0; i < Arrays; ++i) per_column[i] = few ? repeated(constants[i], width, kLanes, wide[i]) : constants[i];
  if (few) width *= kLanes;
  const int64_t begin = first * p.b.columns, total = rows * p.b.columns;
  for (int64_t line = 0; line < total; line += width) {
    const int64_t length = smaller(width, total - line);
    for (int64_t c = 0; c < length; c += kLanes) {
      const int64_t n = smaller(kLanes, length - c);
      Vf x[Inputs], k[Arrays];
      for (int i = 0; i < Inputs; ++i) x[i] = load_some(in[i] + begin + line + c, n);
      for (int i = 0; i < Arrays; ++i) k[i] = load_some(per_column[i] + c, n);
      store_some(y + begin + line + c, map(x, k), n);
    }
  }
}

STRIATE_NOINLINE float inverse_deviation(float variance, float epsilon) {
  return static_cast<float>(1.0 / ::sqrt(static_cast<double>(variance) + static_cast<double>(epsilon)));
}

// ---- batch_norm_train(x, gamma, beta) -> (y, mean, variance)
void train_block(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const Blocks::Place at = p.b.place(piece);
  const float* x = args.ptr<float>(0) + at.row * p.b.columns + at.column;
  float* sum = p.sums(args, 0) + at.index * p.padded + at.column;
  float* squares = p.sums(args, 1) + at.index * p.padded + at.column;
  float mean[1024];
  fold_block<Sum>(Plain{x, p.b.columns}, p.b.columns, at.rows, at.columns, sum);
  for (int64_t c = 0; c < at.columns; ++c) mean[c] = sum[c] / static_cast<float>(at.rows);
  fold_block<Sum>(Squares{x, p.b.columns, mean}, p.b.columns, at.rows, at.columns, squares);
}
// With block k's n_k elements, sum s_k, and squares q_k about m_k = s_k / n_k rounded to float:
//   sum (x - mean)^2 = sum_k q_k + 2 (m_k - mean)(s_k - n_k m_k) + n_k (m_k - mean)^2
void train_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const float *gamma = args.ptr<float>(1), *sum = p.sums(args, 0), *squares = p.sums(args, 1);
  const int64_t last = smaller(p.b.columns, (piece + 1) * kJoined);
  for (int64_t c = piece * kJoined; c < last; ++c) {
    double total = 0.0, about = 0.0;
    for (int64_t k = 0; k < p.b.row_blocks; ++k) total += static_cast<double>(sum[k * p.padded + c]);
    const double mean = total / static_cast<double>(p.b.rows);
    for (int64_t k = 0; k < p.b.row_blocks; ++k) {
      const int64_t rows = smaller(p.b.block_rows, p.b.rows - k * p.b.block_rows);
      const float s = sum[k * p.padded + c], m = s / static_cast<float>(rows);
      const double n = static_cast<double>(rows), off = static_cast<double>(m) - mean;
      about += static_cast<double>(squares[k * p.padded + c]);
      about += off * (2.0 * (static_cast<double>(s) - n * static_cast<double>(m)) + n * off);
    }
    const double spread = about / static_cast<double>(p.b.rows);
    const float variance = static_cast<float>(spread < 0.0 ? 0.0 : spread);
    p.channels(args, 0)[c] = gamma[c] * inverse_deviation(variance, p.epsilon);
    args.ptr<float>(4)[c] = static_cast<float>(mean);
    args.ptr<float>(5)[c] = variance;
  }
}
void train_map(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const float* x = args.ptr<float>(0);
  const float* constants[3] = {args.ptr<float>(4), p.channels(args, 0), args.ptr<float>(2)};
  map_rows<1, 3>(p, piece, &x, constants, args.ptr<float>(3),
                 [](const Vf* v, const Vf* k) { return (v[0] - k[0]) * k[1] + k[2]; });
}

// ---- batch_norm_train_grad(g, x, gamma, mean, variance) -> (dx, dgamma, dbeta)
void grad_block(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const Blocks::Place at = p.b.place(piece);
  const int64_t from = at.row * p.b.columns + at.column, to = at.index * p.padded + at.column;
  const float *g = args.ptr<float>(0) + from, *x = args.ptr<float>(1) + from, *mean = args.ptr<float>(3) + at.column;
  fold_block<Sum>(Plain{g, p.b.columns}, p.b.columns, at.rows, at.columns, p.sums(args, 0) + to);
  fold_block<Sum>(Products{g, x, p.b.columns, mean}, p.b.columns, at.rows, at.columns, p.sums(args, 1) + to);
}
// dx = a (g - b - (x - mean) k), a = gamma r, b = dbeta / m, k = r dgamma / m.
void grad_join(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const double share = p.b.rows > 0 ? 1.0 / static_cast<double>(p.b.rows) : 1.0;
  const int64_t last = smaller(p.b.columns, (piece + 1) * kJoined);
  for (int64_t c = piece * kJoined; c < last; ++c) {
    double sum = 0.0, products = 0.0;
    for (int64_t k = 0; k < p.b.row_blocks; ++k) {
      sum += static_cast<double>(p.sums(args, 0)[k * p.padded + c]);
      products += static_cast<double>(p.sums(args, 1)[k * p.padded + c]);
    }
    const float r = inverse_deviation(args.ptr<float>(4)[c], p.epsilon);
    const double dgamma = products * static_cast<double>(r);
    p.channels(args, 0)[c] = args.ptr<float>(2)[c] * r;
    p.channels(args, 1)[c] = static_cast<float>(sum * share);
    p.channels(args, 2)[c] = static_cast<float>(static_cast<double>(r) * dgamma * share);
    args.ptr<float>(6)[c] = static_cast<float>(dgamma);
    args.ptr<float>(7)[c] = static_cast<float>(sum);
  }
}
void grad_map(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const float* in[2] = {args.ptr<float>(0), args.ptr<float>(1)};
  const float* constants[4] = {args.ptr<float>(3), p.channels(args, 0), p.channels(args, 1), p.channels(args, 2)};
  map_rows<2, 4>(p, piece, in, constants, args.ptr<float>(5),
                 [](const Vf* v, const Vf* k) { return k[1] * ((v[0] - k[2]) - (v[1] - k[0]) * k[3]); });
}

// ---- batch_norm_infer(x, gamma, beta, mean, variance) -> y
void infer_scale(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const int64_t last = smaller(p.b.columns, (piece + 1) * kJoined);
  for (int64_t c = piece * kJoined; c < last; ++c)
    p.channels(args, 0)[c] = args.ptr<float>(1)[c] * inverse_deviation(args.ptr<float>(4)[c], p.epsilon);
}
void infer_map(const StepArgs& args, int64_t piece, unsigned char*) {
  const Norm& p = args.as<Norm>();
  const float* x = args.ptr<float>(0);
  const float* constants[3] = {args.ptr<float>(3), p.channels(args, 0), args.ptr<float>(2)};
  map_rows<1, 3>(p, piece, &x, constants, args.ptr<float>(5),
                 [](const Vf* v, const Vf* k) { return (v[0] - k[0]) * k[1] + k[2]; });
}

// ---- Preparing. Operands from x on, `channels` of them (C,) from `first` on, and results whose first is x's shape.
STRIATE_NOINLINE const char* plan_norm(const StepSpec& s, StepPlan* plan, int inputs, int outputs, int wholes,
                                       PhaseFn block, PhaseFn join, PhaseFn map) {
  if (const char* why = check_floats(s, inputs, outputs, 0, 1)) return why;
  const Operand& x = s.in(0);
  if (x.rank < 1) return "takes at least one axis, the channels";
  const int64_t channels = x.dims[x.rank - 1];
  for (int i = 0; i < inputs + outputs; ++i) {
    const Operand& o = s.operands[i];
    if (i < wholes || i == inputs) {
      if (!same_dims(o, x)) return "x, its gradient and the result differ in shape";
    } else if (o.rank != 1 || o.dims[0] != channels) {
      return "takes gamma, beta, mean and variance of shape (C,)";
    }
  }
  if (channels == 0) return nullptr;
  Norm p = {};
  p.b = cut(x.size / channels, channels);
  if (block == nullptr) p.b.row_blocks = 0;  // nothing is summed
  p.padded = ceil_div(channels, 16) * 16;
  p.map_rows = ceil_div(larger(1, kMapElements / channels), kLanes) * kLanes;
  p.epsilon = static_cast<float>(s.floats[0]);
  plan->scratch_bytes = static_cast<size_t>((2 * p.b.row_blocks + kMaxChannelArrays) * p.padded) * sizeof(float);
  if (p.b.row_blocks > 0) plan->add_phase(block, p.b.units());
  plan->add_phase(join, ceil_div(channels, kJoined));
  if (p.b.rows > 0) plan->add_phase(map, ceil_div(p.b.rows, p.map_rows));
  plan->set_params(p);
  return nullptr;
}
const char* batch_norm_train(const StepSpec& s, StepPlan* p) {
  return plan_norm(s, p, 3, 3, 1, train_block, train_join, train_map);
}
const char* batch_norm_train_grad(const StepSpec& s, StepPlan* p) {
  return plan_norm(s, p, 5, 3, 2, grad_block, grad_join, grad_map);
}
const char* batch_norm_infer(const StepSpec& s, StepPlan* p) {
  return plan_norm(s, p, 5, 1, 1, nullptr, infer_scale, infer_map);
}

}  // namespace
}  // namespace striate
