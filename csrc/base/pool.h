// The one pool of threads: a caller and its workers share the pieces of a phase.
//
// - Each thread has a share of a phase's pieces, a run of them, claimed one at a time; who is done takes from the
// others'
//   shares, so a slow core does fewer. Pieces are mostly in the order of images, so that what a core has written it
//   mostly reads itself in the next phase: lines of another core's cache come slowly.
// - A run that finds the pool taken works alone: predict from many threads is safe and never waits.
// - Workers start with the first run that wants them, and keep to the affinity mask of the threads that run: where a
//   run comes with another mask, they start anew under it. A thread that may use one CPU works alone.
// - A forked child drops what it inherited (the threads do not exist there) and starts its own.
// - Waiting spins for at most 50 microseconds, then sleeps; it never spins where the container's quota is below the
//   affinity mask, or where there are more threads than CPUs.
#pragma once

#include <cstdint>

#include "base/machine.h"

namespace striate {

// Does one piece; `thread` is 0 for the caller and 1..threads-1 for workers.
using PieceFn = void (*)(void* context, int64_t piece, int thread);

constexpr int64_t kMaxPieces = (int64_t{1} << 32) - 1;  // what one counter word has room for

// The pool for the length of a run, if it is free; otherwise this thread alone.
class PoolLease {
 public:
  PoolLease();
  ~PoolLease();
  PoolLease(const PoolLease&) = delete;
  PoolLease& operator=(const PoolLease&) = delete;

  int threads() const { return threads_; }
  // Returns when all pieces (at most kMaxPieces) are done and their writes are seen here.
  void run(PieceFn fn, void* context, int64_t pieces);

 private:
  struct Pool* pool_;  // null: alone
  int threads_;
};

int pool_threads();            // that a run of this thread would be shared among, were the pool free
void set_pool_threads(int n);  // waits for a run to end; 0 goes back to the default

}  // namespace striate
