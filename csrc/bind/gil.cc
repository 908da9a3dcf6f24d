#include "bind/gil.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "base/fork.h"

namespace nb = nanobind;

namespace striate {
namespace {

using std::chrono::milliseconds;

// The longest that the end of the process waits for a step in progress.
constexpr auto kPatience = std::chrono::seconds(10);

std::atomic<int> g_inside{0};
std::atomic<bool> g_closing{false};  // no other thread than the one that ends the process may enter
std::atomic<bool> g_closed{false};   // nor take the GIL
std::atomic<std::thread::id> g_ender{};
thread_local int t_depth = 0;

bool stopped(const std::atomic<bool>& gate) {
  return gate.load(std::memory_order_seq_cst) && g_ender.load() != std::this_thread::get_id();
}

[[noreturn]] void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void take_gil(PyThreadState* state) {
  if (stopped(g_closed)) sleep_for_ever();
  PyEval_RestoreThread(state);
}

// An atexit callback: all ordinary threads have ended, Python does not yet count as ending.
void close() {
  g_ender.store(std::this_thread::get_id());
  g_closing.store(true, std::memory_order_seq_cst);
  const int mine = t_depth > 0 ? 1 : 0;
  PyThreadState* state = PyEval_SaveThread();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (g_inside.load(std::memory_order_seq_cst) > mine && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  g_closed.store(true, std::memory_order_seq_cst);
  PyEval_RestoreThread(state);
}

[[maybe_unused]] const int g_registered = in_forked_child([] {
  g_inside.store(t_depth > 0 ? 1 : 0);
  g_closing.store(false);
  g_closed.store(false);
});

}  // namespace

Unlocked::Unlocked() {
  enter_engine();
  state_ = PyEval_SaveThread();
}

Unlocked::~Unlocked() {
  take_gil(state_);
  leave_engine();
}

Relocked::Relocked(Unlocked& without_gil) { take_gil(without_gil.state_); }

void enter_engine() {
  if (t_depth++ > 0) return;
  g_inside.fetch_add(1, std::memory_order_seq_cst);
  if (!stopped(g_closing)) return;
  g_inside.fetch_sub(1, std::memory_order_seq_cst);
  PyEval_SaveThread();
  sleep_for_ever();
}

void leave_engine() {
  if (--t_depth == 0) g_inside.fetch_sub(1, std::memory_order_seq_cst);
}

void bind_gil(nb::module_&) { nb::module_::import_("atexit").attr("register")(nb::cpp_function(&close)); }

}  // namespace striate
