#include "base/memory.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "base/kernel.h"

#if defined(__linux__)
#include <sys/mman.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

namespace striate {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeFrom = size_t{8} << 20;

// Null where there is no memory. Windows gives aligned memory by functions of its own, and takes it back by one.
#if defined(_WIN32)
void* allocate(size_t alignment, size_t bytes) { return _aligned_malloc(bytes, alignment); }
void release(void* memory) { _aligned_free(memory); }
#else
void* allocate(size_t alignment, size_t bytes) {
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
}
void release(void* memory) { std::free(memory); }
#endif

}  // namespace

bool huge_pages_wanted() {
  static const bool wanted = [] {
    const char* env = std::getenv("STRIATE_HUGE_PAGES");
    return env == nullptr || std::strcmp(env, "0") != 0;
  }();
  return wanted;
}

AlignedMemory::AlignedMemory(size_t bytes, bool zero) {
  if (bytes > std::numeric_limits<size_t>::max() - kHugePage) throw std::bad_alloc();
  const bool huge = bytes >= kHugeFrom && huge_pages_wanted();
  const size_t alignment = huge ? kHugePage : kAlignment;
  // Rounded up to whole lines: nothing else shares our last cache line. One line even for zero bytes, so that the
  // address is never null and every buffer has its own.
  const size_t rounded = round_up(bytes == 0 ? 1 : bytes, alignment);
  void* p = allocate(alignment, rounded);
  if (p == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (huge) madvise(p, rounded, MADV_HUGEPAGE);  // advice: a system without them just says no
#endif
  if (zero) std::memset(p, 0, rounded);
  data_ = static_cast<unsigned char*>(p);
  bytes_ = bytes;
}

AlignedMemory::~AlignedMemory() { release(data_); }

}  // namespace striate
