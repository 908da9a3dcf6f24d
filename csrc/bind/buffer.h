// AlignedBuffer: memory of the engine's that NumPy arrays can stand on without a copy.
#pragma once

#include <nanobind/nanobind.h>

#include "base/memory.h"

namespace striate {

class AlignedBuffer {
 public:
  explicit AlignedBuffer(size_t bytes) : memory_(bytes, /*zero=*/true) {}
  unsigned char* data() const { return memory_.data(); }
  size_t bytes() const { return memory_.bytes(); }

 private:
  AlignedMemory memory_;
};

void bind_buffer(nanobind::module_& m);
void bind_machine(nanobind::module_& m);
void bind_programs(nanobind::module_& m);
void bind_state(nanobind::module_& m);

}  // namespace striate
