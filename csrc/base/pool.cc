#include "base/pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/affinity.h"
#include "base/float_env.h"
#include "base/fork.h"
#include "base/shares.h"
#include "base/signals.h"
#include "base/spin.h"

namespace striate {
struct Pool {
  alignas(64) std::atomic<uint64_t> phase{0};  // the last one that was given out
  alignas(64) std::atomic<int64_t> done{0};
  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stop{false};

  // The phase at work. Written by the caller before it gives out tickets, and not again before all pieces are done,
  // so whoever holds a ticket may read it.
  PieceFn fn = nullptr;
  void* context = nullptr;
  int64_t pieces = 0;

  std::mutex taken;              // held by the run that has the pool, or by who changes it
  std::atomic<int> changing{0};  // threads that wait to change it: runs let them by
  std::mutex sleep;
  std::condition_variable wake, finished;

  // Changed by who holds `taken`.
  std::vector<std::thread> workers;
  std::unique_ptr<Shares> shares = std::make_unique<Shares>(1);
  AffinityMask mask = AffinityMask::of_this_thread();
  Machine machine = look_at_machine();
  std::atomic<int> asked{0};  // by set_pool_threads; 0: the machine says
  std::atomic<int> threads{machine.threads};
  std::atomic<bool> fixed{machine.fixed};  // the number does not follow the mask
  bool may_spin = false;

  // Claims and does pieces until none are left. A phase cannot end, nor `pieces` change, before what was done here is
  // reported, so one report at the end is enough.
  void work(int thread) {
    const int64_t mine = shares->claim(thread, [&](int64_t piece) { fn(context, piece, thread); });
    if (mine == 0) return;
    const int64_t total = pieces;
    const bool last = done.fetch_add(mine, std::memory_order_seq_cst) + mine == total;
    if (last && caller_sleeps.load(std::memory_order_seq_cst)) {
      const std::lock_guard<std::mutex> lock(sleep);
      finished.notify_all();
    }
  }

  void worker(int thread, uint64_t seen) {
    const FloatEnv env;
    const auto called = [this, &seen] {
      return phase.load(std::memory_order_seq_cst) != seen || stop.load(std::memory_order_relaxed);
    };
    std::chrono::microseconds patience = kSpin;
    while (!stop.load(std::memory_order_relaxed)) {
      const auto since = std::chrono::steady_clock::now();
      if (!spin_until(may_spin, called, patience)) {
        std::unique_lock<std::mutex> lock(sleep);
        sleepers.fetch_add(1, std::memory_order_seq_cst);
        wake.wait(lock, called);
        sleepers.fetch_sub(1, std::memory_order_seq_cst);
      }
      patience = std::chrono::steady_clock::now() - since < kSpinInARow ? kSpinInARow : kSpin;
      seen = phase.load(std::memory_order_seq_cst);
      work(thread);
    }
  }

  void run(PieceFn f, void* c, int64_t n) {
    fn = f;
    context = c;
    pieces = n;
    done.store(0, std::memory_order_relaxed);
    const uint64_t number = phase.load(std::memory_order_relaxed) + 1;
    shares->give_out(number, n);
    phase.store(number, std::memory_order_seq_cst);
    int64_t asleep = sleepers.load(std::memory_order_seq_cst);
    if (asleep > 0) {
      sleep.lock();  // whoever was about to sleep has looked at the tickets, or sleeps, by now
      sleep.unlock();
      for (asleep = asleep < n - 1 ? asleep : n - 1; asleep > 0; --asleep) wake.notify_one();
    }
    work(0);
    const auto all_done = [&] { return done.load(std::memory_order_seq_cst) == n; };
    if (spin_until(may_spin, all_done)) return;
    std::unique_lock<std::mutex> lock(sleep);
    caller_sleeps.store(true, std::memory_order_seq_cst);
    finished.wait(lock, all_done);
    caller_sleeps.store(false, std::memory_order_relaxed);
  }

  // Takes over the mask of the thread that runs. Workers keep the one they started under, so they are started anew.
  void follow(const AffinityMask& now) {
    if (now == mask) return;
    const Machine seen = look_at_machine();
    stop_workers();
    mask = now;
    machine = seen;
    threads.store(asked != 0 ? asked.load() : machine.threads);
    fixed.store(asked != 0 || machine.fixed);
  }

  void start_workers() {
    stop_workers();  // none, but after a start that failed half way: shares must not move under them
    const int wanted = threads.load() - 1;
    may_spin = machine.may_spin && wanted + 1 <= machine.cpus;
    try {
      [[maybe_unused]] const WithoutSignals quiet{};
      shares = std::make_unique<Shares>(wanted + 1);
      workers.reserve(static_cast<size_t>(wanted));
      while (static_cast<int>(workers.size()) < wanted) {
        const int thread = static_cast<int>(workers.size()) + 1;
        workers.emplace_back([this, thread, seen = phase.load()] { worker(thread, seen); });
      }
    } catch (const std::exception&) {
      // The system gives no more threads, or no memory for them: those we have will do, and no result depends on how
      // many there are.
      threads.store(static_cast<int>(workers.size()) + 1);
    }
  }

  void stop_workers() {
    stop.store(true);
    sleep.lock();
    sleep.unlock();
    wake.notify_all();
    for (std::thread& w : workers) w.join();
    workers.clear();
    stop.store(false);
  }
};

namespace {

std::atomic<Pool*> g_pool{nullptr};
// From the start, not from the first use: another thread may fork in the middle of that.
[[maybe_unused]] const int g_registered = in_forked_child([] { g_pool.store(nullptr); });

// Never freed: workers may still sleep in it when the process ends. In a forked child its threads do not exist and its
// locks may be held by them for ever, so the child forgets it and makes another.
Pool& pool() {
  Pool* p = g_pool.load(std::memory_order_acquire);
  if (p != nullptr) return *p;
  auto fresh = std::make_unique<Pool>();
  if (g_pool.compare_exchange_strong(p, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
  return *p;
}

}  // namespace

PoolLease::PoolLease() : pool_(nullptr), threads_(1) {
  Pool& p = pool();
  if (p.threads.load() == 1 && p.fixed.load()) return;
  const AffinityMask mask = AffinityMask::of_this_thread();
  if (!p.fixed.load() && mask.count() == 1) return;
  if (p.changing.load() != 0 || !p.taken.try_lock()) return;
  std::unique_lock<std::mutex> taken(p.taken, std::adopt_lock);
  p.follow(mask);
  if (p.threads.load() == 1) return;
  if (static_cast<int>(p.workers.size()) + 1 < p.threads.load()) p.start_workers();
  taken.release();
  pool_ = &p;
  threads_ = static_cast<int>(p.workers.size()) + 1;
}

PoolLease::~PoolLease() {
  if (pool_ != nullptr) pool_->taken.unlock();
}

void PoolLease::run(PieceFn fn, void* context, int64_t pieces) {
  if (pool_ != nullptr && threads_ > 1 && pieces > 1) return pool_->run(fn, context, pieces);
  for (int64_t i = 0; i < pieces; ++i) fn(context, i, 0);
}

int pool_threads() {
  Pool& p = pool();
  if (p.fixed.load()) return p.threads.load();
  return look_at_machine().threads;  // of this thread's mask, which may not be that of the last run
}

void set_pool_threads(int n) {
  Pool& p = pool();
  p.changing.fetch_add(1);
  const std::lock_guard<std::mutex> lock(p.taken);
  p.changing.fetch_sub(1);
  p.stop_workers();
  p.mask = AffinityMask::of_this_thread();
  p.machine = look_at_machine();
  p.asked.store(n > 0 ? n : 0);
  p.threads.store(n > 0 ? n : p.machine.threads);
  p.fixed.store(n > 0 || p.machine.fixed);
}

}  // namespace striate
