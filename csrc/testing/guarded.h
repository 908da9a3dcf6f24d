// Memory that shows every mistake: between pages that nobody may touch, noise before it is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace striate {

// So many bytes right before a page that may not be touched (at_end), or right after one. Where the alignment asked for
// leaves a gap, the gap has a pattern that must not change.
class Guarded {
 public:
  Guarded(size_t bytes, size_t alignment, bool at_end, unsigned char noise);
  ~Guarded();
  Guarded(Guarded&& other) noexcept;
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  unsigned char* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  void fill(unsigned char noise);
  bool gaps_are_whole() const;

 private:
  unsigned char *pages_ = nullptr, *data_ = nullptr;
  size_t mapped_ = 0, bytes_ = 0;
};

// What is being done, for the line that is printed when a signal ends the process.
void set_scene(const std::string& what);
void report_crashes();

}  // namespace striate
