#include "engine/registry.h"

#include <unordered_map>

#include "base/isa.h"

namespace striate {

// families.inc is written by CMakeLists.txt from the files under csrc/kernels.
#define STRIATE_FAMILY_ROWS(family, isa) KernelRows family##_rows_##isa();
#include "families.inc"
#undef STRIATE_FAMILY_ROWS

namespace {

std::vector<KernelRow> collect() {
  std::vector<KernelRow> all;
  const auto take = [&all](KernelRows rows) {
    for (size_t i = 0; i < rows.count; ++i) {
      if (may_run(rows.rows[i].isa)) all.push_back(rows.rows[i]);
    }
  };
  static_cast<void>(take);
#define STRIATE_FAMILY_ROWS(family, isa) take(family##_rows_##isa());
#include "families.inc"
#undef STRIATE_FAMILY_ROWS
  return all;
}

}  // namespace

const std::vector<KernelRow>& kernels() {
  static const std::vector<KernelRow> rows = collect();
  return rows;
}

const KernelRow* find_kernel(const std::string& name) {
  static const std::unordered_map<std::string, const KernelRow*> by_name = [] {
    std::unordered_map<std::string, const KernelRow*> map;
    for (const KernelRow& row : kernels()) map.emplace(row.name, &row);
    return map;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

}  // namespace striate
