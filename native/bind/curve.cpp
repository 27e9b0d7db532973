#include "unseen/curve.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Rows = In<std::uint8_t, 2>;
using Flags = Out<std::uint8_t>;

constexpr std::size_t kRow = 32, kUniform = 64, kMostDomain = 255, kMostExpanded = 255 * 64;

void require_width(const Rows& rows, std::size_t width) {
    if (rows.shape(1) != width) throw nb::value_error("the rows have another length");
}

// 32 bytes for each of `count`, or one row for all.
std::size_t scalar_stride(const Rows& scalars, std::size_t count) {
    require_width(scalars, kRow);
    if (scalars.shape(0) == count) return kRow;
    if (scalars.shape(0) != 1) throw nb::value_error("one scalar is due, or one for each point");
    return 0;
}

Domain domain_of(const nb::bytes& domain) {
    if (domain.size() == 0 || domain.size() > kMostDomain) throw nb::value_error("a domain has 1 to 255 bytes");
    return {reinterpret_cast<const std::uint8_t*>(domain.c_str()), domain.size()};
}

Out<std::uint8_t> x25519(const Rows& scalars, const Rows& points) {
    require_width(points, kRow);
    const std::size_t count = points.shape(0), stride = scalar_stride(scalars, count);
    auto out = make<std::uint8_t>({count, kRow});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(x25519)(scalars.data(), stride, points.data(), out.data(), count);
    return out;
}

Flags x_on_curve(const Rows& points) {
    require_width(points, kRow);
    const std::size_t count = points.shape(0);
    auto flags = make<std::uint8_t>({count});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(x_on_curve)(points.data(), flags.data(), count);
    return flags;
}

Out<std::uint8_t> hash_to_x(const Rows& messages, const nb::bytes& domain) {
    const std::size_t count = messages.shape(0), size = messages.shape(1);
    const Domain tag = domain_of(domain);
    auto out = make<std::uint8_t>({count, kRow});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash_to_x)(messages.data(), size, tag, out.data(), count);
    return out;
}

Out<std::uint8_t> sha512(const Rows& messages, const nb::bytes& head) {
    const std::size_t count = messages.shape(0), size = messages.shape(1), head_size = head.size();
    const auto* front = reinterpret_cast<const std::uint8_t*>(head.c_str());
    auto out = make<std::uint8_t>({count, kUniform});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(sha512)(front, head_size, messages.data(), size, out.data(), count);
    return out;
}

Out<std::uint8_t> expand_message(const Rows& messages, const nb::bytes& domain, std::size_t length) {
    const std::size_t count = messages.shape(0), size = messages.shape(1);
    const Domain tag = domain_of(domain);
    if (length == 0 || length > kMostExpanded) throw nb::value_error("1 to 16320 bytes can be expanded");
    auto out = make<std::uint8_t>({count, length});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(expand_message)(messages.data(), size, tag, out.data(), length, count);
    return out;
}

Out<std::uint8_t> ristretto_map(const Rows& uniform) {
    require_width(uniform, kUniform);
    const std::size_t count = uniform.shape(0);
    auto out = make<std::uint8_t>({count, kRow});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ristretto_map)(uniform.data(), out.data(), count);
    return out;
}

nb::tuple ristretto_multiply(const Rows& scalars, const Rows& elements) {
    require_width(elements, kRow);
    const std::size_t count = elements.shape(0), stride = scalar_stride(scalars, count);
    auto out = make<std::uint8_t>({count, kRow});
    auto flags = make<std::uint8_t>({count});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(ristretto_multiply)(scalars.data(), stride, elements.data(), out.data(), flags.data(), count);
    }
    return nb::make_tuple(out, flags);
}

Out<std::uint8_t> ristretto_multiply_base(const Rows& scalars) {
    require_width(scalars, kRow);
    const std::size_t count = scalars.shape(0);
    auto out = make<std::uint8_t>({count, kRow});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ristretto_multiply_base)(scalars.data(), out.data(), count);
    return out;
}

nb::tuple ristretto_add(const Rows& left, const Rows& right, bool minus) {
    require_width(left, kRow);
    require_width(right, kRow);
    const std::size_t count = left.shape(0);
    if (right.shape(0) != count) throw nb::value_error("the numbers of elements differ");
    auto out = make<std::uint8_t>({count, kRow});
    auto flags = make<std::uint8_t>({count});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(ristretto_add)(left.data(), right.data(), minus, out.data(), flags.data(), count);
    }
    return nb::make_tuple(out, flags);
}

nb::tuple ristretto_sum(const Rows& scalars, const Rows& elements) {
    require_width(scalars, kRow);
    require_width(elements, kRow);
    const std::size_t count = elements.shape(0);
    if (scalars.shape(0) != count) throw nb::value_error("one scalar is due for each element");
    auto out = make<std::uint8_t>({1, kRow});
    auto flags = make<std::uint8_t>({count});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(ristretto_sum)(scalars.data(), elements.data(), out.data(), flags.data(), count);
    }
    return nb::make_tuple(out, flags);
}

Flags ristretto_valid(const Rows& elements) {
    require_width(elements, kRow);
    const std::size_t count = elements.shape(0);
    auto flags = make<std::uint8_t>({count});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ristretto_valid)(elements.data(), flags.data(), count);
    return flags;
}

}  // namespace

void bind_curve(nb::module_& module) {
    module.def("x25519", &x25519, nb::arg("scalars"), nb::arg("points"));
    module.def("x_on_curve", &x_on_curve, nb::arg("points"));
    module.def("hash_to_x", &hash_to_x, nb::arg("messages"), nb::arg("domain"));
    module.def("sha512", &sha512, nb::arg("messages"), nb::arg("head"));
    module.def("expand_message", &expand_message, nb::arg("messages"), nb::arg("domain"), nb::arg("length"));
    module.def("ristretto_map", &ristretto_map, nb::arg("uniform"));
    module.def("ristretto_multiply", &ristretto_multiply, nb::arg("scalars"), nb::arg("elements"));
    module.def("ristretto_multiply_base", &ristretto_multiply_base, nb::arg("scalars"));
    module.def("ristretto_add", &ristretto_add, nb::arg("left"), nb::arg("right"), nb::arg("minus"));
    module.def("ristretto_sum", &ristretto_sum, nb::arg("scalars"), nb::arg("elements"));
    module.def("ristretto_valid", &ristretto_valid, nb::arg("elements"));
}

}  // namespace unseen::bind
