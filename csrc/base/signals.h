// Threads of ours and the signals of the process.
#pragma once

#if !defined(_WIN32)
#include <signal.h>
#endif

namespace striate {

// Threads started meanwhile take no signals: those sent to the process are for the threads of its owner, one of which
// may be asleep in a system call that only a signal ends. Faults stay with who makes them.
class WithoutSignals {
#if !defined(_WIN32)
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }

 private:
  sigset_t saved_;
#endif
};

}  // namespace striate
