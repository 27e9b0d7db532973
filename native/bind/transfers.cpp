#include "unseen/transfers.hpp"

#include <nanobind/stl/optional.h>

#include <optional>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kBlock = 16, kWord = 64, kPlaces = 3, kMostLeaves = 21;
using Rows = In<std::uint8_t, 2>;
using One = In<std::uint8_t, 1>;
using Words = In<std::uint64_t, 1>;

void check_rows(const Rows& rows, std::size_t count) {
    if (rows.shape(1) != kBlock) throw nb::value_error("rows are 16 bytes each");
    if (rows.shape(0) != count) throw nb::value_error("there is another number of rows than of choices");
}

const std::uint8_t* one_block(const One& block) {
    if (block.shape(0) != kBlock) throw nb::value_error("a block is 16 bytes");
    return block.data();
}

Out<std::uint64_t> planes(const Rows& rows, std::size_t width, const std::optional<One>& delta) {
    const std::size_t n = rows.shape(0);
    check_rows(rows, n);
    if (n % kWord != 0) throw nb::value_error("rows come 64 at a time");
    if (width == 0 || width > kWord) throw nb::value_error("a pad has 1 to 64 bits");
    const auto* other = delta ? one_block(*delta) : nullptr;
    auto out = make<std::uint64_t>({std::size_t{other ? 2U : 1U}, width, n / kWord});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash_planes)(rows.data(), n, other, width, out.data());
    return out;
}

void check_leaves(std::size_t leaves) {
    if (leaves == 0 || leaves > kMostLeaves) throw nb::value_error("a word has 1 to 21 leaves");
}

nb::tuple offer_carries(const Rows& rows, const One& delta, const Words& words, std::size_t leaves) {
    check_leaves(leaves);
    const std::size_t n = words.shape(0);
    check_rows(rows, kPlaces * leaves * n);
    const auto* other = one_block(delta);
    auto offers = make<std::uint16_t>({n, leaves});
    auto generate = make<std::uint64_t>({leaves, (n + kWord - 1) / kWord});
    auto propagate = make<std::uint64_t>({leaves, (n + kWord - 1) / kWord});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(carry_offer)
        (rows.data(), other, words.data(), n, leaves, offers.data(), generate.data(), propagate.data());
    }
    return nb::make_tuple(offers, generate, propagate);
}

nb::tuple take_carries(const Rows& rows, const Words& words, const In<std::uint16_t, 2>& offers) {
    const std::size_t n = words.shape(0), leaves = offers.shape(1);
    check_leaves(leaves);
    check_rows(rows, kPlaces * leaves * n);
    if (offers.shape(0) != n) throw nb::value_error("there is another number of offers than of words");
    auto generate = make<std::uint64_t>({leaves, (n + kWord - 1) / kWord});
    auto propagate = make<std::uint64_t>({leaves, (n + kWord - 1) / kWord});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(carry_take)
        (rows.data(), words.data(), n, leaves, offers.data(), generate.data(), propagate.data());
    }
    return nb::make_tuple(generate, propagate);
}

std::size_t bytes_of(int bits, int ring) {
    const std::size_t bytes = product_bytes(bits, ring);
    if (bytes == 0) throw nb::value_error("products are of 1 to `ring` bits modulo 2^ring, ring at most 64");
    return bytes;
}

nb::tuple offer_products(const Rows& rows, const One& delta, const In<std::uint64_t, 2>& words, int bits, int ring) {
    const std::size_t bytes = bytes_of(bits, ring), n = words.shape(0), width = words.shape(1);
    check_rows(rows, static_cast<std::size_t>(bits) * n);
    const auto* other = one_block(delta);
    auto offers = make<std::uint8_t>({n, width, bytes});
    auto share = make<std::uint64_t>({n, width});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(product_offer)
        (rows.data(), other, words.data(), n, width, bits, ring, offers.data(), share.data());
    }
    return nb::make_tuple(offers, share);
}

Out<std::uint64_t> take_products(const Rows& rows, const Words& numbers, const In<std::uint8_t, 3>& offers, int bits,
                                 int ring) {
    const std::size_t bytes = bytes_of(bits, ring), n = numbers.shape(0), width = offers.shape(1);
    check_rows(rows, static_cast<std::size_t>(bits) * n);
    if (offers.shape(0) != n || offers.shape(2) != bytes) throw nb::value_error("the offers have another shape");
    auto share = make<std::uint64_t>({n, width});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(product_take)
    (rows.data(), numbers.data(), n, width, bits, ring, offers.data(), share.data());
    return share;
}

}  // namespace

void bind_transfers(nb::module_& module) {
    module.def("hash_planes", &planes, nb::arg("rows"), nb::arg("width"), nb::arg("delta").none());
    module.def("offer_carries", &offer_carries, nb::arg("rows"), nb::arg("delta"), nb::arg("words"), nb::arg("leaves"));
    module.def("take_carries", &take_carries, nb::arg("rows"), nb::arg("words"), nb::arg("offers"));
    module.def("offer_products", &offer_products, nb::arg("rows"), nb::arg("delta"), nb::arg("words"), nb::arg("bits"),
               nb::arg("ring"));
    module.def("take_products", &take_products, nb::arg("rows"), nb::arg("numbers"), nb::arg("offers"),
               nb::arg("bits"), nb::arg("ring"));
}

}  // namespace unseen::bind
