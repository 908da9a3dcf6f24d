#include "testing/guarded.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <new>

namespace striate {
namespace {

constexpr unsigned char kGap = 0x5c;

size_t page() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

char g_scene[512] = "nothing yet";
struct sigaction g_before[32];

void on_crash(int number, siginfo_t*, void*) {
  const char start[] = "\nended by a signal in: ";
  (void)!write(STDERR_FILENO, start, sizeof start - 1);
  (void)!write(STDERR_FILENO, g_scene, strlen(g_scene));
  (void)!write(STDERR_FILENO, "\n", 1);
  sigaction(number, &g_before[number], nullptr);  // a sanitizer's, which prints more; or the default
}

}  // namespace

Guarded::Guarded(size_t bytes, size_t alignment, bool at_end, unsigned char noise) : bytes_(bytes) {
  const size_t inside = (bytes + page() - 1) / page() * page();
  mapped_ = inside + 2 * page();
  void* p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  pages_ = static_cast<unsigned char*>(p);
  const size_t start = at_end ? (inside - bytes) / alignment * alignment : 0;
  data_ = pages_ + page() + start;
  std::memset(pages_ + page(), kGap, inside);
  fill(noise);
  if (mprotect(pages_, page(), PROT_NONE) != 0 || mprotect(pages_ + page() + inside, page(), PROT_NONE) != 0)
    throw std::bad_alloc();
}

Guarded::Guarded(Guarded&& other) noexcept
    : pages_(other.pages_), data_(other.data_), mapped_(other.mapped_), bytes_(other.bytes_) {
  other.pages_ = nullptr;
}

Guarded::~Guarded() {
  if (pages_ != nullptr) munmap(pages_, mapped_);
}

void Guarded::fill(unsigned char noise) { std::memset(data_, noise, bytes_); }

bool Guarded::gaps_are_whole() const {
  for (const unsigned char* p = pages_ + page(); p < pages_ + mapped_ - page(); ++p) {
    if (p == data_ && bytes_ != 0) p += bytes_;
    if (p == pages_ + mapped_ - page()) break;
    if (*p != kGap) return false;
  }
  return true;
}

void set_scene(const std::string& what) { std::snprintf(g_scene, sizeof g_scene, "%s", what.c_str()); }

void report_crashes() {
  struct sigaction action{};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(number, &action, &g_before[number]);
}

}  // namespace striate
