// From Python's tuples to the engine's structures; the form is that of src/striate/engine/_native.pyi.
#pragma once

#include <nanobind/nanobind.h>

#include <stdexcept>
#include <string>

#include "engine/program.h"

namespace striate {

[[noreturn]] inline void refuse(const std::string& why) { throw std::invalid_argument(why); }  // ValueError in Python

OwnedSpec decode_spec(nanobind::handle spec);
ProgramDecl decode_program(nanobind::dict program);

}  // namespace striate
