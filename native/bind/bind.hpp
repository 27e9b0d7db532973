// What the binding files share: array types and how a result is owned.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>

namespace unseen::bind {

namespace nb = nanobind;

// Read-only C-contiguous arrays: what is not contiguous is copied, another dtype or rank is a TypeError. (nanobind's own
// array would convert the dtype, so that 1.7 or 2^32 + 1 would quietly become an index of 1.)
template <typename T, std::size_t Rank>
struct In : nb::ndarray<const T, nb::numpy, nb::ndim<Rank>, nb::c_contig, nb::device::cpu> {};

// Arrays that are written in place: never copied.
template <typename T, std::size_t Rank>
struct InOut : nb::ndarray<T, nb::numpy, nb::ndim<Rank>, nb::c_contig, nb::device::cpu> {};

template <typename T>
using Out = nb::ndarray<T, nb::numpy, nb::c_contig>;

// Memory for a result, 64-byte aligned; give it back with release(). See memory.cpp.
void* allocate(std::size_t bytes);
void release(void* data) noexcept;

// The same for NumPy's arrays, not aligned if they are small: null if there is no memory.
void* allocate_array(std::size_t bytes, bool zeros) noexcept;
void* resize_array(void* data, std::size_t bytes) noexcept;

// A new array of that shape, uninitialised, owned by Python; write to .data().
template <typename T>
Out<T> make(std::initializer_list<std::size_t> shape) {
    std::size_t count = 1;
    for (const auto extent : shape) count *= extent;
    auto* data = static_cast<T*>(allocate(count * sizeof(T)));
    nb::capsule owner(data, [](void* p) noexcept { release(p); });
    return Out<T>(data, shape, owner);
}

// One per file; called by module.cpp.
void bind_arrays(nb::module_& module);
void bind_blocks(nb::module_& module);
void bind_garble(nb::module_& module);
void bind_ggm(nb::module_& module);
void bind_lpn(nb::module_& module);
void bind_montgomery(nb::module_& module);
void bind_ntt(nb::module_& module);
void bind_ring(nb::module_& module);
void bind_rows(nb::module_& module);
void bind_softspoken(nb::module_& module);
void bind_dcf(nb::module_& module);
void bind_curve(nb::module_& module);
void bind_cuckoo(nb::module_& module);
void bind_okvs(nb::module_& module);
void bind_shares(nb::module_& module);
void bind_oprf(nb::module_& module);
void bind_network(nb::module_& module);
void bind_shuffle(nb::module_& module);
void bind_additive(nb::module_& module);
void bind_tags(nb::module_& module);
void bind_tally(nb::module_& module);
void bind_transfers(nb::module_& module);
void bind_partition(nb::module_& module);
void bind_powers(nb::module_& module);

}  // namespace unseen::bind

namespace nanobind::detail {

template <typename T, std::size_t Rank>
struct type_caster<unseen::bind::In<T, Rank>> {
    using Array = ndarray<const T, numpy, ndim<Rank>, c_contig, device::cpu>;
    using AnyOrder = ndarray<const T, numpy, ndim<Rank>, device::cpu>;
    using Given = unseen::bind::In<T, Rank>;
    NB_TYPE_CASTER(Given, make_caster<Array>::Name)

    template <typename Flags>
    bool from_python(handle source, Flags flags, cleanup_list* cleanup) noexcept {
        const auto as_is = static_cast<Flags>(flags & ~static_cast<Flags>(cast_flags::convert));
        make_caster<AnyOrder> any;
        make_caster<Array> contiguous;
        if (!any.from_python(source, as_is, cleanup) || !contiguous.from_python(source, flags, cleanup)) return false;
        static_cast<Array&>(value) = std::move(contiguous.value);
        return true;
    }
};

template <typename T, std::size_t Rank>
struct type_caster<unseen::bind::InOut<T, Rank>> {
    using Array = ndarray<T, numpy, ndim<Rank>, c_contig, device::cpu>;
    using Given = unseen::bind::InOut<T, Rank>;
    NB_TYPE_CASTER(Given, make_caster<Array>::Name)

    template <typename Flags>
    bool from_python(handle source, Flags flags, cleanup_list* cleanup) noexcept {
        make_caster<Array> array;
        if (!array.from_python(source, static_cast<Flags>(flags & ~static_cast<Flags>(cast_flags::convert)), cleanup))
            return false;
        static_cast<Array&>(value) = std::move(array.value);
        return true;
    }
};

}  // namespace nanobind::detail
