// The container's CPU quota, from control groups of either version.
#pragma once

#include <string>

namespace striate {

// CPUs' worth of time the tightest group around this process may use, 0 where none is limited. `root` goes before /proc
// and /sys.
double cgroup_quota(const std::string& root);

std::string first_line(const std::string& path);  // empty where there is no such file

}  // namespace striate
