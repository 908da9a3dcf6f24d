// What a forked child has to forget.
#pragma once

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace striate {

// Has `forget` called in every forked child, where the threads of the parent do not exist and its locks may be held by
// them for ever. For the initializer of a static: from the start, since another thread may fork at any moment.
inline int in_forked_child(void (*forget)()) {
#if defined(_WIN32)
  static_cast<void>(forget);
  return 0;
#else
  return pthread_atfork(nullptr, nullptr, forget);
#endif
}

}  // namespace striate
