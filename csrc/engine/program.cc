#include "engine/program.h"

#include <limits>
#include <stdexcept>

namespace striate {
namespace {

struct DTypeRow {
  const char* name;
  size_t bytes;
};

constexpr DTypeRow kDTypes[] = {
    {"float32", 4},  {"int32", 4}, {"int64", 8}, {"uint8", 1},  {"bool", 1},   {"float64", 8}, {"float16", 2},
    {"bfloat16", 2}, {"int8", 1},  {"int16", 2}, {"uint16", 2}, {"uint32", 4}, {"uint64", 8},
};
constexpr int64_t kDTypeCount = sizeof kDTypes / sizeof kDTypes[0];
static_assert(kDTypeCount == static_cast<int64_t>(DType::kU64) + 1, "a dtype has no row here");

// No buffer is longer: leaves room for every sum and product that kernels make of sizes and offsets.
constexpr int64_t kMaxBytes = int64_t{1} << 46;

}  // namespace

size_t dtype_bytes(DType dtype) { return kDTypes[static_cast<int>(dtype)].bytes; }
const char* dtype_name(DType dtype) { return kDTypes[static_cast<int>(dtype)].name; }
uint64_t operand_bytes(const Operand& operand) {
  return static_cast<uint64_t>(operand.size) * dtype_bytes(operand.dtype);
}

void OwnedSpec::add_operand(int64_t dtype, const std::vector<int64_t>& dims) {
  if (dtype < 0 || dtype >= kDTypeCount) throw std::invalid_argument("unknown dtype code " + std::to_string(dtype));
  if (dims.size() > kMaxRank) {
    throw std::invalid_argument("an operand of rank " + std::to_string(dims.size()) + "; at most " +
                                std::to_string(kMaxRank));
  }
  Operand o{};
  o.dtype = static_cast<DType>(dtype);
  o.rank = static_cast<int32_t>(dims.size());
  // Zero lengths count as one here, so that [0, 2^62, 2^62] is refused too: kernels multiply parts of a shape.
  const int64_t limit = kMaxBytes / static_cast<int64_t>(dtype_bytes(o.dtype));
  int64_t product = 1;
  o.size = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t n = dims[i];
    if (n < 0) throw std::invalid_argument("an axis of length " + std::to_string(n));
    if (n > 0 && product > limit / n) throw std::invalid_argument("an operand of more than 2^46 bytes");
    product *= n > 0 ? n : 1;
    o.dims[i] = n;
    o.size *= n;
  }
  operands.push_back(o);
}

StepSpec OwnedSpec::view() const {
  StepSpec s{};
  s.operands = operands.data();
  s.n_inputs = n_inputs;
  s.n_outputs = n_outputs;
  s.ints = ints.data();
  s.n_ints = static_cast<int32_t>(ints.size());
  s.floats = floats.data();
  s.n_floats = static_cast<int32_t>(floats.size());
  return s;
}

}  // namespace striate
