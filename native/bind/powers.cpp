#include "bind.hpp"
#include "unseen/powers.hpp"

namespace unseen::bind {
namespace {

using Words = In<std::uint64_t, 1>;

constexpr int kWhole = 6, kMostKept = 30;

void check(int bits, int kept) {
    if (bits < 1 || bits + kWhole > 64) throw nb::value_error("there are 1 to 58 fraction bits");
    if (kept < 1 || kept > kMostKept) throw nb::value_error("1 to 30 bits are kept");
}

Out<std::uint64_t> of_fraction(const Words& x, int bits, int kept) {
    check(bits, kept);
    auto out = make<std::uint64_t>({x.shape(0)});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(powers_of_fraction)(x.data(), x.shape(0), bits, kept, out.data());
    return out;
}

Out<std::uint64_t> factors(const Words& r, int bits, int kept) {
    check(bits, kept);
    auto out = make<std::uint64_t>({kPowerRows, r.shape(0)});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(power_factors)(r.data(), r.shape(0), bits, kept, out.data());
    return out;
}

Out<std::uint64_t> products(const Words& c, int bits, int kept, const In<std::uint64_t, 2>& factors) {
    check(bits, kept);
    const std::size_t n = c.shape(0);
    if (factors.shape(0) != kPowerRows || factors.shape(1) != n) throw nb::value_error("the factors have another shape");
    auto out = make<std::uint64_t>({2, n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(power_products)(c.data(), n, bits, kept, factors.data(), out.data(), out.data() + n);
    return out;
}

}  // namespace

void bind_powers(nb::module_& module) {
    module.def("powers_of_fraction", &of_fraction, nb::arg("x"), nb::arg("bits"), nb::arg("kept"),
               "Powers of two of fractions.");
    module.def("power_factors", &factors, nb::arg("r"), nb::arg("bits"), nb::arg("kept"), "Factors of 2^-r.");
    module.def("power_products", &products, nb::arg("c"), nb::arg("bits"), nb::arg("kept"), nb::arg("factors"),
               "2^(c - r) from the factors of 2^-r, as a product of two.");
}

}  // namespace unseen::bind
