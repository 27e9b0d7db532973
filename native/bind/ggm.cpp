#include "unseen/ggm.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Bytes2 = In<std::uint8_t, 2>;

GgmShape shape_of(std::size_t trees, unsigned depth, unsigned width, bool tweaked, bool truncated) {
    if (depth < 1 || depth > 24) throw nb::value_error("a tree has 1 to 24 levels");
    if (width > 2) throw nb::value_error("a leaf gives at most two values");
    if (trees >> (60 - depth)) throw nb::value_error("so many trees are not possible");
    return {trees, depth, width, tweaked, truncated};
}

void require(bool right, const char* what) {
    if (!right) throw nb::value_error(what);
}

nb::tuple expand(const Bytes2& keys, const Bytes2& roots, const In<std::uint8_t, 1>& delta, unsigned depth,
                 unsigned width, bool tweaked, bool truncated) {
    const GgmShape shape = shape_of(roots.shape(0), depth, width, tweaked, truncated);
    require(keys.shape(0) == 3 && keys.shape(1) == 16, "three keys of 16 bytes are due");
    require(roots.shape(1) == 16 && delta.shape(0) == 16, "a block has 16 bytes");
    auto rows = make<std::uint8_t>({shape.trees << depth, width < 2 ? 1 : width, 16});
    auto sums = make<std::uint8_t>({shape.trees, depth, 16});
    auto totals = make<std::uint8_t>({shape.trees, width, 16});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(ggm_expand)(shape, keys.data(), roots.data(), delta.data(), rows.data(), sums.data(), totals.data());
    }
    return nb::make_tuple(rows, sums, totals);
}

Out<std::uint8_t> puncture(const Bytes2& keys, const In<std::uint8_t, 3>& sums, const In<std::uint64_t, 1>& positions,
                           const In<std::uint8_t, 3>& corrections, const Bytes2& noise, bool tweaked, bool truncated) {
    const auto depth = static_cast<unsigned>(sums.shape(1));
    const auto width = static_cast<unsigned>(corrections.shape(1));
    const GgmShape shape = shape_of(sums.shape(0), depth, width, tweaked, truncated);
    require(keys.shape(0) == 3 && keys.shape(1) == 16, "three keys of 16 bytes are due");
    require(sums.shape(2) == 16 && corrections.shape(2) == 16 && noise.shape(1) == 16, "a block has 16 bytes");
    require(positions.shape(0) == shape.trees && corrections.shape(0) == shape.trees && noise.shape(0) == shape.trees,
            "there is one position, one row of corrections and one noise value for every tree");
    for (std::size_t i = 0; i < shape.trees; ++i)
        require(positions.data()[i] >> depth == 0, "a position lies outside its tree");
    auto rows = make<std::uint8_t>({shape.trees << depth, 1 + width, 16});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ggm_puncture)(shape, keys.data(), sums.data(), positions.data(), corrections.data(), noise.data(), rows.data());
    return rows;
}

Out<std::uint8_t> fold_marked(const In<std::uint8_t, 1>& key, const Bytes2& rows) {
    require(key.shape(0) == 16 && rows.shape(1) == 16, "a block has 16 bytes");
    auto out = make<std::uint8_t>({2, 16});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ggm_fold)(key.data(), rows.data(), rows.shape(0), 0, out.data());
    return out;
}

Out<std::uint8_t> fold(const In<std::uint8_t, 1>& key, const In<std::uint8_t, 3>& rows) {
    require(key.shape(0) == 16 && rows.shape(2) == 16, "a block has 16 bytes");
    require(rows.shape(1) >= 1 && rows.shape(1) <= 3, "a row has one to three blocks");
    auto out = make<std::uint8_t>({rows.shape(1), 16});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ggm_fold)(key.data(), rows.data(), rows.shape(0), rows.shape(1), out.data());
    return out;
}

Out<std::uint8_t> pack(const Bytes2& rows, unsigned field) {
    require(rows.shape(1) == 16, "a block has 16 bytes");
    require(field == 128 || field == 96, "the field has 2^128 or 2^96 elements");
    require(rows.shape(0) % field == 0, "an element is made of as many rows as it has bits");
    const std::size_t count = rows.shape(0) / field;
    auto out = make<std::uint8_t>({count, 16});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ggm_pack)(rows.data(), count, field, out.data());
    return out;
}

}  // namespace

void bind_ggm(nb::module_& module) {
    module.def("ggm_expand", &expand, "All leaves of trees, the sums of their levels and of their values.");
    module.def("ggm_puncture", &puncture, "All leaves but one of trees.");
    module.def("ggm_pack", &pack, "Field elements from as many rows as they have bits.");
    module.def("ggm_fold_marked", &fold_marked, "The same of rows and of their lowest bits.");
    module.def("ggm_fold", &fold, "A pseudo-random linear combination over GF(2^128).");
}

}  // namespace unseen::bind
