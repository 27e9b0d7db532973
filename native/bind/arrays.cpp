// NumPy's arrays from the memory of memory.cpp, in the context (PEP 567) that asks for it: NumPy's own way, NEP 49.
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>

#include "bind.hpp"

namespace unseen::bind {
namespace {

PyDataMem_Handler handler = {
    "unseen",
    1,
    {
        nullptr,
        [](void*, std::size_t bytes) { return allocate_array(bytes, false); },
        [](void*, std::size_t count, std::size_t size) -> void* {
            std::size_t bytes = 0;
            return __builtin_mul_overflow(count, size, &bytes) ? nullptr : allocate_array(bytes, true);
        },
        [](void*, void* data, std::size_t bytes) { return resize_array(data, bytes); },
        [](void*, void* data, std::size_t) { release(data); },
    },
};

// Sets who allocates NumPy's arrays from now on in this context, None for our own memory; returns who did before.
nb::object set_arrays(const nb::object& next) {
    const auto ours = nb::steal(PyCapsule_New(&handler, "mem_handler", nullptr));
    PyObject* const before = PyDataMem_SetHandler(next.is_none() ? ours.ptr() : next.ptr());
    if (before == nullptr) throw nb::python_error();
    return nb::steal(before);
}

}  // namespace

void bind_arrays(nb::module_& module) {
    if (_import_array() < 0) throw nb::python_error();
    module.def("set_arrays", &set_arrays, nb::arg("handler").none(), "Set who allocates NumPy's arrays; None: this module.");
}

}  // namespace unseen::bind
