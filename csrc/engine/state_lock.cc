#include "engine/state_lock.h"

#include <chrono>
#include <new>

namespace striate {

void StateLock::Queue::push(Waiter* w) {
  (last != nullptr ? last->next_ : first) = w;
  last = w;
}

StateLock::Waiter* StateLock::Queue::pop() {
  Waiter* w = first;
  first = w->next_;
  if (first == nullptr) last = nullptr;
  return w;
}

void StateLock::Queue::remove(Waiter* w) {
  Queue rest;
  while (first != nullptr) {
    Waiter* other = pop();
    other->next_ = nullptr;
    if (other != w) rest.push(other);
  }
  *this = rest;
}

bool StateLock::take(Access access) {
  if (writing_ || waiting_writers_.first != nullptr) return false;
  if (access == Access::kExclusive && readers_ != 0) return false;
  if (access == Access::kShared) {
    ++readers_;
  } else {
    writing_ = true;
  }
  return true;
}

bool StateLock::try_acquire(Access access) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return take(access);
}

void StateLock::release(Access access) {
  const std::lock_guard<std::mutex> hold(mutex_);
  hand_over(access);
}

// Under the mutex: the waiter may be gone as soon as it can have seen `granted_`.
void StateLock::grant(Waiter* w) {
  w->granted_ = true;
  w->granted_now_.notify_one();
}

void StateLock::hand_over(Access access) {
  if (access == Access::kShared) {
    if (--readers_ == 0 && waiting_writers_.first != nullptr) {
      writing_ = true;
      grant(waiting_writers_.pop());
    }
    return;
  }
  writing_ = false;
  if (waiting_readers_.first != nullptr) {
    while (waiting_readers_.first != nullptr) {
      ++readers_;
      grant(waiting_readers_.pop());
    }
  } else if (waiting_writers_.first != nullptr) {
    writing_ = true;
    grant(waiting_writers_.pop());
  }
}

StateLock::Waiter::Waiter(StateLock& lock, Access access) : lock_(lock), access_(access) {
  const std::lock_guard<std::mutex> hold(lock_.mutex_);
  granted_ = lock_.take(access);
  if (!granted_) (access == Access::kShared ? lock_.waiting_readers_ : lock_.waiting_writers_).push(this);
}

bool StateLock::Waiter::wait(int milliseconds) {
  std::unique_lock<std::mutex> hold(lock_.mutex_);
  return granted_now_.wait_for(hold, std::chrono::milliseconds(milliseconds), [this] { return granted_; });
}

void StateLock::Waiter::give_up() {
  if (!queued_) return;
  queued_ = false;
  const std::lock_guard<std::mutex> hold(lock_.mutex_);
  if (granted_) return lock_.hand_over(access_);
  (access_ == Access::kShared ? lock_.waiting_readers_ : lock_.waiting_writers_).remove(this);
  // Readers that came after a writer who leaves wait for nobody now.
  if (access_ == Access::kExclusive && !lock_.writing_ && lock_.waiting_writers_.first == nullptr) {
    while (lock_.waiting_readers_.first != nullptr) {
      ++lock_.readers_;
      grant(lock_.waiting_readers_.pop());
    }
  }
}

void StateLock::reset(int shared, int exclusive) {
  this->~StateLock();
  new (this) StateLock();
  readers_ = shared;
  writing_ = exclusive != 0;
}

}  // namespace striate
