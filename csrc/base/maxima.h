// Maxima as NumPy has them, and which of several numbers they are.
#pragma once

#include "base/bytes.h"

namespace striate {
namespace {

// b where it is larger or NaN, but a NaN in a stays.
[[maybe_unused]] STRIATE_INLINE Vf nan_max(Vf a, Vf b) {
  const Vf larger = vmax(a, b);
  return b == b ? larger : b;
}
// Whether b is the maximum and a, which comes first, is not.
[[maybe_unused]] STRIATE_INLINE Vi comes_to_be_max(Vf a, Vf b) { return (b > a) | ((b != b) & (a == a)); }

// Of a window of 2x2 cells in row-major order, lane by lane.
[[maybe_unused]] STRIATE_INLINE Vf max_of_four(const Vf (&cells)[4]) {
  return nan_max(nan_max(cells[0], cells[1]), nan_max(cells[2], cells[3]));
}
[[maybe_unused]] STRIATE_INLINE Vi first_max_of_four(const Vf (&cells)[4]) {
  const Vi top = comes_to_be_max(cells[0], cells[1]) ? Vi{} + 1 : Vi{};
  const Vi bottom = comes_to_be_max(cells[2], cells[3]) ? Vi{} + 3 : Vi{} + 2;
  return comes_to_be_max(nan_max(cells[0], cells[1]), nan_max(cells[2], cells[3])) ? bottom : top;
}

// Stores the maxima of n lanes, and which they are where `at` is not null.
[[maybe_unused]] STRIATE_INLINE void store_max_of_four(const Vf (&cells)[4], float* y, uint8_t* at, int n) {
  store_n(y, max_of_four(cells), n);
  if (at) store_bytes(at, first_max_of_four(cells), n);
}

}  // namespace
}  // namespace striate
