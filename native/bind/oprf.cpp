#include "unseen/oprf.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kBlock = 16;

Out<std::uint8_t> add_scaled(bool gf96, const In<std::uint8_t, 3>& base, const In<std::uint8_t, 2>& factors,
                             const In<std::uint8_t, 2>& scalar) {
    const std::size_t rows = base.shape(0), values = base.shape(1);
    if (base.shape(2) != kBlock || factors.shape(1) != kBlock || scalar.shape(1) != kBlock)
        throw nb::value_error("blocks have 16 bytes");
    if (factors.shape(0) != rows || scalar.shape(0) != values)
        throw nb::value_error("one factor a row, and as many blocks of the scalar as a row has");
    auto out = make<std::uint8_t>({rows, values, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(add_scaled)(gf96, base.data(), factors.data(), scalar.data(), values, rows, out.data());
    return out;
}

}  // namespace

void bind_oprf(nb::module_& module) {
    module.def("add_scaled", &add_scaled, nb::arg("gf96"), nb::arg("base"), nb::arg("factors"), nb::arg("scalar"),
               "base ^ factors * scalar, row by row.");
}

}  // namespace unseen::bind
