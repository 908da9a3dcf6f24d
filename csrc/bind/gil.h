// Letting go of Python's lock (the GIL) and taking it back, also while Python shuts down.
//
// When Python ends, a daemon thread that asks for the GIL is unwound by pthread_exit (Python 3.13 and before), and C++
// frames do not survive that: std::terminate. So at exit, before Python counts as ending, threads that are at work here
// are let finish, and those that come later sleep for the few moments that the process still has.
#pragma once

#include <nanobind/nanobind.h>

namespace striate {

// Without the GIL for the life of this object. Every place of ours that lets go of it does it by this.
class Unlocked {
 public:
  Unlocked();
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  friend class Relocked;
  PyThreadState* state_;
};

// With the GIL again for a while inside an Unlocked.
class Relocked {
 public:
  explicit Relocked(Unlocked& without_gil);
  ~Relocked() { PyEval_SaveThread(); }
  Relocked(const Relocked&) = delete;
  Relocked& operator=(const Relocked&) = delete;
};

// Bounds a stretch during which this thread must not be stopped by the end of the process: it holds a lock that others
// may want, or is about to. They nest. enter() may not return where Python is ending.
void enter_engine();
void leave_engine();

class InEngine {
 public:
  InEngine() { enter_engine(); }
  ~InEngine() { leave_engine(); }
  InEngine(const InEngine&) = delete;
  InEngine& operator=(const InEngine&) = delete;
};

void bind_gil(nanobind::module_& m);

}  // namespace striate
