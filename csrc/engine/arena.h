// Arenas: the memory a run works in, lent out and taken back.
#pragma once

#include <cstddef>

#include "base/memory.h"

namespace striate {

// One arena for the length of a run. All programs share the idle arenas: a training and a predict program in turn use
// the larger one's bytes, and memory is the most any run needed, not the sum over programs. As many stay as ran at
// once.
class ArenaLease {
 public:
  explicit ArenaLease(size_t bytes);  // throws std::bad_alloc
  ~ArenaLease();
  ArenaLease(const ArenaLease&) = delete;
  ArenaLease& operator=(const ArenaLease&) = delete;

  unsigned char* data() const { return memory_->data(); }

 private:
  AlignedMemory* memory_;
};

void free_idle_arenas();
size_t idle_arena_bytes();

}  // namespace striate
