#include "unseen/okvs.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kBlock = 16;
using Rows = In<std::uint8_t, 2>;
using One = In<std::uint8_t, 1>;

const std::uint8_t* block(const One& given) {
    if (given.shape(0) != kBlock) throw nb::value_error("a seed is 16 bytes");
    return given.data();
}

std::size_t count_of(const Rows& blocks) {
    if (blocks.shape(1) != kBlock) throw nb::value_error("blocks are rows of 16 bytes");
    if (blocks.shape(0) > 0xFFFFFFFF) throw nb::value_error("at most 2^32 - 1 rows");
    return blocks.shape(0);
}

OkvsShape shape_of(std::size_t clusters, std::size_t sparse, std::size_t dense, bool gf96) {
    if (clusters == 0 || clusters > kOkvsMost) throw nb::value_error("a store has between 1 and 2^24 clusters");
    if (sparse == 0 ? clusters != 1 || dense == 0 || dense > kOkvsBinary
                    : sparse < 3 || sparse >= kOkvsMost || dense == 0 || dense > kOkvsDense)
        throw nb::value_error("a cluster has 3 to 2^24 - 1 sparse columns and 1 to 64 dense ones, or 1 to 4096 dense ones alone");
    return {clusters, sparse, dense, gf96};
}

// Elements of GF(2^96) are blocks with four zero bytes at the end.
void check_field(const OkvsShape& shape, const std::uint8_t* blocks, std::size_t count) {
    if (!shape.gf96) return;
    std::uint8_t seen = 0;
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t b = 12; b < kBlock; ++b) seen |= blocks[kBlock * i + b];
    if (seen != 0) throw nb::value_error("an element of GF(2^96) has 12 bytes, then zeros");
}

nb::object encode(std::size_t clusters, std::size_t sparse, std::size_t dense, bool gf96, const One& seed,
                  const Rows& keys, const Rows& values, const One& randomness) {
    const OkvsShape shape = shape_of(clusters, sparse, dense, gf96);
    const std::size_t count = count_of(keys);
    if (count_of(values) != count) throw nb::value_error("as many values as keys");
    const auto* s = block(seed);
    const auto* r = block(randomness);
    check_field(shape, values.data(), count);
    auto out = make<std::uint8_t>({shape.slots(), kBlock});
    bool done = false;
    {
        const nb::gil_scoped_release release;
        done = UNSEEN_CHOOSE(okvs_encode)(shape, s, keys.data(), values.data(), count, r, out.data());
    }
    return done ? nb::cast(out) : nb::none();
}

Out<std::uint8_t> decode(std::size_t clusters, std::size_t sparse, std::size_t dense, bool gf96, const One& seed,
                         const In<std::uint8_t, 3>& encoding, const Rows& keys) {
    const OkvsShape shape = shape_of(clusters, sparse, dense, gf96);
    const std::size_t count = count_of(keys), values = encoding.shape(1);
    const auto* s = block(seed);
    if (encoding.shape(0) != shape.slots() || encoding.shape(2) != kBlock)
        throw nb::value_error("an encoding is as many rows of 16-byte blocks as the shape has slots");
    if (values != 1 && values != 2) throw nb::value_error("one or two blocks a slot");
    check_field(shape, encoding.data(), shape.slots() * values);
    auto out = make<std::uint8_t>({count, values, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(okvs_decode)(shape, s, encoding.data(), values, keys.data(), count, out.data());
    return out;
}

Out<std::uint8_t> hash(const One& seed, bool gf96, const Rows& keys) {
    const std::size_t count = count_of(keys);
    const auto* s = block(seed);
    auto out = make<std::uint8_t>({count, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash_to_field)(s, gf96, keys.data(), count, out.data());
    return out;
}

Out<std::uint8_t> multiply(const Rows& a, const Rows& b) {
    const std::size_t count = count_of(a);
    if (count_of(b) != count) throw nb::value_error("as many factors on both sides");
    const OkvsShape field{1, 0, 1, true};
    check_field(field, a.data(), count);
    check_field(field, b.data(), count);
    auto out = make<std::uint8_t>({count, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(gf96_multiply)(a.data(), b.data(), out.data(), count);
    return out;
}

}  // namespace

void bind_okvs(nb::module_& module) {
    module.def("okvs_encode", &encode, nb::arg("clusters"), nb::arg("sparse"), nb::arg("dense"), nb::arg("gf96"),
               nb::arg("seed"), nb::arg("keys"), nb::arg("values"), nb::arg("randomness"),
               "The encoding, or None if there is none under this seed.");
    module.def("okvs_decode", &decode, nb::arg("clusters"), nb::arg("sparse"), nb::arg("dense"), nb::arg("gf96"),
               nb::arg("seed"), nb::arg("encoding"), nb::arg("keys"), "What an encoding gives each key.");
    module.def("hash_to_field", &hash, nb::arg("seed"), nb::arg("gf96"), nb::arg("keys"), "A field element of each key.");
    module.def("gf96_multiply", &multiply, nb::arg("left"), nb::arg("right"), "Products in GF(2^96).");
}

}  // namespace unseen::bind
