#include "unseen/montgomery.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Limbs = In<std::uint64_t, 2>;

constexpr std::uint64_t kLimit = std::uint64_t{1} << 52;
constexpr std::size_t kMostWidth = 128;

// Three rows: n, R mod n, R^2 mod n.
Montgomery modulus_of(const Limbs& constants) {
    const std::size_t limbs = constants.shape(1);
    if (constants.shape(0) != 3 || limbs < 1 || limbs > kMontgomeryLimbs)
        throw nb::value_error("a modulus is three rows of 1 to 128 limbs");
    const std::uint64_t* data = constants.data();
    for (std::size_t k = 0; k < 3 * limbs; ++k)
        if (data[k] >= kLimit) throw nb::value_error("a limb has 52 bits");
    if (data[0] % 2 == 0 || data[limbs - 1] >= kLimit / 4) throw nb::value_error("a modulus is odd and has two bits to spare");
    return {data, data + limbs, data + 2 * limbs, limbs};
}

void require_limbs(const Montgomery& m, const Limbs& rows) {
    if (rows.shape(1) != m.limbs) throw nb::value_error("the rows have other than the modulus' limbs");
}

void require_width(std::size_t width) {
    if (width < 1 || width > kMostWidth) throw nb::value_error("a number has 1 to 128 words");
}

nb::tuple enter(const Limbs& constants, const Limbs& words) {
    const Montgomery m = modulus_of(constants);
    const std::size_t count = words.shape(0), width = words.shape(1);
    require_width(width);
    auto out = make<std::uint64_t>({count, m.limbs});
    auto flags = make<std::uint8_t>({count});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(montgomery_enter)(m, words.data(), width, out.data(), flags.data(), count);
    }
    return nb::make_tuple(out, flags);
}

Out<std::uint64_t> leave(const Limbs& constants, const Limbs& rows, std::size_t width) {
    const Montgomery m = modulus_of(constants);
    require_limbs(m, rows);
    require_width(width);
    auto out = make<std::uint64_t>({rows.shape(0), width});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(montgomery_leave)(m, rows.data(), out.data(), width, rows.shape(0));
    return out;
}

Out<std::uint64_t> multiply(const Limbs& constants, const Limbs& left, const Limbs& right) {
    const Montgomery m = modulus_of(constants);
    require_limbs(m, left);
    require_limbs(m, right);
    const std::size_t count = left.shape(0);
    if (right.shape(0) != count && right.shape(0) != 1) throw nb::value_error("as many rows on either side, or one row");
    auto out = make<std::uint64_t>({count, m.limbs});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(montgomery_multiply)
    (m, left.data(), right.data(), right.shape(0) == count ? m.limbs : 0, out.data(), count);
    return out;
}

Out<std::uint64_t> products(const Limbs& constants, const Limbs& table, const In<std::int64_t, 1>& order,
                            const In<std::int64_t, 1>& starts) {
    const Montgomery m = modulus_of(constants);
    require_limbs(m, table);
    if (starts.shape(0) < 1) throw nb::value_error("a start for each segment, and the end of the last");
    const std::size_t segments = starts.shape(0) - 1;
    std::int64_t last = 0;
    for (std::size_t s = 0; s <= segments; ++s) {
        if (starts.data()[s] < last) throw nb::value_error("segments follow one another");
        last = starts.data()[s];
    }
    if (static_cast<std::uint64_t>(last) > order.shape(0)) throw nb::value_error("a segment ends behind the last factor");
    for (std::size_t i = 0; i < order.shape(0); ++i)
        if (static_cast<std::uint64_t>(order.data()[i]) >= table.shape(0)) throw nb::value_error("there is no such row");
    auto out = make<std::uint64_t>({segments, m.limbs});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(montgomery_products)(m, table.data(), order.data(), starts.data(), segments, out.data());
    return out;
}

Out<std::uint64_t> square(const Limbs& constants, const Limbs& base, std::size_t squarings) {
    const Montgomery m = modulus_of(constants);
    require_limbs(m, base);
    if (squarings > 1 << 16) throw nb::value_error("at most 65536 squarings");
    auto out = make<std::uint64_t>({base.shape(0), m.limbs});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(montgomery_square)(m, base.data(), squarings, out.data(), base.shape(0));
    return out;
}

Out<std::uint64_t> power(const Limbs& constants, const Limbs& base, const In<std::uint64_t, 1>& exponent) {
    const Montgomery m = modulus_of(constants);
    require_limbs(m, base);
    require_width(exponent.shape(0));
    auto out = make<std::uint64_t>({base.shape(0), m.limbs});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(montgomery_power)(m, base.data(), exponent.data(), exponent.shape(0), out.data(), base.shape(0));
    return out;
}

}  // namespace

void bind_montgomery(nb::module_& module) {
    module.def("montgomery_enter", &enter, nb::arg("constants"), nb::arg("words"));
    module.def("montgomery_leave", &leave, nb::arg("constants"), nb::arg("rows"), nb::arg("width"));
    module.def("montgomery_multiply", &multiply, nb::arg("constants"), nb::arg("left"), nb::arg("right"));
    module.def("montgomery_products", &products, nb::arg("constants"), nb::arg("table"), nb::arg("order"),
               nb::arg("starts"));
    module.def("montgomery_square", &square, nb::arg("constants"), nb::arg("base"), nb::arg("squarings"));
    module.def("montgomery_power", &power, nb::arg("constants"), nb::arg("base"), nb::arg("exponent"));
}

}  // namespace unseen::bind
