// What the binding files share: array types and how a result is owned.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>

namespace unseen::bind {

namespace nb = nanobind;

// Read-only C-contiguous arrays; nanobind copies what is not contiguous and refuses another dtype or rank.
template <typename T, std::size_t Rank>
using In = nb::ndarray<const T, nb::numpy, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;

// Arrays that are written in place: never copied.
template <typename T, std::size_t Rank>
using InOut = nb::ndarray<T, nb::numpy, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;

template <typename T>
using Out = nb::ndarray<T, nb::numpy, nb::c_contig>;

// A new array of that shape, uninitialised and 64-byte aligned, owned by Python; write to .data().
template <typename T>
Out<T> make(std::initializer_list<std::size_t> shape) {
    std::size_t count = 1;
    for (const auto extent : shape) count *= extent;
    auto* data = static_cast<T*>(::operator new(count * sizeof(T) + 1, std::align_val_t{64}));
    nb::capsule owner(data, [](void* p) noexcept { ::operator delete(p, std::align_val_t{64}); });
    return Out<T>(data, shape, owner);
}

// One per file; called by module.cpp.
void bind_blocks(nb::module_& module);
void bind_ring(nb::module_& module);

}  // namespace unseen::bind
