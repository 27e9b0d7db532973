// The only file that knows Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "unseen/ring.hpp"

namespace nb = nanobind;
using Matrix = nb::ndarray<const std::uint64_t, nb::numpy, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Result = nb::ndarray<std::uint64_t, nb::numpy, nb::ndim<2>, nb::c_contig>;

namespace {

std::atomic<unseen::MatmulKernel> chosen{unseen::matmul_portable};

void use(const std::string& name) {
    const auto kernel = unseen::matmul_kernel(name);
    if (kernel == nullptr) throw nb::value_error("this machine has no such instruction set");
    chosen = kernel;
}

Result matmul(const Matrix& a, const Matrix& b) {
    const std::size_t n = a.shape(0), k = a.shape(1), m = b.shape(1);
    if (b.shape(0) != k) throw nb::value_error("the inner dimensions differ");
    auto* data = new std::uint64_t[n * m];
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<std::uint64_t*>(p); });
    {
        nb::gil_scoped_release release;
        chosen.load()(a.data(), b.data(), data, n, k, m);
    }
    return Result(data, {n, m}, owner);
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "Native kernels; see unseen.kernels.";
    module.def("instruction_sets", &unseen::instruction_sets, "Those that this machine can run, slowest first.");
    module.def("use", &use, nb::arg("instruction_set"), "Choose one.");
    module.def("matmul", &matmul, nb::arg("left"), nb::arg("right"), "Matrix product mod 2^64.");
}
