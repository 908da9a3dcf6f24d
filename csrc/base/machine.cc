#include "base/machine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace striate {
namespace {

constexpr int kMaxThreads = 1024;

#if defined(__linux__)
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<int> affinity() {
  // The kernel refuses a mask smaller than its own, so grow until it fits (machines beyond 1,024 CPUs exist).
  for (int bits = 1024; bits <= (1 << 20); bits *= 2) {
    cpu_set_t* set = CPU_ALLOC(bits);
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(bits);
    CPU_ZERO_S(bytes, set);
    std::vector<int> cpus;
    if (sched_getaffinity(0, bytes, set) == 0) {
      for (int i = 0; i < bits; ++i) {
        if (CPU_ISSET_S(i, bytes, set)) cpus.push_back(i);
      }
    }
    CPU_FREE(set);
    if (!cpus.empty()) return cpus;
  }
  return {};
}

int count_physical(const std::vector<int>& cpus) {
  std::set<std::string> cores;  // CPUs of one core all report the same list of siblings
  for (const int cpu : cpus) {
    const std::string dir = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    std::string siblings = first_line(dir + "thread_siblings_list");
    if (siblings.empty()) siblings = "cpu" + std::to_string(cpu);  // no topology: every CPU counts
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
}

double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : 0; }

double read_v2(const std::string& dir) {  // "max 100000" or "150000 100000"
  std::istringstream line(first_line(dir + "/cpu.max"));
  double quota = 0, period = 0;
  return line >> quota >> period ? ratio(quota, period) : 0;
}

double read_v1(const std::string& dir) {  // quota is -1 where there is no limit
  return ratio(std::atof(first_line(dir + "/cpu.cfs_quota_us").c_str()),
               std::atof(first_line(dir + "/cpu.cfs_period_us").c_str()));
}

// The tightest limit of a group and the groups above it. Within a container the path may be the host's, which does not
// exist here; then the mount's root is the container's own group, and the walk ends there.
template <typename Read>
double tightest(const std::string& mount, std::string path, Read read) {
  double limit = 0;
  for (;;) {
    const double here = read(mount + path);
    if (here > 0 && (limit == 0 || here < limit)) limit = here;
    const size_t slash = path.rfind('/');
    if (path.empty() || slash == std::string::npos) return limit;
    path.erase(slash);
  }
}

double cgroup_quota() {
  std::ifstream file("/proc/self/cgroup");
  double limit = 0;
  const auto take = [&limit](double found) {
    if (found > 0 && (limit == 0 || found < limit)) limit = found;
  };
  for (std::string line; std::getline(file, line);) {  // "0::/path" (v2), "4:cpu,cpuacct:/path" (v1)
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers == ",,") {
      take(tightest("/sys/fs/cgroup", path, read_v2));
      take(tightest("/sys/fs/cgroup/unified", path, read_v2));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      take(tightest("/sys/fs/cgroup/cpu", path, read_v1));
      take(tightest("/sys/fs/cgroup/cpu,cpuacct", path, read_v1));
    }
  }
  return limit;
}
#endif

}  // namespace

Machine look_at_machine() {
  Machine m{};
#if defined(__linux__)
  const std::vector<int> cpus = affinity();
  m.cpus = static_cast<int>(cpus.size());
  m.physical_cores = count_physical(cpus);
  m.quota = cgroup_quota();
#endif
  if (m.cpus == 0) m.cpus = m.physical_cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  m.threads = m.physical_cores;
  m.source = "physical cores";
  const double whole = std::ceil(m.quota - 1e-9);
  if (m.quota > 0 && whole < m.threads) {
    m.threads = std::max(1, static_cast<int>(whole));
    m.source = "cgroup quota";
  }
  m.may_spin = m.quota == 0 || m.quota >= m.cpus;
  if (const char* env = std::getenv("STRIATE_NUM_THREADS")) {
    char* end = nullptr;
    const long wanted = std::strtol(env, &end, 10);
    if (end != env && *end == '\0' && wanted >= 1 && wanted <= kMaxThreads) {
      m.threads = static_cast<int>(wanted);
      m.source = "STRIATE_NUM_THREADS";
    }
  }
  return m;
}

}  // namespace striate
