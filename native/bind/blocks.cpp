#include "unseen/blocks.hpp"

#include <nanobind/stl/optional.h>

#include <optional>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kBlock = 16;
using Rows = In<std::uint8_t, 2>;
using One = In<std::uint8_t, 1>;

std::size_t rows_of(const Rows& blocks) {
    if (blocks.shape(1) != kBlock) throw nb::value_error("blocks are rows of 16 bytes");
    return blocks.shape(0);
}

const std::uint8_t* one_block(const One& block) {
    if (block.shape(0) != kBlock) throw nb::value_error("a block is 16 bytes");
    return block.data();
}

Out<std::uint8_t> aes_ctr(const One& key, std::uint64_t stream, std::uint64_t first, std::size_t blocks) {
    const auto* k = one_block(key);
    auto out = make<std::uint8_t>({blocks, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(aes_ctr)(k, stream, first, out.data(), blocks);
    return out;
}

Out<std::uint8_t> hash(const Rows& in) {
    const auto count = rows_of(in);
    auto out = make<std::uint8_t>({count, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash)(in.data(), out.data(), count);
    return out;
}

Out<std::uint8_t> hash_tweaked(const Rows& in, std::uint64_t first) {
    const auto count = rows_of(in);
    auto out = make<std::uint8_t>({count, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash_tweaked)(in.data(), first, out.data(), count);
    return out;
}

Out<std::uint8_t> hash_both(const Rows& in, const One& delta, std::optional<std::uint64_t> first) {
    const auto count = rows_of(in);
    const auto* other = one_block(delta);
    auto out = make<std::uint8_t>({count, 2, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash_both)(in.data(), other, first.has_value(), first.value_or(0), out.data(), count);
    return out;
}

Out<std::uint8_t> hash_rekeyed(const Rows& in, const One& start, std::uint64_t first, std::size_t per_key) {
    const auto count = rows_of(in);
    const auto* key = one_block(start);
    if (per_key == 0) throw nb::value_error("a key serves at least one block");
    auto out = make<std::uint8_t>({count, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(hash_rekeyed)(in.data(), key, first, per_key, out.data(), count);
    return out;
}

Out<std::uint8_t> gf_multiply(const Rows& a, const Rows& b) {
    const auto count = rows_of(a);
    if (rows_of(b) != count && rows_of(b) != 1) throw nb::value_error("factors are as many on both sides, or one");
    const bool one = b.shape(0) == 1;
    auto out = make<std::uint8_t>({count, kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(gf_multiply)(a.data(), b.data(), one, out.data(), count);
    return out;
}

Out<std::uint8_t> gf_inner(const Rows& a, const Rows& b) {
    const auto count = rows_of(a);
    if (rows_of(b) != count) throw nb::value_error("factors are as many on both sides");
    auto out = make<std::uint8_t>({kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(gf_inner)(a.data(), b.data(), out.data(), count);
    return out;
}

Out<std::uint8_t> gf_combine(const One& seed, std::uint64_t first, const Rows& a) {
    const auto count = rows_of(a);
    const auto* key = one_block(seed);
    auto out = make<std::uint8_t>({kBlock});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(gf_combine)(key, first, a.data(), out.data(), count);
    return out;
}

Out<std::uint8_t> transpose(const Rows& in) {
    const std::size_t rows = in.shape(0), bytes = in.shape(1);
    if (rows % 8 != 0) throw nb::value_error("a bit matrix has a multiple of 8 rows");
    auto out = make<std::uint8_t>({8 * bytes, rows / 8});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(transpose)(in.data(), rows, 8 * bytes, out.data());
    return out;
}

}  // namespace

void bind_blocks(nb::module_& module) {
    module.def("aes_ctr", &aes_ctr, nb::arg("key"), nb::arg("stream"), nb::arg("first"), nb::arg("blocks"));
    module.def("hash", &hash, nb::arg("blocks"));
    module.def("hash_tweaked", &hash_tweaked, nb::arg("blocks"), nb::arg("first"));
    module.def("hash_both", &hash_both, nb::arg("blocks"), nb::arg("delta"), nb::arg("first").none());
    module.def("hash_rekeyed", &hash_rekeyed, nb::arg("blocks"), nb::arg("start"), nb::arg("first"), nb::arg("per_key"));
    module.def("gf_multiply", &gf_multiply, nb::arg("left"), nb::arg("right"));
    module.def("gf_inner", &gf_inner, nb::arg("left"), nb::arg("right"));
    module.def("gf_combine", &gf_combine, nb::arg("seed"), nb::arg("first"), nb::arg("blocks"));
    module.def("transpose_bits", &transpose, nb::arg("bits"));
}

}  // namespace unseen::bind
