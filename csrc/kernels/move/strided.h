// A dense result read from strided places of the input: transpose, broadcast_to, slice, reshape.
#pragma once

#include "kernels/move/move.h"

namespace striate {
namespace {

// Result axis a has dims[a] elements; one step along it moves strides[a] elements in the input (0: repeated).
struct Strided {
  int64_t rank, size, offset;
  int64_t dims[kMaxRank], strides[kMaxRank];
  int64_t fast, fast_stride, outer, units_per_piece;  // transposes only: see tile_run
};

// Drops axes of length 1 and joins neighbours that the input also has side by side. At least one axis is left.
inline void collapse(Strided* s) {
  int64_t r = 0;
  for (int64_t a = 0; a < s->rank; ++a) {
    if (s->dims[a] == 1) continue;
    if (r > 0 && s->strides[r - 1] == s->dims[a] * s->strides[a]) {
      s->dims[r - 1] *= s->dims[a];
      s->strides[r - 1] = s->strides[a];
    } else {
      s->dims[r] = s->dims[a];
      s->strides[r++] = s->strides[a];
    }
  }
  if (r == 0) {
    s->dims[0] = s->strides[0] = 1;
    r = 1;
  }
  s->rank = r;
}

template <typename E>
void copy_run(E* y, const E* x, int64_t n, int64_t step) {
  if (step == 1) {
    std::memcpy(y, x, static_cast<size_t>(n) * sizeof(E));
  } else if (step == 0) {
    const E value = *x;
    for (int64_t i = 0; i < n; ++i) y[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i * step];
  }
}

template <typename E>
void strided_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Strided& s = args.as<Strided>();
  const E* x = args.ptr<const E>(0) + s.offset;
  E* y = args.ptr<E>(1);
  const int64_t last = s.rank - 1, inner = s.dims[last], step = s.strides[last];
  int64_t at = piece * kPieceElements;
  const int64_t end = least(at + kPieceElements, s.size);
  int64_t index[kMaxRank], row = at / inner, column = at % inner;
  for (int64_t a = last - 1; a >= 0; --a) {
    index[a] = row % s.dims[a];
    row /= s.dims[a];
    x += index[a] * s.strides[a];
  }
  while (at < end) {
    const int64_t n = least(inner - column, end - at);
    copy_run(y + at, x + column * step, n, step);
    at += n;
    column = 0;
    for (int64_t a = last - 1; a >= 0; --a) {
      x += s.strides[a];
      if (++index[a] < s.dims[a]) break;
      x -= s.dims[a] * s.strides[a];
      index[a] = 0;
    }
  }
}

// Where the input's fastest axis (stride 1) is not the result's: squares of kTile x kTile, one cache line of float32
// a side, so that each line read and each line written is used whole while it is in L1.
constexpr int64_t kTile = 16;

template <typename E>
void tile_run(const StepArgs& args, int64_t piece, unsigned char*) {
  const Strided& s = args.as<Strided>();
  const int64_t last = s.rank - 1, n = s.dims[last], step = s.strides[last];
  const int64_t m = s.dims[s.fast], m_tiles = pieces_of(m, kTile);
  const int64_t stop = least((piece + 1) * s.units_per_piece, s.outer * m_tiles);
  for (int64_t unit = piece * s.units_per_piece; unit < stop; ++unit) {
    const E* x = args.ptr<const E>(0) + s.offset;
    E* y = args.ptr<E>(1);
    int64_t rest = unit / m_tiles, y_stride = n;
    for (int64_t a = last - 1; a >= 0; --a) {
      if (a != s.fast) {
        x += rest % s.dims[a] * s.strides[a];
        y += rest % s.dims[a] * y_stride;
        rest /= s.dims[a];
      }
      y_stride *= s.dims[a];
    }
    const int64_t i0 = unit % m_tiles * kTile, rows = least(kTile, m - i0);
    for (int64_t j0 = 0; j0 < n; j0 += kTile) {
      const int64_t columns = least(kTile, n - j0);
      const E* from = x + i0 + j0 * step;
      E* to = y + i0 * s.fast_stride + j0;
      if (rows == kTile && columns == kTile) {
        E square[kTile][kTile];
        for (int64_t j = 0; j < kTile; ++j) std::memcpy(square[j], from + j * step, sizeof square[j]);
        for (int64_t i = 0; i < kTile; ++i) {
          for (int64_t j = 0; j < kTile; ++j) to[i * s.fast_stride + j] = square[j][i];
        }
      } else {
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < columns; ++j) to[i * s.fast_stride + j] = from[i + j * step];
        }
      }
    }
  }
}

inline const char* plan_strided(Strided* s, DType dtype, StepPlan* plan) {
  plan->set_params(*s);
  plan->add_phase(STRIATE_BY_SIZE(strided_run, dtype), pieces_of(s->size, kPieceElements));
  return nullptr;
}

inline void dense_strides(const Operand& x, int64_t* strides) {
  int64_t step = 1;
  for (int a = x.rank - 1; a >= 0; --a) {
    strides[a] = step;
    step *= x.dims[a];
  }
}

inline const char* reshape_copy(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  if (spec.in(0).size != spec.out(0).size) return "the result has another number of elements";
  Strided s{};
  s.rank = 1;
  s.size = s.dims[0] = spec.out(0).size;
  s.strides[0] = 1;
  return plan_strided(&s, spec.out(0).dtype, plan);
}

inline const char* broadcast_strided(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  const Operand &x = spec.in(0), &y = spec.out(0);
  if (y.rank < x.rank) return "the result has fewer axes than the input";
  int64_t x_strides[kMaxRank];
  dense_strides(x, x_strides);
  Strided s{};
  s.rank = y.rank;
  s.size = y.size;
  for (int a = 0; a < y.rank; ++a) {
    s.dims[a] = y.dims[a];
    const int own = a - (y.rank - x.rank);
    if (own < 0 || (x.dims[own] == 1 && y.dims[a] != 1)) continue;  // repeated: stride 0
    if (x.dims[own] != y.dims[a]) return "an axis is neither equal nor 1";
    s.strides[a] = x_strides[own];
  }
  collapse(&s);
  return plan_strided(&s, y.dtype, plan);
}

inline const char* transpose_tiled(const StepSpec& spec, StepPlan* plan) {
  if (const char* why = check_move(spec, 1)) return why;
  const Operand &x = spec.in(0), &y = spec.out(0);
  int at = 0;
  const int64_t* perm = read_tuple(spec, &at, x.rank);
  if (perm == nullptr || at != spec.n_ints || y.rank != x.rank) return "perm does not fit the input's rank";
  int64_t x_strides[kMaxRank];
  dense_strides(x, x_strides);
  bool seen[kMaxRank] = {};
  Strided s{};
  s.rank = y.rank;
  s.size = y.size;
  for (int a = 0; a < y.rank; ++a) {
    if (perm[a] < 0 || perm[a] >= x.rank || seen[perm[a]]) return "perm does not name each axis once";
    seen[perm[a]] = true;
    if (y.dims[a] != x.dims[perm[a]]) return "the result's shape does not fit perm";
    s.dims[a] = y.dims[a];
    s.strides[a] = x_strides[perm[a]];
  }
  collapse(&s);
  const int64_t last = s.rank - 1;
  s.fast = last;
  for (int64_t a = 0; a < last; ++a) {
    if (s.strides[a] == 1) s.fast = a;
  }
  if (s.size == 0 || s.fast == last) return plan_strided(&s, y.dtype, plan);
  s.fast_stride = 1;
  for (int64_t a = s.fast + 1; a <= last; ++a) s.fast_stride *= s.dims[a];
  const int64_t square = s.dims[s.fast] * s.dims[last];
  s.outer = s.size / square;
  const int64_t units = s.outer * pieces_of(s.dims[s.fast], kTile);
  s.units_per_piece = most(1, kPieceElements / (least(kTile, s.dims[s.fast]) * s.dims[last]));
  plan->set_params(s);
  plan->add_phase(STRIATE_BY_SIZE(tile_run, y.dtype), pieces_of(units, s.units_per_piece));
  return nullptr;
}

}  // namespace
}  // namespace striate
