// What `striate doctor` and the planner ask about: CPU, threads, kernels.
#include "base/machine.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <optional>

#include "base/float_env.h"
#include "base/isa.h"
#include "base/memory.h"
#include "base/peaks.h"
#include "base/pool.h"
#include "bind/buffer.h"
#include "bind/gil.h"
#include "engine/arena.h"

namespace nb = nanobind;

namespace striate {
namespace {

nb::dict describe_machine(const std::string& root) {
  const Machine m = look_at_machine(root);
  nb::dict d;
  d["cpus"] = m.cpus;
  d["physical_cores"] = m.physical_cores;
  d["quota"] = m.quota > 0 ? nb::object(nb::float_(m.quota)) : nb::none();
  d["default_threads"] = m.threads;
  d["threads_from"] = m.source;
  d["may_spin"] = m.may_spin;
  d["huge_pages"] = huge_pages_wanted();
  const char* cap = std::getenv("STRIATE_ISA");
  d["isa_cap"] = cap != nullptr && *cap != '\0' ? nb::object(nb::str(cap)) : nb::none();
  d["idle_arena_bytes"] = idle_arena_bytes();
  return d;
}

void set_threads(int n) {
  if (n < 0 || n > 1024) {
    throw std::invalid_argument("set_threads: received " + std::to_string(n) +
                                "; expected 1 to 1024, or 0 for the default.");
  }
  const Unlocked without_gil;  // a run under way has to end first
  set_pool_threads(n);
}

// An instruction set of this build that this CPU can run, by its name.
Isa isa_named(const std::string& name) {
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kNeon})
    if (name == isa_name(isa) && may_run(isa)) return isa;
  throw std::invalid_argument("received the instruction set " + name + ", which this process may not use");
}

int64_t turns_from(int64_t turns) {
  if (turns < 0) throw std::invalid_argument("received " + std::to_string(turns) + " turns; expected 0 or more");
  return turns;
}

double fma_turns(const std::string& isa, int64_t turns) {
  const Isa set = isa_named(isa);
  const int64_t count = turns_from(turns);
  const Unlocked without_gil;
  return fma_loop(set, count);
}

double read_turns(const std::string& isa, const AlignedBuffer& buffer, int64_t turns) {
  const Isa set = isa_named(isa);
  const int64_t count = turns_from(turns);
  const Unlocked without_gil;
  return read_loop(set, reinterpret_cast<const float*>(buffer.data()), static_cast<int64_t>(buffer.bytes() / 4), count);
}

double copy_turns(const std::string& isa, const AlignedBuffer& buffer, int64_t turns) {
  const Isa set = isa_named(isa);
  const int64_t count = turns_from(turns);
  const auto half = static_cast<int64_t>(buffer.bytes() / 8);
  auto* x = reinterpret_cast<float*>(buffer.data());
  const Unlocked without_gil;
  return copy_loop(set, x, x + half, half, count);
}

// FloatEnv as a `with` block.
class Arithmetic {
 public:
  explicit Arithmetic(bool flush) : denormals_(flush ? Denormals::kFlush : Denormals::kKeep) {}
  void enter() { env_.emplace(denormals_); }
  void exit() { env_.reset(); }

 private:
  Denormals denormals_;
  std::optional<FloatEnv> env_;
};

}  // namespace

void bind_machine(nb::module_& m) {
  m.def("isa", [] { return isa_name(best_isa()); }, "The instruction set whose kernels are preferred.");
  m.def("cpu_features", &cpu_features, "What this CPU and system have of the features the choice looks at.");
  m.def("threads", &pool_threads, "Threads a run shares its work among.");
  m.def("set_threads", &set_threads, nb::arg("n"), "Use n threads; 0 goes back to the default.");
  m.def("machine", &describe_machine, nb::arg("root") = "",
        "Cores, quota and defaults of this thread now; `root` stands before /proc and /sys, for tests.");
  m.def("fma_loop", &fma_turns, nb::arg("isa"), nb::arg("turns"),
        "Multiply and add on registers, so many turns; the multiplications and additions done.");
  m.def("read_loop", &read_turns, nb::arg("isa"), nb::arg("buffer"), nb::arg("turns"),
        "Read a buffer so many times; the bytes read.");
  m.def("copy_loop", &copy_turns, nb::arg("isa"), nb::arg("buffer"), nb::arg("turns"),
        "Copy a buffer's first half over its second so many times; the bytes read and written.");
  m.def("trim", &free_idle_arenas, "Give idle arenas back to the system.");
  nb::class_<Arithmetic>(m, "Arithmetic", nb::is_final(),
                         "Rounds to nearest on this thread: `with Arithmetic(flush):`.")
      .def(nb::init<bool>(), nb::arg("flush_denormals"))
      .def("__enter__", &Arithmetic::enter)
      .def(
          "__exit__", [](Arithmetic& a, nb::handle, nb::handle, nb::handle) { a.exit(); }, nb::arg().none(),
          nb::arg().none(), nb::arg().none());
}

}  // namespace striate
