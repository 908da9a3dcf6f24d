// From Python's tuples to the engine's structures. What comes out has the right form; the engine checks what it says.
#include "bind/decode.h"

#include <nanobind/stl/string.h>

#include <stdexcept>
#include <vector>

namespace nb = nanobind;

namespace striate {
namespace {

nb::object item(nb::handle from, size_t i) { return nb::borrow<nb::sequence>(from)[i]; }

int64_t integer(nb::handle h, const char* what) {
  int64_t value = 0;
  if (!nb::try_cast(h, value)) refuse(std::string("expected an integer as ") + what);
  return value;
}

uint64_t size_of(nb::handle h, const char* what) {
  const int64_t value = integer(h, what);
  if (value < 0) refuse(std::string("expected 0 or more as ") + what + "; received " + std::to_string(value));
  return static_cast<uint64_t>(value);
}

void need_length(nb::handle h, size_t n, const char* what) {
  if (!PySequence_Check(h.ptr()) || nb::len(h) != n) refuse(std::string("expected ") + what);
}

int32_t add_operands(nb::handle list, OwnedSpec* spec) {
  int32_t n = 0;
  for (nb::handle operand : list) {
    need_length(operand, 2, "(dtype code, dims) as an operand");
    std::vector<int64_t> dims;
    for (nb::handle length : item(operand, 1)) dims.push_back(integer(length, "an axis length"));
    spec->add_operand(integer(item(operand, 0), "a dtype code"), dims);
    ++n;
  }
  return n;
}

}  // namespace

OwnedSpec decode_spec(nb::handle h) {
  need_length(h, 4, "(inputs, outputs, ints, floats) as a spec");
  OwnedSpec spec;
  spec.n_inputs = add_operands(item(h, 0), &spec);
  spec.n_outputs = add_operands(item(h, 1), &spec);
  for (nb::handle value : item(h, 2)) spec.ints.push_back(integer(value, "an integer attribute"));
  for (nb::handle value : item(h, 3)) {
    double number;
    if (!nb::try_cast(value, number)) refuse("expected a number as a float attribute");
    spec.floats.push_back(number);
  }
  return spec;
}

namespace {

StepDecl decode_step(nb::handle h) {
  need_length(h, 4, "(kernel, operands, spec, guard) as a step");
  StepDecl step;
  if (!nb::try_cast(item(h, 0), step.kernel)) refuse("expected a kernel's name");
  for (nb::handle place : item(h, 1)) {
    need_length(place, 2, "(base, byte offset) as an operand's place");
    step.places.push_back({integer(item(place, 0), "a base"), size_of(item(place, 1), "a byte offset")});
  }
  step.spec = decode_spec(item(h, 2));
  step.guard = integer(item(h, 3), "a guard");
  return step;
}

}  // namespace

ProgramDecl decode_program(nb::dict d) {
  for (const char* key : {"arena_bytes", "externals", "steps"}) {
    if (!d.contains(key)) refuse(std::string("a program needs the key ") + key);
  }
  ProgramDecl program;
  program.arena_bytes = size_of(d["arena_bytes"], "arena_bytes");
  for (nb::handle external : d["externals"]) {
    need_length(external, 2, "(bytes, access) as an external");
    const int64_t access = integer(item(external, 1), "an external's access");
    if (access < 0 || access > 2) refuse("expected 0 (read), 1 (written) or 2 (state) as an external's access");
    program.externals.push_back({size_of(item(external, 0), "an external's bytes"), access > 0, access == 2});
  }
  for (nb::handle step : d["steps"]) {
    try {
      program.steps.push_back(decode_step(step));
    } catch (const std::invalid_argument& error) {
      refuse("step " + std::to_string(program.steps.size()) + ": " + error.what());
    }
  }
  return program;
}

}  // namespace striate
