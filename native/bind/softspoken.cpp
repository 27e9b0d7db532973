#include "unseen/softspoken.hpp"

#include <nanobind/stl/optional.h>

#include <cstring>
#include <optional>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kBlock = 16, kSide = 128;
using Keys = In<std::uint8_t, 3>;
using Planes = In<std::uint8_t, 3>;
using Rows = In<std::uint8_t, 2>;
using One = In<std::uint8_t, 1>;

// Bits of a leaf's number.
int bits_of(const Keys& keys) {
    for (const int bits : {2, 4, 8})
        if (keys.shape(0) * static_cast<std::size_t>(bits) == kSide && keys.shape(1) == std::size_t{1} << bits &&
            keys.shape(2) == kBlock)
            return bits;
    throw nb::value_error("keys have shape (128 / k, 2^k, 16) for k = 2, 4 or 8");
}

const std::uint8_t* one_block(const One& block) {
    if (block.shape(0) != kBlock) throw nb::value_error("a block is 16 bytes");
    return block.data();
}

void check_rows(const InOut<std::uint8_t, 2>& rows, std::size_t blocks) {
    if (rows.shape(0) != kSide * blocks || rows.shape(1) != kBlock) throw nb::value_error("rows are 128 to a block");
}

nb::tuple receive(const Keys& keys, std::uint64_t first, const InOut<std::uint8_t, 2>& rows, const std::optional<Rows>& choices) {
    const int bits = bits_of(keys);
    const std::size_t blocks = rows.shape(0) / kSide;
    check_rows(rows, blocks);
    const bool chosen = choices.has_value();
    if (chosen && (choices->shape(0) != blocks || choices->shape(1) != kBlock))
        throw nb::value_error("choices are one block per 128 transfers");
    auto u = make<std::uint8_t>({blocks, kBlock});
    auto corrections = make<std::uint8_t>({keys.shape(0) - (chosen ? 0 : 1), blocks, kBlock});
    {
        const nb::gil_scoped_release release;
        if (chosen && blocks > 0) std::memcpy(u.data(), choices->data(), kBlock * blocks);
        UNSEEN_CHOOSE(softspoken_receive)(keys.data(), bits, first, blocks, chosen, u.data(), corrections.data(), rows.data());
    }
    return nb::make_tuple(u, corrections);
}

void send(const Keys& keys, const One& delta, std::uint64_t first, const Planes& corrections, const InOut<std::uint8_t, 2>& rows) {
    const int bits = bits_of(keys);
    const auto* secret = one_block(delta);
    const std::size_t trees = keys.shape(0), sent = corrections.shape(0), blocks = corrections.shape(1);
    if ((sent != trees && sent != trees - 1) || corrections.shape(2) != kBlock)
        throw nb::value_error("corrections are blocks for every tree, or for every tree but the first");
    check_rows(rows, blocks);
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(softspoken_send)(keys.data(), bits, secret, first, blocks, sent == trees, corrections.data(), rows.data());
}

Out<std::uint8_t> fold(const One& seed, std::uint64_t first, const Rows& rows) {
    const auto* key = one_block(seed);
    if (rows.shape(1) != kBlock || rows.shape(0) % kSide != 0)
        throw nb::value_error("rows are 16 bytes each and a multiple of 128");
    auto out = make<std::uint8_t>({kSide, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(softspoken_fold)(key, first, rows.data(), rows.shape(0) / kSide, out.data());
    return out;
}

}  // namespace

void bind_softspoken(nb::module_& module) {
    module.def("softspoken_receive", &receive, nb::arg("keys"), nb::arg("first"), nb::arg("rows"),
               nb::arg("choices").none());
    module.def("softspoken_send", &send, nb::arg("keys"), nb::arg("delta"), nb::arg("first"), nb::arg("corrections"),
               nb::arg("rows"));
    module.def("softspoken_fold", &fold, nb::arg("seed"), nb::arg("first"), nb::arg("rows"));
}

}  // namespace unseen::bind
