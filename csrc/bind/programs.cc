// Programs: compiling and running what the planner wrote.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/float_env.h"
#include "base/isa.h"
#include "bind/buffer.h"
#include "bind/decode.h"
#include "bind/gil.h"
#include "engine/executable.h"
#include "engine/registry.h"

namespace nb = nanobind;

namespace striate {
namespace {

// Numbers that prepare() works out are part of the result: a caller's rounding mode must not reach them.
std::unique_ptr<Executable> compile(nb::dict program) {
  const FloatEnv env;
  return std::make_unique<Executable>(decode_program(program));
}

const KernelRow& row_named(const std::string& name) {
  const KernelRow* row = find_kernel(name);
  if (row == nullptr) refuse("no kernel named " + name + " for this CPU; kernels() lists them");
  return *row;
}

nb::object probe(const std::string& name, nb::handle spec) {
  const FloatEnv env;
  StepPlan plan;
  const char* refusal = row_named(name).prepare(decode_spec(spec).view(), &plan);
  return refusal == nullptr ? nb::object(nb::none()) : nb::object(nb::str(refusal));
}

nb::dict layout(const std::string& name, nb::handle spec) {
  const FloatEnv env;
  StepPlan plan;
  if (const char* refusal = row_named(name).prepare(decode_spec(spec).view(), &plan)) refuse(refusal);
  nb::list pieces;
  for (int i = 0; i < plan.n_phases; ++i) pieces.append(plan.phases[i].pieces);
  nb::dict d;
  d["pieces"] = pieces;
  d["scratch_bytes"] = plan.scratch_bytes;
  d["thread_scratch_bytes"] = plan.thread_scratch_bytes;
  d["flops"] = plan.flops;
  d["done_flops"] = plan.done > 0 ? plan.done : plan.flops;
  return d;
}

// The addresses of one run, and the views that keep them valid.
class Bound {
 public:
  explicit Bound(size_t n) {
    if (n + 1 > kFew) many_.resize(n + 1);
    bases = many_.empty() ? few_ : many_.data();
  }
  ~Bound() {
    for (size_t i = 0; i < n_views_; ++i) PyBuffer_Release(view(i));
  }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  void bind(size_t i, PyObject* object, const Executable::External& declared) {
    void* address;
    uint64_t bytes;
    if (PyLong_Check(object)) {  // an address of the engine's own: nothing to compare its size with
      address = PyLong_AsVoidPtr(object);
      if (PyErr_Occurred()) nb::raise_python_error();
      bytes = declared.bytes;
      if (address == nullptr && bytes != 0) refuse("external " + std::to_string(i) + " is the address 0");
    } else {
      Py_buffer* v = new_view();
      if (PyObject_GetBuffer(object, v, declared.writable ? PyBUF_WRITABLE : PyBUF_SIMPLE) != 0) {
        --n_views_;
        PyErr_Clear();
        refuse("external " + std::to_string(i) + " must be a C-contiguous " + (declared.writable ? "writable " : "") +
               "array, an AlignedBuffer or an address; received " + nb::type_name(nb::handle(object).type()).c_str());
      }
      address = v->buf;
      bytes = static_cast<uint64_t>(v->len);
    }
    if (bytes != declared.bytes) {
      refuse("external " + std::to_string(i) + " has " + std::to_string(bytes) +
             " bytes; the program was compiled for " + std::to_string(declared.bytes));
    }
    if (reinterpret_cast<uintptr_t>(address) % declared.alignment != 0) {
      refuse("external " + std::to_string(i) + " is not aligned to its elements of " +
             std::to_string(declared.alignment) + " bytes; give a copy of the array");
    }
    bases[i + 1] = address;
  }

  void** bases;

 private:
  static constexpr size_t kFew = 64;  // most predict programs; a training step of ResNet-50 has some 500
  Py_buffer* view(size_t i) { return i < kFew ? &few_views_[i] : more_views_[i - kFew].get(); }
  Py_buffer* new_view() {
    if (n_views_ >= kFew) more_views_.push_back(std::make_unique<Py_buffer>());
    return view(n_views_++);
  }

  void* few_[kFew];
  std::vector<void*> many_;
  Py_buffer few_views_[kFew];
  std::vector<std::unique_ptr<Py_buffer>> more_views_;  // by pointer: a view must not move
  size_t n_views_ = 0;
};

// A first Ctrl-C waits for the end of the run. A second one breaks it off, where the run is long and has not begun to
// write state.
class CtrlC : public Interrupt {
 public:
  void inside(Unlocked* without_gil) { without_gil_ = without_gil; }
  bool wanted() override {
    const Relocked with_gil(*without_gil_);
    if (PyErr_CheckSignals() == 0) return false;
    const bool second = error_.has_value();
    error_.emplace();  // takes Python's error
    return second;
  }
  void raise(bool whole) {
    if (error_) throw *error_;
    if (!whole) throw std::logic_error("a run was broken off by nothing");
  }

 private:
  Unlocked* without_gil_ = nullptr;
  std::optional<nb::python_error> error_;
};

void run(const Executable& program, nb::handle externals, nb::bytes guards) {
  const std::vector<Executable::External>& declared = program.externals();
  const bool is_list = PyList_Check(externals.ptr());
  if (!is_list && !PyTuple_Check(externals.ptr())) refuse("run: expected a list or tuple of externals");
  const size_t n = static_cast<size_t>(is_list ? PyList_Size(externals.ptr()) : PyTuple_Size(externals.ptr()));
  if (n != declared.size()) {
    refuse("run: received " + std::to_string(n) + " externals; the program has " + std::to_string(declared.size()));
  }
  if (static_cast<int64_t>(guards.size()) < program.n_guards()) {
    refuse("run: received " + std::to_string(guards.size()) + " guards; the program has " +
           std::to_string(program.n_guards()));
  }
  Bound bound(n);
  for (size_t i = 0; i < n; ++i) {
    const auto at = static_cast<Py_ssize_t>(i);
    bound.bind(i, is_list ? PyList_GetItem(externals.ptr(), at) : PyTuple_GetItem(externals.ptr(), at), declared[i]);
  }
  CtrlC ctrl_c;
  bool whole;
  {
    Unlocked without_gil;
    ctrl_c.inside(&without_gil);
    whole = program.run(bound.bases, reinterpret_cast<const unsigned char*>(guards.c_str()), &ctrl_c);
  }
  ctrl_c.raise(whole);
}

}  // namespace

void bind_programs(nb::module_& m) {
  nb::class_<Executable>(m, "Program", nb::is_final(), "A compiled program; made by compile().")
      .def_prop_ro("steps", &Executable::steps)
      .def_prop_ro("arena_bytes", &Executable::arena_bytes)
      .def_prop_ro("flops", &Executable::flops, "Multiplications and additions of one run, of the kernels that count.");

  m.def(
      "kernels",
      [] {
        nb::list all;
        for (const KernelRow& row : kernels()) all.append(nb::make_tuple(row.op, row.name, isa_name(row.isa)));
        return all;
      },
      "(op, name, isa) of every kernel this CPU can run, by preference.");
  m.def("probe", &probe, nb::arg("name"), nb::arg("spec"), "Why a kernel does not take a step; None where it does.");
  m.def("layout", &layout, nb::arg("name"), nb::arg("spec"), "Pieces, scratch and flops of a step.");
  m.def("compile", &compile, nb::arg("program"), "Check a program and make it ready; ValueError names the step.");
  m.def("run", &run, nb::arg("handle"), nb::arg("externals"), nb::arg("guards"),
        "One run, with the GIL released; results are written into the externals.");
  m.def(
      "set_timing", [](Executable& e, bool on) { e.set_timing(on); }, nb::arg("handle"), nb::arg("on"),
      "Measure each step from now on, starting at zero; or stop.");
  m.def(
      "step_times", [](const Executable& e) { return e.step_seconds(); }, nb::arg("handle"),
      "Seconds of each step, summed over the runs since set_timing(handle, True).");
  m.def(
      "step_flops", [](const Executable& e) { return e.step_flops(); }, nb::arg("handle"),
      "Multiplications and additions of each step of one run; 0 where the kernel does not count.");
}

}  // namespace striate

namespace {

// What the module holds, for an import after the first (its name was deleted from sys.modules): classes can be made
// once only.
PyObject* g_contents = nullptr;

void fill(nb::module_& m) {
  nb::set_leak_warnings(false);  // daemon threads keep what they hold when the process ends
  striate::best_isa();           // a bad STRIATE_ISA is said now
  striate::bind_buffer(m);
  striate::bind_machine(m);
  striate::bind_programs(m);
  striate::bind_state(m);
  striate::bind_gil(m);
}

}  // namespace

NB_MODULE(_native, m) {
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
    throw nb::import_error(
        "Striate's engine cannot be loaded in a sub-interpreter: use it in the main one, or in another process.");
  }
  m.doc() = "Striate's C++ engine. Import striate.engine.native instead.";
  nb::object contents = m.attr("__dict__");
  if (g_contents != nullptr) {
    nb::dict names = nb::borrow<nb::dict>(g_contents);
    for (auto [name, value] : names) m.attr(name) = value;
    return;
  }
  if (nb::type<striate::Executable>().is_valid()) {
    throw nb::import_error(
        "Striate's engine is loaded already, from another file: this process holds two copies of it.");
  }
  fill(m);
  nb::dict made;
  for (auto [name, value] : nb::borrow<nb::dict>(contents)) {
    if (nb::cast<std::string>(name)[0] != '_') made[name] = value;
  }
  g_contents = made.release().ptr();
}
