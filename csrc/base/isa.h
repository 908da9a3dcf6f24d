// Which instruction sets this CPU and system can run, and which of them we use.
#pragma once

#include <string>
#include <vector>

#include "base/kernel.h"

namespace striate {

const char* isa_name(Isa isa);  // "baseline", "avx2", "avx512", "neon"

// The best set whose kernels we may call. The environment's STRIATE_ISA (baseline, avx2 or avx512) can lower it, never
// raise it; another word there throws std::invalid_argument. Read once a process.
Isa best_isa();
bool may_run(Isa isa);

// The features the choice looks at, and a few of their neighbours, for `striate doctor`: "avx2", "avx512f", ...
std::vector<std::string> cpu_features();

}  // namespace striate
