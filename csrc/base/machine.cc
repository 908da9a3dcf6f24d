#include "base/machine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <thread>
#include <vector>

#include "base/affinity.h"
#include "base/cgroup.h"

namespace striate {
namespace {

constexpr int kMaxThreads = 1024;

int count_physical(const std::vector<int>& cpus, const std::string& root) {
  std::set<std::string> cores;  // CPUs of one core all report the same list of siblings
  for (const int cpu : cpus) {
    const std::string dir = root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    std::string siblings = first_line(dir + "thread_siblings_list");
    if (siblings.empty()) siblings = "cpu" + std::to_string(cpu);  // no topology: every CPU counts
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
}

}  // namespace

Machine look_at_machine(const std::string& root) {
  Machine m{};
  const std::vector<int> cpus = AffinityMask::of_this_thread().cpus();
  m.cpus = static_cast<int>(cpus.size());
  m.physical_cores = count_physical(cpus, root);
#if defined(__linux__)
  m.quota = cgroup_quota(root);
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
      m.fixed = true;
    }
  }
  return m;
}

}  // namespace striate
