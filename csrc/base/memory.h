// Aligned memory: arenas, scratch, and the buffers that Variables and outputs live in.
#pragma once

#include <cstddef>
#include <utility>

namespace striate {

// Owns bytes aligned to 64 (to 2 MB, with huge pages asked for, from 8 MB on: smaller ones would waste more memory
// than the TLB misses cost). Not zeroed unless asked. STRIATE_HUGE_PAGES=0 turns huge pages off.
class AlignedMemory {
 public:
  AlignedMemory() = default;
  explicit AlignedMemory(size_t bytes, bool zero = false);  // throws std::bad_alloc
  ~AlignedMemory();
  AlignedMemory(AlignedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  AlignedMemory& operator=(AlignedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  unsigned char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  unsigned char* data_ = nullptr;
  size_t bytes_ = 0;
};

inline size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

bool huge_pages_wanted();

}  // namespace striate
