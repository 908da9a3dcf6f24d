#include "bind/buffer.h"

namespace nb = nanobind;

namespace striate {
namespace {

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const AlignedBuffer* buffer = nb::inst_ptr<AlignedBuffer>(self);
  // The view holds a reference to self, so the memory outlives every array over it.
  return PyBuffer_FillInfo(view, self, buffer->data(), static_cast<Py_ssize_t>(buffer->bytes()), 0, flags);
}

PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)}, {0, nullptr}};

}  // namespace

void bind_buffer(nb::module_& m) {
  nb::class_<AlignedBuffer>(m, "AlignedBuffer", nb::type_slots(slots), nb::is_final(),
                            "Zeroed bytes on a cache line (on a huge page from 8 MB on), as a writable buffer.")
      .def(nb::init<size_t>(), nb::arg("nbytes"))
      .def_prop_ro("nbytes", &AlignedBuffer::bytes)
      .def_prop_ro("address", [](const AlignedBuffer& b) { return reinterpret_cast<uintptr_t>(b.data()); })
      .def("__len__", &AlignedBuffer::bytes);
}

}  // namespace striate
