// Every kernel of this build, found by name and listed by preference.
#pragma once

#include <string>
#include <vector>

#include "base/kernel.h"

namespace striate {

// The rows this CPU can run: the fastest instruction set first, families in alphabetical order within it, table order
// within those. Made once.
const std::vector<KernelRow>& kernels();

const KernelRow* find_kernel(const std::string& name);  // nullptr where there is none that this CPU can run

}  // namespace striate
