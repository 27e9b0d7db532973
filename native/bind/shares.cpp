#include "bind.hpp"
#include "unseen/shares.hpp"

namespace unseen::bind {
namespace {

using Words = In<std::uint64_t, 1>;
using Pair = In<std::uint64_t, 2>;

constexpr std::size_t kKey = 16, kPlaces = 64;

const std::uint8_t* key_of(const nb::bytes& key) {
    if (key.size() != kKey) throw nb::value_error("a key is 16 bytes");
    return reinterpret_cast<const std::uint8_t*>(key.c_str());
}

std::size_t length_of(const Pair& left, const Pair& right) {
    if (left.shape(0) != 2 || right.shape(0) != 2) throw nb::value_error("a replicated share has two components");
    if (left.shape(1) != right.shape(1)) throw nb::value_error("the shares have different lengths");
    return left.shape(1);
}

Out<std::uint64_t> split(const Words& words, std::size_t places) {
    if (places == 0 || places > kPlaces) throw nb::value_error("there are 1 to 64 places");
    const std::size_t n = words.shape(0);
    auto out = make<std::uint64_t>({places, (n + kPlaces - 1) / kPlaces});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(split_places)(words.data(), n, places, out.data());
    return out;
}

Out<std::uint64_t> join(const Pair& planes, std::size_t count) {
    const std::size_t places = planes.shape(0);
    if (places == 0 || places > kPlaces) throw nb::value_error("there are 1 to 64 places");
    if (count > kPlaces * planes.shape(1) || planes.shape(1) != (count + kPlaces - 1) / kPlaces)
        throw nb::value_error("the planes have another length");
    auto out = make<std::uint64_t>({count});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(join_places)(planes.data(), count, places, out.data());
    return out;
}

Out<std::uint64_t> pad_of(const nb::bytes& key, std::uint64_t use, std::size_t count) {
    const auto* k = key_of(key);
    auto out = make<std::uint64_t>({count});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(pad)(k, use, out.data(), count);
    return out;
}

Out<std::uint64_t> multiply(const Pair& left, const Pair& right, const nb::bytes& mine, const nb::bytes& theirs,
                            std::uint64_t use) {
    const std::size_t n = length_of(left, right);
    const auto *a = key_of(mine), *b = key_of(theirs);
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(multiply_shares)
    (left.data(), left.data() + n, right.data(), right.data() + n, a, b, use, out.data(), n);
    return out;
}

Out<std::uint64_t> conjoin(const Pair& left, const Pair& right, const nb::bytes& mine, const nb::bytes& theirs,
                           std::uint64_t use) {
    const std::size_t n = length_of(left, right);
    const auto *a = key_of(mine), *b = key_of(theirs);
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(conjoin_shares)
    (left.data(), left.data() + n, right.data(), right.data() + n, a, b, use, out.data(), n);
    return out;
}

using Halves = In<std::uint32_t, 1>;

void check_drop(int drop) {
    if (drop < 1 || drop > 32) throw nb::value_error("1 to 32 bits are cut off");
}

nb::tuple first(const Words& known, int drop, std::uint64_t offset, const nb::bytes& key0, const nb::bytes& key1,
                const Words& uses) {
    check_drop(drop);
    if (uses.shape(0) != 4) throw nb::value_error("there are four uses of a key");
    const auto *a = key_of(key0), *b = key_of(key1);
    const std::size_t n = known.shape(0);
    auto share = make<std::uint64_t>({2, n});
    auto rest = make<std::uint64_t>({n});
    auto bit = make<std::uint32_t>({n});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(truncate_first)
        (known.data(), n, drop, offset, a, b, uses.data(), share.data(), share.data() + n, rest.data(), bit.data());
    }
    return nb::make_tuple(share, rest, bit);
}

Out<std::uint32_t> part(const Words& known, const Halves& bit, const nb::bytes& key, std::uint64_t use) {
    const auto* k = key_of(key);
    const std::size_t n = known.shape(0);
    if (bit.shape(0) != n) throw nb::value_error("the bits have another length");
    auto out = make<std::uint32_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(truncate_part)(known.data(), n, bit.data(), k, use, out.data());
    return out;
}

Out<std::uint64_t> last(const Words& known, int drop, const Halves& mine, const Halves& theirs, const Words& rest,
                        const nb::bytes& key, std::uint64_t use, bool alone_first) {
    check_drop(drop);
    const auto* k = key_of(key);
    const std::size_t n = known.shape(0);
    if (mine.shape(0) != n || theirs.shape(0) != n || rest.shape(0) != n)
        throw nb::value_error("the parts have another length");
    auto share = make<std::uint64_t>({2, n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(truncate_last)
    (known.data(), n, drop, mine.data(), theirs.data(), rest.data(), k, use, share.data() + (alone_first ? 0 : n),
     share.data() + (alone_first ? n : 0));
    return share;
}

using Weights = In<std::int64_t, 1>;

std::size_t rows_of(const Weights& weights, int period_bits, int bits) {
    if (period_bits < 1 || period_bits > 64) throw nb::value_error("a period has 1 to 64 bits");
    if (bits < 1 || bits > 30) throw nb::value_error("waves have 1 to 30 fraction bits");
    std::size_t rows = 0;
    for (std::size_t k = 0; k < weights.shape(0); ++k) rows += weights.data()[k] != 0;
    return rows;
}

Out<std::uint64_t> waves_of(const Words& x, int period_bits, const Weights& weights, int bits) {
    const std::size_t n = x.shape(0), rows = rows_of(weights, period_bits, bits);
    auto out = make<std::uint64_t>({2, rows, n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(waves)
    (x.data(), n, period_bits, weights.data(), weights.shape(0), bits, out.data(), out.data() + rows * n);
    return out;
}

Out<std::uint64_t> wave_products_of(const Words& x, int period_bits, const Weights& weights, int bits,
                                    const In<std::uint64_t, 3>& factors) {
    const std::size_t n = x.shape(0), rows = rows_of(weights, period_bits, bits);
    if (factors.shape(0) != 2 || factors.shape(1) != rows || factors.shape(2) != n)
        throw nb::value_error("the factors have another length");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(wave_products)
    (x.data(), n, period_bits, weights.data(), weights.shape(0), bits, factors.data(), factors.data() + rows * n,
     out.data());
    return out;
}

}  // namespace

void bind_shares(nb::module_& module) {
    module.def("split_places", &split, nb::arg("words"), nb::arg("places"));
    module.def("join_places", &join, nb::arg("planes"), nb::arg("count"));
    module.def("pad", &pad_of, nb::arg("key"), nb::arg("use"), nb::arg("count"));
    module.def("multiply_shares", &multiply, nb::arg("left"), nb::arg("right"), nb::arg("mine"), nb::arg("theirs"),
               nb::arg("use"));
    module.def("conjoin_shares", &conjoin, nb::arg("left"), nb::arg("right"), nb::arg("mine"), nb::arg("theirs"),
               nb::arg("use"));
    module.def("truncate_first", &first, nb::arg("known"), nb::arg("drop"), nb::arg("offset"), nb::arg("key0"),
               nb::arg("key1"), nb::arg("uses"));
    module.def("truncate_part", &part, nb::arg("known"), nb::arg("bit"), nb::arg("key"), nb::arg("use"));
    module.def("truncate_last", &last, nb::arg("known"), nb::arg("drop"), nb::arg("mine"), nb::arg("theirs"),
               nb::arg("rest"), nb::arg("key"), nb::arg("use"), nb::arg("alone_first"));
    module.def("waves", &waves_of, nb::arg("x"), nb::arg("period_bits"), nb::arg("weights"), nb::arg("bits"));
    module.def("wave_products", &wave_products_of, nb::arg("x"), nb::arg("period_bits"), nb::arg("weights"),
               nb::arg("bits"), nb::arg("factors"));
}

}  // namespace unseen::bind
