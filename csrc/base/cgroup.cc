#include "base/cgroup.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace striate {
namespace {

// A place where a hierarchy of groups can be seen: the group `group` (and those below it) at the folder `folder`.
struct Mount {
  std::string group, folder;
  bool v2;
};

double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : 0; }

double read_v2(const std::string& folder) {  // "max 100000" or "150000 100000"
  std::istringstream line(first_line(folder + "/cpu.max"));
  double quota = 0, period = 0;
  return line >> quota >> period ? ratio(quota, period) : 0;
}

double read_v1(const std::string& folder) {  // quota is -1 where there is no limit
  return ratio(std::atof(first_line(folder + "/cpu.cfs_quota_us").c_str()),
               std::atof(first_line(folder + "/cpu.cfs_period_us").c_str()));
}

double smaller_limit(double a, double b) { return a == 0 || (b > 0 && b < a) ? b : a; }

bool lists(const std::string& words, const std::string& word) {
  return ("," + words + ",").find("," + word + ",") != std::string::npos;
}

std::string unescaped(const std::string& text) {  // mountinfo writes a space as \040
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 3).c_str(), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<Mount> mounts(const std::string& root) {
  std::vector<Mount> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // 36 35 98:0 /group /folder rw,noatime shared:1 - cgroup2 source rw,options
    std::istringstream words(line);
    std::string skip, group, folder, word, type, options;
    words >> skip >> skip >> skip >> group >> folder;
    while (words >> word && word != "-") continue;
    words >> type >> skip >> options;
    if (type == "cgroup2" || (type == "cgroup" && lists(options, "cpu"))) {
      found.push_back({unescaped(group), root + unescaped(folder), type == "cgroup2"});
    }
  }
  if (found.empty()) {  // /proc hidden in part: where they usually are
    found = {{"/", root + "/sys/fs/cgroup", true},
             {"/", root + "/sys/fs/cgroup/cpu", false},
             {"/", root + "/sys/fs/cgroup/cpu,cpuacct", false}};
  }
  return found;
}

// The part of `path` below the group `top`; empty where it is not below it. A container may see its own group mounted
// and be told its path on the host, or the other way round: then what is mounted is all that can be looked at.
std::string below(const std::string& path, const std::string& top) {
  const std::string prefix = top == "/" ? "" : top;
  if (path.compare(0, prefix.size(), prefix) != 0 || path.find("/..") != std::string::npos) return "";
  const std::string rest = path.substr(prefix.size());
  return rest == "/" || (!rest.empty() && rest[0] != '/') ? "" : rest;
}

// The tightest limit of a group and the groups above it.
double tightest(const Mount& mount, std::string path) {
  double limit = 0;
  for (;;) {
    limit = smaller_limit(limit, mount.v2 ? read_v2(mount.folder + path) : read_v1(mount.folder + path));
    if (path.empty()) return limit;
    path.erase(path.rfind('/'));
  }
}

}  // namespace

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

double cgroup_quota(const std::string& root) {
  double limit = 0;
  const std::vector<Mount> seen = mounts(root);
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "0::/path" (v2), "4:cpu,cpuacct:/path" (v1)
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const bool v2 = controllers.empty();
    if (!v2 && !lists(controllers, "cpu")) continue;
    for (const Mount& mount : seen) {
      if (mount.v2 == v2) limit = smaller_limit(limit, tightest(mount, below(path, mount.group)));
    }
  }
  return limit;
}

}  // namespace striate
