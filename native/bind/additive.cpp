#include "unseen/additive.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Words = In<std::uint64_t, 1>;
using Bits = In<std::uint8_t, 1>;

void require(bool right, const char* what) {
    if (!right) throw nb::value_error(what);
}

bool fits(const Bits& bits, std::size_t n) { return bits.shape(0) == (n + 7) / 8; }

Out<std::uint64_t> product(const Words& c, const Words& a, const Words& b, const Words& d, const Words& e, bool leads) {
    const std::size_t n = c.shape(0);
    require(a.shape(0) == n && b.shape(0) == n && d.shape(0) == n && e.shape(0) == n, "the shares have different lengths");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(beaver_product)(c.data(), a.data(), b.data(), d.data(), e.data(), leads, out.data(), n);
    return out;
}

Out<std::uint64_t> conjunction(const Words& c, const Words& a, const Words& b, const Words& d, const Words& e, bool leads) {
    const std::size_t n = c.shape(0);
    require(a.shape(0) == n && b.shape(0) == n && d.shape(0) == n && e.shape(0) == n, "the shares have different lengths");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(beaver_and)(c.data(), a.data(), b.data(), d.data(), e.data(), leads, out.data(), n);
    return out;
}

Out<std::uint64_t> lifted(const Words& dealt, const Bits& opened, bool leads) {
    const std::size_t n = dealt.shape(0);
    require(fits(opened, n), "the bits have another length");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(lifted_bits)(dealt.data(), opened.data(), leads, out.data(), n);
    return out;
}

Out<std::uint64_t> chosen(const Words& x, const Words& rho, const Words& product, const Words& e, const Bits& v) {
    const std::size_t n = x.shape(0);
    require(rho.shape(0) == n && product.shape(0) == n && e.shape(0) == n && fits(v, n), "the parts have another length");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(selected)(x.data(), rho.data(), product.data(), e.data(), v.data(), out.data(), n);
    return out;
}

nb::tuple tops(const Words& share, const Words& offset, const Bits& mask, bool leads) {
    const std::size_t n = share.shape(0);
    require(offset.shape(0) == n && fits(mask, n), "offset and mask have another length");
    auto moved = make<std::uint64_t>({n});
    auto hidden = make<std::uint8_t>({(n + 7) / 8});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(moved_tops)(share.data(), offset.data(), mask.data(), leads, moved.data(), hidden.data(), n);
    }
    return nb::make_tuple(moved, hidden);
}

Out<std::uint64_t> wrapped(const Words& moved, int drop, const In<std::uint32_t, 1>& both, const Bits& own, const Bits& ours,
                           const Bits& theirs, bool leads) {
    const std::size_t n = moved.shape(0);
    require(drop >= 1 && drop <= 32, "1 to 32 bits are cut off");
    require(both.shape(0) == n && fits(own, n) && fits(ours, n) && fits(theirs, n), "the parts have another length");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(without_wrap)
    (moved.data(), drop, both.data(), own.data(), ours.data(), theirs.data(), leads, out.data(), n);
    return out;
}

}  // namespace

void bind_additive(nb::module_& module) {
    module.def("beaver_product", &product, "Beaver's product of additive shares.");
    module.def("beaver_and", &conjunction, "The same of bits.");
    module.def("lifted_bits", &lifted, "Bits as numbers, from opened bits and dealt numbers.");
    module.def("selected", &chosen, nb::arg("x"), nb::arg("rho"), nb::arg("product"), nb::arg("e"), nb::arg("v"),
               "Words where secret bits are 1, else 0.");
    module.def("moved_tops", &tops, "Shares moved by a common offset, and their top bits under a mask.");
    module.def("without_wrap", &wrapped, "Quotients of moved shares, less their wrap.");
}

}  // namespace unseen::bind
