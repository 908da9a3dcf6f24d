// A readers-writer lock for state that runs read and training steps write.
//
//   shared:     any number of runs that only read        exclusive: one run that writes
//
// Turns are handed over, so that neither side starves: a writer that lets go passes the lock to every reader that
// waits, and the last of them passes it to the next writer. (With a plain mutex, a training loop takes the lock again
// before a waiting predict has woken up, for ever.)
#pragma once

#include <condition_variable>
#include <mutex>

namespace striate {

enum class Access { kShared, kExclusive };

// Not reentrant: a thread that holds it must not take it again.
class StateLock {
 public:
  // Takes the lock where nobody holds it the other way or waits; never waits itself.
  bool try_acquire(Access access);
  void release(Access access);

  // A place in the queue. Once `granted` it is the holder's, who releases it as if acquired.
  class Waiter {
   public:
    Waiter(StateLock& lock, Access access);  // granted at once where the lock is free
    ~Waiter() { give_up(); }                 // does nothing after taken()
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    bool wait(int milliseconds);  // true once granted
    void taken() { queued_ = false; }

   private:
    friend class StateLock;
    void give_up();  // leaves the queue, or hands on a turn that came at that moment

    StateLock& lock_;
    const Access access_;
    bool granted_ = false, queued_ = true;
    std::condition_variable granted_now_;
    Waiter* next_ = nullptr;
  };

  // In a forked child, where the other threads are gone: forgets all holders and waiters but this thread, which holds
  // the lock so many times.
  void reset(int shared, int exclusive);

 private:
  struct Queue {
    Waiter *first = nullptr, *last = nullptr;
    void push(Waiter* w);
    Waiter* pop();
    void remove(Waiter* w);
  };

  bool take(Access access);
  void hand_over(Access access);  // with mutex_ held
  static void grant(Waiter* w);

  std::mutex mutex_;
  int readers_ = 0;
  bool writing_ = false;
  Queue waiting_readers_, waiting_writers_;
};

}  // namespace striate
