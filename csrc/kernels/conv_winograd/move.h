// Tiles and filters into the transformed domain and back.
#pragma once

#include "base/normalize.h"
#include "kernels/conv_winograd/tiles.h"

namespace striate {
namespace {

struct Image {
  const float* pixels;     // (image, row, column, channel), at the first channel wanted
  int64_t channels;        // wanted
  int64_t stride;          // floats from pixel to pixel
  const float* zeros;      // `channels` of them: what lies outside
  const Normalizer* norm;  // pixels are normalised, each tile's on their own, where there is one
  int64_t first;           // the first channel wanted is this one of its channels
  float* normed;           // room for a tile's pixels
};
// Of room for a tile's pixels: an odd number of cache lines apart.
[[maybe_unused]] inline int64_t normed_floats(int64_t channels, int64_t points) { return points * odd_lines(channels); }

// ---- V = B^T d B
template <int N, int RLo, int RHi, int CLo, int CHi, bool Tail>
STRIATE_INLINE void input_vector(const float* const* px, int64_t c, int n, float* to, int64_t point) {
  Vf t[N][N];
  STRIATE_UNROLL
  for (int i = RLo; i < RHi; ++i) {
    Vf d[N];
    STRIATE_UNROLL
    for (int j = CLo; j < CHi; ++j) d[j] = Tail ? load_n(px[i * N + j] + c, n) : load(px[i * N + j] + c);
    transform_input<CLo, CHi>(d, t[i]);
  }
  STRIATE_UNROLL
  for (int j = CLo; j < CHi; ++j) {
    Vf d[N], v[N];
    STRIATE_UNROLL
    for (int i = RLo; i < RHi; ++i) d[i] = t[i][j];
    transform_input<RLo, RHi>(d, v);
    STRIATE_UNROLL
    for (int i = RLo; i < RHi; ++i) store(to + (i * N + j) * point, v[i]);
  }
}

template <int N, int RLo, int RHi, int CLo, int CHi>
inline void input_channels(const float* const* px, int64_t channels, float* v, int64_t chunk, int64_t point) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes)
    input_vector<N, RLo, RHi, CLo, CHi, false>(px, c, kLanes, v + c / kChunk * chunk + c % kChunk, point);
  if (c < channels)
    input_vector<N, RLo, RHi, CLo, CHi, true>(px, c, static_cast<int>(channels - c),
                                              v + c / kChunk * chunk + c % kChunk, point);
}

// Where the pixels of a tile lie, row by row: as many as it has points.
struct Pixels {
  const float* at[kMostPoints * kMostPoints];
};
// Those that the tile reads.
[[maybe_unused]] inline void normalize_pixels(int points, const Tile& t, const Image& image, Pixels* px) {
  const Kind rows = kind_of(t.row_kind, points), cols = kind_of(t.col_kind, points);
  const int64_t stride = odd_lines(image.channels);
  const float* inside[kMostPoints * kMostPoints];
  int64_t n = 0;
  for (int64_t i = rows.lo; i < rows.hi; ++i)
    for (int64_t j = cols.lo; j < cols.hi; ++j) {
      const float** at = &px->at[i * points + j];
      if (*at == image.zeros) continue;
      inside[n] = *at;
      *at = image.normed + n++ * stride;
    }
  normalize_rows(
      *image.norm, [&](int64_t i) { return inside[i]; }, n, image.first, image.channels, image.normed, stride);
}
[[maybe_unused]] inline Pixels input_pixels(const Tiles& tiles, const Tile& t, const Image& image) {
  Pixels px;
  const int64_t row0 = t.row - tiles.rows.pad, col0 = t.col - tiles.cols.pad;
  const int64_t height = tiles.rows.in, width = tiles.cols.in, side = tiles.points();
  for (int64_t i = 0; i < side; ++i) {
    const int64_t row = row0 + i;
    const bool inside = row >= 0 && row < height;
    const float* line = image.pixels + (t.image * height + (inside ? row : 0)) * width * image.stride;
    for (int64_t j = 0; j < side; ++j) {
      const int64_t col = col0 + j;
      px.at[i * side + j] = inside && col >= 0 && col < width ? line + col * image.stride : image.zeros;
    }
  }
  if (image.norm != nullptr) normalize_pixels(tiles.points(), t, image, &px);
  return px;
}

// Tile `tile` to place `place` of a V that has room for `room` tiles.
[[maybe_unused]] inline void input_tile(const Tiles& tiles, int64_t tile, const Image& image, float* v, int64_t place,
                                        int64_t room) {
  const Tile t = tiles.at(tile);
  const Pixels px = input_pixels(tiles, t, image);
  const int64_t point = v_floats(image.channels, room);
  STRIATE_WINOGRAD_KINDS(input_channels, tiles.points(), t.row_kind, t.col_kind, px.at, image.channels,
                         v + place * kChunk, room * kChunk, point)
}

// The outputs of a tile that lie in the image.
struct Outputs {
  int64_t first;  // pixel, counted over the batch
  int64_t rows, cols;
  int row0, col0;  // local output of the first
};
[[maybe_unused]] inline Outputs outputs_of(const Tiles& tiles, const Tile& t) {
  const Kind r = kind_of(t.row_kind, tiles.rows.all), c = kind_of(t.col_kind, tiles.cols.all);
  const int64_t row = t.row + r.first, col = t.col + c.first;
  return {(t.image * tiles.rows.out + row) * tiles.cols.out + col, min64(r.count, tiles.rows.out - row),
          min64(c.count, tiles.cols.out - col), r.first, c.first};
}

// ---- Y = A^T M A, bias and activation
struct Result {
  float* y;  // first channel wanted of the batch's first pixel
  int64_t channels;
  int64_t width;      // channels wanted
  const float* bias;  // `width` of them, or null
  Epilogue epilogue;
};

// Outputs that a tile with these points of n along an axis gives: local ones [first, past).
constexpr int first_output(int lo) { return lo == 0 ? 0 : 1; }
constexpr int past_output(int hi, int n) { return hi == n ? kOutputs : kOutputs - 1; }

// A^T M: all points of a row, of the rows that give an output.
template <int N, int RLo, int RHi, int CLo, int CHi>
STRIATE_INLINE void output_rows(const float* m, int64_t point, Vf (&t)[kOutputs][N]) {
  constexpr int kRow0 = first_output(RLo), kRows = past_output(RHi, N);
  STRIATE_UNROLL
  for (int j = CLo; j < CHi; ++j) {
    Vf p[N], q[kOutputs];
    STRIATE_UNROLL
    for (int i = RLo; i < RHi; ++i) p[i] = load(m + (i * N + j) * point);
    transform_output<RLo, RHi>(p, q);
    STRIATE_UNROLL
    for (int i = kRow0; i < kRows; ++i) t[i][j] = q[i];
  }
}

template <int N, int RLo, int RHi, int CLo, int CHi, bool Tail>
STRIATE_INLINE void output_vector(const float* m, int64_t point, float* y, int64_t line, int64_t channels, int64_t rows,
                                  int64_t cols, Vf bias, float lo, float hi, int n) {
  constexpr int kRow0 = first_output(RLo), kRows = past_output(RHi, N);
  constexpr int kCol0 = first_output(CLo), kCols = past_output(CHi, N);
  Vf t[kOutputs][N];
  output_rows<N, RLo, RHi, CLo, CHi>(m, point, t);
  STRIATE_UNROLL
  for (int i = kRow0; i < kRows; ++i) {
    if (i - kRow0 >= rows) break;
    Vf p[kOutputs];
    transform_output<CLo, CHi>(t[i], p);
    float* to = y + (i - kRow0) * line;
    STRIATE_UNROLL
    for (int j = kCol0; j < kCols; ++j) {
      if (j - kCol0 >= cols) break;
      const Vf z = clamp(p[j] + bias, lo, hi);
      if constexpr (Tail) {
        store_n(to + (j - kCol0) * channels, z, n);
      } else {
        store(to + (j - kCol0) * channels, z);
      }
    }
  }
}

template <int N, int RLo, int RHi, int CLo, int CHi>
inline void output_channels(const float* m, int64_t panel, int64_t point, float* y, int64_t line, const Outputs& o,
                            const Result& r) {
  int64_t k = 0;
  for (; k + kLanes <= r.width; k += kLanes)
    output_vector<N, RLo, RHi, CLo, CHi, false>(m + k / kPanel * panel + k % kPanel, point, y + k, line, r.channels,
                                                o.rows, o.cols, r.bias ? load(r.bias + k) : Vf{}, r.epilogue.lo,
                                                r.epilogue.hi, 0);
  if (k < r.width) {
    const int n = static_cast<int>(r.width - k);
    output_vector<N, RLo, RHi, CLo, CHi, true>(m + k / kPanel * panel + k % kPanel, point, y + k, line, r.channels,
                                               o.rows, o.cols, r.bias ? load_n(r.bias + k, n) : Vf{}, r.epilogue.lo,
                                               r.epilogue.hi, n);
  }
}

[[maybe_unused]] inline void output_kind(int points, const Tile& t, const float* m, int64_t panel, int64_t point,
                                         float* y, int64_t line, const Outputs& o, const Result& r) {
  STRIATE_WINOGRAD_KINDS(output_channels, points, t.row_kind, t.col_kind, m, panel, point, y, line, o, r)
}

// The tile at place `place` of an M with room for `room` tiles and `panels` panels.
[[maybe_unused]] inline void output_tile(const Tiles& tiles, int64_t tile, const float* m, int64_t place, int64_t room,
                                         int64_t panels, const Result& r) {
  const Tile t = tiles.at(tile);
  const Outputs o = outputs_of(tiles, t);
  const int64_t line = tiles.cols.out * r.channels;
  float* y = r.y + o.first * r.channels;
  output_kind(tiles.points(), t, m + place * kPanel, room * kPanel, m_floats(panels, room), y, line, o, r);
  if (r.epilogue.is_clamp()) return;
  for (int64_t i = 0; i < o.rows; ++i) activate(y + i * line, o.cols, r.channels, r.width, r.epilogue);
}

// ---- U = G w G^T
constexpr int64_t kFilterRows = 32;  // channels of a piece: nine taps of them are 36 KiB at AVX-512

// The filters of all groups: w as (window, window, channels of a group, results of all).
struct Filters {
  int64_t channels, width;  // of a group: summed over, and results; of w transposed, its filters and its channels
  bool turned;              // taps from the last to the first, channels and filters exchanged
  int64_t window, groups;

  int64_t panels() const { return panels_of(width); }
  int64_t blocks() const { return (channels + kFilterRows - 1) / kFilterRows; }
  int64_t group_pieces() const { return panels() * blocks(); }
  int64_t pieces() const { return groups * group_pieces(); }
  int64_t points() const { return points_of(window); }
  int64_t all_points() const { return points() * points(); }
  int64_t group_floats() const { return all_points() * u_floats(panels(), channels); }
  int64_t scratch_bytes() const { return window * window * kFilterRows * kPanel * 4; }
};

template <int Window>
inline void transform_rows(const float* taps, int64_t rows, float* u, int64_t point) {
  constexpr int N = points_of(Window);
  for (int64_t i = 0; i < rows * kPanel; i += kLanes) {
    Vf t[Window][N];
    STRIATE_UNROLL
    for (int a = 0; a < Window; ++a) {
      Vf row[Window];
      STRIATE_UNROLL
      for (int b = 0; b < Window; ++b) row[b] = load(taps + (a * Window + b) * kFilterRows * kPanel + i);
      transform_filter(row, t[a]);
    }
    STRIATE_UNROLL
    for (int b = 0; b < N; ++b) {
      Vf col[Window], v[N];
      STRIATE_UNROLL
      for (int a = 0; a < Window; ++a) col[a] = t[a][b];
      transform_filter(col, v);
      STRIATE_UNROLL
      for (int a = 0; a < N; ++a) store(u + i + (a * N + b) * point, v[a]);
    }
  }
}

[[maybe_unused]] inline void filter_piece(const Filters& f, const float* w, int64_t piece, float* u,
                                          unsigned char* thread_scratch) {
  const int64_t group = piece / f.group_pieces(), within = piece % f.group_pieces();
  const int64_t panel = within / f.blocks(), c0 = within % f.blocks() * kFilterRows, col = panel * kPanel;
  const int64_t rows = min64(kFilterRows, f.channels - c0), n = min64(kPanel, f.width - col);
  const int64_t taps = f.window * f.window;
  float* packed = reinterpret_cast<float*>(thread_scratch);  // [tap][row][kPanel]
  for (int64_t tap = 0; tap < taps; ++tap) {
    float* to = packed + tap * kFilterRows * kPanel;
    if (f.turned) {
      const int64_t stride = f.groups * f.channels;
      pack_panel_transposed(w + ((taps - 1 - tap) * f.width + col) * stride + group * f.channels + c0, stride, rows, n,
                            to);
    } else {
      const int64_t stride = f.groups * f.width;
      pack_panel(w + (tap * f.channels + c0) * stride + group * f.width + col, stride, rows, n, to);
    }
  }
  float* to = u + group * f.group_floats() + (panel * f.channels + c0) * kPanel;
  const int64_t point = u_floats(f.panels(), f.channels);
  f.window == 5 ? transform_rows<5>(packed, rows, to, point) : transform_rows<3>(packed, rows, to, point);
}

// ---- dw = G^T dU G: the rows [c0, c0 + rows) of one panel; dU is the sum of `parts`, `stride` floats apart
template <int Window>
inline void filter_grad_rows(const float* u, int64_t parts, int64_t stride, int64_t point, float* dw, int64_t tap,
                             int n) {
  constexpr int N = points_of(Window);
  Vf t[Window][N];
  STRIATE_UNROLL
  for (int b = 0; b < N; ++b) {
    Vf p[N], q[Window];
    STRIATE_UNROLL
    for (int a = 0; a < N; ++a) p[a] = load(u + (a * N + b) * point);
    for (int64_t i = 1; i < parts; ++i) {
      STRIATE_UNROLL
      for (int a = 0; a < N; ++a) p[a] += load(u + i * stride + (a * N + b) * point);
    }
    transform_filter_grad(p, q);
    STRIATE_UNROLL
    for (int a = 0; a < Window; ++a) t[a][b] = q[a];
  }
  STRIATE_UNROLL
  for (int a = 0; a < Window; ++a) {
    Vf q[Window];
    transform_filter_grad(t[a], q);
    STRIATE_UNROLL
    for (int b = 0; b < Window; ++b) store_n(dw + (a * Window + b) * tap, q[b], n);
  }
}

[[maybe_unused]] inline void filter_grad_piece(const Filters& f, const float* u, int64_t parts, int64_t stride,
                                               int64_t piece, float* dw) {
  const int64_t group = piece / f.group_pieces(), within = piece % f.group_pieces();
  const int64_t panel = within / f.blocks(), c0 = within % f.blocks() * kFilterRows, col = panel * kPanel;
  const int64_t rows = min64(kFilterRows, f.channels - c0), point = u_floats(f.panels(), f.channels);
  const int64_t filters = f.groups * f.width, tap = f.channels * filters;
  u += group * f.group_floats() + panel * f.channels * kPanel;
  dw += group * f.width;
  for (int64_t c = c0; c < c0 + rows; ++c)
    for (int64_t k = col; k < min64(col + kPanel, f.width); k += kLanes) {
      const float* from = u + c * kPanel + (k - col);
      float* to = dw + c * filters + k;
      const int n = static_cast<int>(min64(kLanes, f.width - k));
      if (f.window == 5) {
        filter_grad_rows<5>(from, parts, stride, point, to, tap, n);
      } else {
        filter_grad_rows<3>(from, parts, stride, point, to, tap, n);
      }
    }
}

}  // namespace
}  // namespace striate
