// The lock of all Variables, as Python's `with` blocks. In C++, since a KeyboardInterrupt can come between any two
// instructions of Python's, and would leave a lock written in Python taken for ever.
#include <nanobind/nanobind.h>

#include <stdexcept>

#include "base/fork.h"
#include "bind/buffer.h"
#include "bind/gil.h"
#include "engine/state_lock.h"

namespace nb = nanobind;

namespace striate {
namespace {

constexpr int kLookForSignals = 100;  // milliseconds

// Made once and never destroyed: threads may wait in it when the process ends.
StateLock& the_state() {
  static StateLock& lock = *new StateLock();
  return lock;
}

// What this thread holds of the_state().
struct Held {
  int count[2] = {0, 0};
};
thread_local Held t_held;

int& held(Access access) { return t_held.count[access == Access::kExclusive ? 1 : 0]; }

[[maybe_unused]] const int g_registered =
    in_forked_child([] { the_state().reset(held(Access::kShared) > 0 ? 1 : 0, held(Access::kExclusive)); });

class Turn {
 public:
  Turn(StateLock& lock, Access access) : lock_(lock), access_(access) {}

  void enter(bool heed_signals = true) {
    if (&lock_ == &the_state() && held(Access::kShared) + held(Access::kExclusive) > 0) {
      if (access_ == Access::kExclusive || held(Access::kExclusive) > 0) {
        throw std::runtime_error(
            "A step is running in this thread: a signal handler, or an op's reference, cannot use Variables in the "
            "middle of it. Use them between steps, from a callback.");
      }
      ++held(access_);  // what reads already may read once more, whoever waits
      return enter_engine();
    }
    enter_engine();
    if (!lock_.try_acquire(access_) && !queue(heed_signals)) {
      leave_engine();
      nb::raise_python_error();
    }
    if (&lock_ == &the_state()) ++held(access_);
  }

  void exit() {
    if (&lock_ != &the_state() || --held(access_) == 0) lock_.release(access_);
    leave_engine();
  }

 private:
  // Waits for a turn; false, with Python's error set, where a signal's handler raised one.
  bool queue(bool heed_signals) {
    StateLock::Waiter waiter(lock_, access_);
    for (;;) {
      bool granted;
      {
        const Unlocked without_gil;
        granted = waiter.wait(kLookForSignals);
      }
      if (granted) {
        waiter.taken();
        return true;
      }
      if (heed_signals && PyErr_CheckSignals() != 0) return false;
    }
  }

  StateLock& lock_;
  const Access access_;
};

struct PyLock {
  StateLock own;
  StateLock& lock;
  PyLock() : lock(own) {}
  explicit PyLock(StateLock& other) : lock(other) {}
};

// Around a fork: the child's copy of the Variables is that of a step's end. Where this thread is itself in the middle
// of a step, it cannot wait for its end.
thread_local bool t_holds_for_fork = false;

void before_fork() {
  if (held(Access::kShared) + held(Access::kExclusive) > 0) return;
  Turn(the_state(), Access::kShared).enter(false);
  t_holds_for_fork = true;
}

void after_fork() {
  if (!t_holds_for_fork) return;
  t_holds_for_fork = false;
  Turn(the_state(), Access::kShared).exit();
}

}  // namespace

void bind_state(nb::module_& m) {
  nb::class_<Turn>(m, "Turn", nb::is_final(), "One way of holding a StateLock: `with turn:`.")
      .def("__enter__", [](Turn& t) { t.enter(); })
      .def(
          "__exit__", [](Turn& t, nb::handle, nb::handle, nb::handle) { t.exit(); }, nb::arg().none(), nb::arg().none(),
          nb::arg().none());
  nb::class_<PyLock>(m, "StateLock", nb::is_final(), "A readers-writer lock; turns are handed over in order.")
      .def(nb::init<>())
      .def_prop_ro(
          "shared", [](PyLock& l) { return Turn(l.lock, Access::kShared); }, nb::keep_alive<0, 1>())
      .def_prop_ro("exclusive", [](PyLock& l) { return Turn(l.lock, Access::kExclusive); }, nb::keep_alive<0, 1>());
  m.def("state_lock", [] { return new PyLock(the_state()); }, "The lock of all Variables.");
  if (nb::hasattr(nb::module_::import_("os"), "register_at_fork")) {
    nb::dict hooks;
    hooks["before"] = nb::cpp_function(&before_fork);
    hooks["after_in_parent"] = nb::cpp_function(&after_fork);
    hooks["after_in_child"] = nb::cpp_function(&after_fork);
    nb::module_::import_("os").attr("register_at_fork")(**hooks);
  }
}

}  // namespace striate
