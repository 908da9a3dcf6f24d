#include "engine/arena.h"

#include <atomic>
#include <memory>

namespace striate {
namespace {

// Slots that are exchanged, not locked: a fork at any moment leaves them usable in the child (a lock held by a thread
// that does not exist there never opens).
constexpr int kSlots = 16;
std::atomic<AlignedMemory*> g_idle[kSlots];
std::atomic<size_t> g_idle_bytes{0};

AlignedMemory* take(int slot) {
  AlignedMemory* memory = g_idle[slot].load(std::memory_order_relaxed);
  if (memory == nullptr) return nullptr;
  memory = g_idle[slot].exchange(nullptr, std::memory_order_acquire);
  if (memory != nullptr) g_idle_bytes.fetch_sub(memory->bytes(), std::memory_order_relaxed);
  return memory;
}

void give(AlignedMemory* memory) {
  const size_t bytes = memory->bytes();
  g_idle_bytes.fetch_add(bytes, std::memory_order_relaxed);
  for (std::atomic<AlignedMemory*>& slot : g_idle) {
    AlignedMemory* empty = nullptr;
    if (slot.compare_exchange_strong(empty, memory, std::memory_order_release, std::memory_order_relaxed)) return;
  }
  g_idle_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  delete memory;
}

}  // namespace

ArenaLease::ArenaLease(size_t bytes) : memory_(nullptr) {
  // The first that is large enough; else a new one in place of the last that was too small.
  AlignedMemory* small = nullptr;
  for (int slot = 0; slot < kSlots; ++slot) {
    AlignedMemory* found = take(slot);
    if (found == nullptr) continue;
    if (small != nullptr) give(small);
    small = nullptr;
    if (found->bytes() >= bytes) {
      memory_ = found;
      return;
    }
    small = found;
  }
  delete small;
  memory_ = new AlignedMemory(bytes);
}

ArenaLease::~ArenaLease() { give(memory_); }

void free_idle_arenas() {
  for (int slot = 0; slot < kSlots; ++slot) delete take(slot);
}

size_t idle_arena_bytes() { return g_idle_bytes.load(std::memory_order_relaxed); }

}  // namespace striate
