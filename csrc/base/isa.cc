#include "base/isa.h"

#include <cstdlib>
#include <stdexcept>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define STRIATE_X86 1
#endif

namespace striate {
namespace {

struct Feature {
  const char* name;
  bool present;
};

#ifdef STRIATE_X86
struct Cpuid {
  unsigned a = 0, b = 0, c = 0, d = 0;
  Cpuid(unsigned leaf, unsigned sub) { __get_cpuid_count(leaf, sub, &a, &b, &c, &d); }
};

// What the operating system saves on a context switch: bit 1 SSE, 2 AVX, 5-7 the AVX-512 state. A CPU may have
// AVX-512 under a kernel or hypervisor that does not save it, so cpuid alone is not enough.
unsigned long long saved_state() {
  if (!(Cpuid(1, 0).c & (1u << 27))) return 0;  // OSXSAVE
  unsigned lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (static_cast<unsigned long long>(hi) << 32) | lo;
}

std::vector<Feature> features() {
  const Cpuid one(1, 0), seven(7, 0), seven1(7, 1);
  const unsigned long long saved = saved_state();
  const bool ymm = (saved & 0x6) == 0x6, zmm = (saved & 0xe6) == 0xe6;
  const auto bit = [](unsigned word, int i) { return ((word >> i) & 1) != 0; };
  return {
      {"sse4.2", bit(one.c, 20)},
      {"avx", ymm && bit(one.c, 28)},
      {"fma", ymm && bit(one.c, 12)},
      {"f16c", ymm && bit(one.c, 29)},
      {"avx2", ymm && bit(seven.b, 5)},
      {"bmi2", bit(seven.b, 8)},
      {"avx512f", zmm && bit(seven.b, 16)},
      {"avx512dq", zmm && bit(seven.b, 17)},
      {"avx512bw", zmm && bit(seven.b, 30)},
      {"avx512vl", zmm && bit(seven.b, 31)},
      {"avx512vnni", zmm && bit(seven.c, 11)},
      {"avx512bf16", zmm && bit(seven1.a, 5)},
      {"avx512fp16", zmm && bit(seven.d, 23)},
      {"amx-bf16", (saved & 0x60000) == 0x60000 && bit(seven.d, 22)},
  };
}
#elif defined(__aarch64__)
std::vector<Feature> features() { return {{"neon", true}}; }
#else
std::vector<Feature> features() { return {}; }
#endif

bool has_all(const std::vector<Feature>& have, std::initializer_list<const char*> wanted) {
  for (const char* name : wanted) {
    bool found = false;
    for (const Feature& f : have) found = found || (f.present && std::string(f.name) == name);
    if (!found) return false;
  }
  return true;
}

// The lists are the -m flags of CMakeLists.txt: what the compiler may emit, the CPU must have.
Isa detect() {
  const std::vector<Feature> have = features();
  if (has_all(have, {"neon"})) return Isa::kNeon;
  if (!has_all(have, {"avx2", "fma", "f16c", "bmi2"})) return Isa::kBaseline;
  return has_all(have, {"avx512f", "avx512vl", "avx512bw", "avx512dq"}) ? Isa::kAvx512 : Isa::kAvx2;
}

Isa choose() {
  const Isa best = detect();
  const char* env = std::getenv("STRIATE_ISA");
  if (env == nullptr || *env == '\0' || best == Isa::kNeon) return best;
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512}) {
    if (std::string(env) == isa_name(isa)) return isa < best ? isa : best;
  }
  throw std::invalid_argument("STRIATE_ISA=" + std::string(env) +
                              " is no instruction set; give baseline, avx2 or avx512");
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kNeon:
      return "neon";
  }
  return "?";
}

Isa best_isa() {
  static const Isa isa = choose();
  return isa;
}

bool may_run(Isa isa) {
  const Isa best = best_isa();
  return isa == best || (best != Isa::kNeon && isa < best);
}

std::vector<std::string> cpu_features() {
  std::vector<std::string> names;
  for (const Feature& f : features()) {
    if (f.present) names.emplace_back(f.name);
  }
  return names;
}

}  // namespace striate
