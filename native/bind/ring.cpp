#include "bind.hpp"
#include "unseen/ring.hpp"

namespace unseen::bind {
namespace {

Out<std::uint64_t> matmul(const In<std::uint64_t, 2>& a, const In<std::uint64_t, 2>& b) {
    const std::size_t n = a.shape(0), k = a.shape(1), m = b.shape(1);
    if (b.shape(0) != k) throw nb::value_error("the inner dimensions differ");
    auto out = make<std::uint64_t>({n, m});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(matmul)(a.data(), b.data(), out.data(), n, k, m);
    return out;
}

void matmul_into(InOut<std::uint64_t, 2> out, const In<std::uint64_t, 2>& a, const In<std::uint64_t, 2>& b) {
    const std::size_t n = a.shape(0), k = a.shape(1), m = b.shape(1);
    if (b.shape(0) != k) throw nb::value_error("the inner dimensions differ");
    if (out.shape(0) != n || out.shape(1) != m) throw nb::value_error("the product has another shape");
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(matmul)(a.data(), b.data(), out.data(), n, k, m);
}

}  // namespace

void bind_ring(nb::module_& module) {
    module.def("matmul", &matmul, nb::arg("left"), nb::arg("right"), "Matrix product mod 2^64.");
    module.def("matmul_into", &matmul_into, nb::arg("out"), nb::arg("left"), nb::arg("right"),
               "The same, written to an array.");
}

}  // namespace unseen::bind
