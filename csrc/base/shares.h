// The pieces of a phase, shared out among threads: each has a run of them, and who is done with its own takes from the
// others'. So what a core has written in one phase it mostly reads itself in the next, and a slow core does fewer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace striate {

class Shares {
 public:
  explicit Shares(int threads) : shares_(std::make_unique<Share[]>(static_cast<size_t>(threads))), threads_(threads) {}

  // Of phase `number`, when all pieces of the phase before are done. What was written before it, who claims sees.
  void give_out(uint64_t number, int64_t pieces) {
    const int64_t each = pieces / threads_, more = pieces % threads_;
    for (int64_t i = 0, end = 0; i < threads_; ++i) {
      const int64_t count = each + (i < more);
      Share& share = shares_[static_cast<size_t>(i)];
      share.end = end += count;
      share.tickets.store((number << 32) | static_cast<uint64_t>(count), std::memory_order_release);
    }
  }

  // Claims pieces until none are left, those of this thread's share first, and calls f(piece) for each; returns how
  // many.
  template <typename F>
  int64_t claim(int thread, F f) {
    int64_t mine = 0;
    for (int i = 0; i < threads_; ++i) {
      Share& share = shares_[static_cast<size_t>((thread + i) % threads_)];
      uint64_t t = share.tickets.load(std::memory_order_acquire);
      while (left(t) != 0) {
        if (!share.tickets.compare_exchange_weak(t, t - 1, std::memory_order_acq_rel, std::memory_order_acquire))
          continue;
        f(share.end - left(t));
        ++mine;
        t = share.tickets.load(std::memory_order_acquire);
      }
    }
    return mine;
  }

 private:
  struct alignas(64) Share {
    // (phase number << 32) | pieces not yet claimed. One word, so that claiming a piece and knowing which phase it
    // belongs to is one operation: a thread that comes late finds zero left and touches nothing of the next phase.
    std::atomic<uint64_t> tickets{0};
    int64_t end = 0;  // of its pieces; written before tickets are given out
  };
  static int64_t left(uint64_t tickets) { return static_cast<int64_t>(tickets & 0xffffffffu); }

  std::unique_ptr<Share[]> shares_;
  int threads_;
};

}  // namespace striate
