// That the checks can fail.
#pragma once

#include <string>

namespace striate {

// Runs kernels that are wrong in known ways; the name of one that was not found out, empty where all were.
std::string undetected_fault();

}  // namespace striate
