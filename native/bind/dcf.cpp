#include "unseen/dcf.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kBlock = 16;

DcfShape shape_of(std::size_t keys, unsigned bits) {
    if (bits < 1 || bits > 64) throw nb::value_error("points have 1 to 64 bits");
    return {keys, bits};
}

void require(bool right, const char* what) {
    if (!right) throw nb::value_error(what);
}

void inside(const std::uint64_t* values, std::size_t count, unsigned bits) {
    for (std::size_t i = 0; bits < 64 && i < count; ++i)
        require(values[i] >> bits == 0, "a point or threshold has more bits than were said");
}

Out<std::uint8_t> generate(const In<std::uint8_t, 3>& roots, const In<std::uint64_t, 1>& thresholds, unsigned bits) {
    const DcfShape shape = shape_of(thresholds.shape(0), bits);
    require(roots.shape(0) == 2 && roots.shape(1) == shape.keys && roots.shape(2) == kBlock,
            "roots have shape (2, keys, 16)");
    inside(thresholds.data(), shape.keys, bits);
    auto words = make<std::uint8_t>({shape.keys, shape.levels() + 1, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(dcf_generate)(shape, roots.data(), thresholds.data(), words.data());
    return words;
}

Out<std::uint8_t> evaluate(const In<std::uint8_t, 2>& roots, const In<std::uint8_t, 3>& words,
                           const In<std::uint64_t, 2>& points, unsigned bits, bool second) {
    const DcfShape shape = shape_of(points.shape(1), bits);
    require(roots.shape(0) == shape.keys && roots.shape(1) == kBlock, "roots have shape (keys, 16)");
    require(words.shape(0) == shape.keys && words.shape(1) == shape.levels() + 1 && words.shape(2) == kBlock,
            "words have shape (keys, levels + 1, 16)");
    inside(points.data(), points.shape(0) * shape.keys, bits);
    auto out = make<std::uint8_t>({points.shape(0), shape.keys});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(dcf_evaluate)
    (shape, second, roots.data(), words.data(), points.data(), points.shape(0), out.data());
    return out;
}

}  // namespace

void bind_dcf(nb::module_& module) {
    module.def("dcf_generate", &generate, nb::arg("roots"), nb::arg("thresholds"), nb::arg("bits"));
    module.def("dcf_evaluate", &evaluate, nb::arg("roots"), nb::arg("words"), nb::arg("points"), nb::arg("bits"),
               nb::arg("second"));
}

}  // namespace unseen::bind
