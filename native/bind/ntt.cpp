#include "unseen/ntt.hpp"

#include <nanobind/stl/vector.h>

#include <vector>

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Words = In<std::uint64_t, 1>;
using Polynomials = In<std::uint64_t, 3>;  // (count, limbs, n)
using Tables = std::vector<In<std::uint64_t, 2>>;  // of each limb (4, n)

std::size_t degree_of(std::size_t n) {
    if (n < kNttLeast || n > kNttMost || (n & (n - 1)) != 0)
        throw nb::value_error("a polynomial has 2^6 to 2^15 coefficients");
    return n;
}

// On a copy: whoever changed a prime meanwhile would otherwise divide by zero.
std::vector<std::uint64_t> primes_of(const Words& primes) {
    std::vector<std::uint64_t> held(primes.data(), primes.data() + primes.shape(0));
    if (held.empty() || held.size() > kNttLimbs) throw nb::value_error("there are 1 to 8 primes");
    for (const auto q : held)
        if (q < std::uint64_t{1} << 40 || q >= std::uint64_t{1} << 50 || q % 2 == 0)
            throw nb::value_error("a prime lies between 2^40 and 2^50");
    return held;
}

void check_limbs(std::size_t limbs, const std::vector<std::uint64_t>& primes) {
    if (limbs != primes.size()) throw nb::value_error("as many limbs as primes");
}

std::size_t degree_of(const Tables& tables, const std::vector<std::uint64_t>& primes) {
    check_limbs(tables.size(), primes);
    for (const auto& table : tables)
        if (table.shape(0) != 4 || table.shape(1) != tables[0].shape(1))
            throw nb::value_error("a table has four rows, of one length for all limbs");
    return degree_of(tables[0].shape(1));
}

Out<std::uint64_t> forward(const Tables& tables, const Words& primes, const Polynomials& in) {
    const auto q = primes_of(primes);
    const std::size_t n = degree_of(tables, q), count = in.shape(0), limbs = q.size(), len = in.shape(2);
    check_limbs(in.shape(1), q);
    if (len < 8 || len > n || (len & (len - 1)) != 0)
        throw nb::value_error("as many coefficients as the table has, or a smaller power of two from 8 on");
    auto out = make<std::uint64_t>({count, limbs, n});
    const nb::gil_scoped_release release;
    for (std::size_t l = 0; l < limbs; ++l)
        for (std::size_t c = 0; c < count; ++c)
            UNSEEN_CHOOSE(ntt_forward)
            (tables[l].data(), q[l], in.data() + (c * limbs + l) * len, len, out.data() + (c * limbs + l) * n,
             n);
    return out;
}

Out<std::uint64_t> inverse(const Tables& tables, const Words& primes, const Polynomials& in) {
    const auto q = primes_of(primes);
    const std::size_t n = degree_of(tables, q), count = in.shape(0), limbs = q.size();
    check_limbs(in.shape(1), q);
    if (in.shape(2) != n) throw nb::value_error("as many values as the table has");
    auto out = make<std::uint64_t>({count, limbs, n});
    const nb::gil_scoped_release release;
    for (std::size_t l = 0; l < limbs; ++l)
        for (std::size_t c = 0; c < count; ++c)
            UNSEEN_CHOOSE(ntt_inverse)
            (tables[l].data(), q[l], in.data() + (c * limbs + l) * n, out.data() + (c * limbs + l) * n, n);
    return out;
}

Out<std::uint64_t> inner(const Words& primes, const In<std::uint64_t, 4>& left, const Polynomials& right,
                         const nb::object& add) {
    const auto q = primes_of(primes);
    const std::size_t terms = left.shape(0), rows = left.shape(1), limbs = q.size(), n = degree_of(left.shape(3));
    check_limbs(left.shape(2), q);
    check_limbs(right.shape(1), q);
    if (right.shape(0) != terms || right.shape(2) != n) throw nb::value_error("as many factors on either side");
    if (terms > kNttTerms) throw nb::value_error("at most 4096 products are summed up");
    Polynomials given;
    if (!add.is_none() && (!nb::try_cast(add, given) || given.shape(0) != rows || given.shape(1) != limbs ||
                           given.shape(2) != n))
        throw nb::value_error("what is added is uint64 and has the shape of the result");
    const std::uint64_t* added = add.is_none() ? nullptr : given.data();
    auto out = make<std::uint64_t>({rows, limbs, n});
    const nb::gil_scoped_release release;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t l = 0; l < limbs; ++l) {
            const std::size_t at = (r * limbs + l) * n;
            UNSEEN_CHOOSE(ntt_inner)
            (q[l], left.data() + at, rows * limbs * n, right.data() + l * n, limbs * n, terms,
             added == nullptr ? nullptr : added + at, out.data() + at, n);
        }
    return out;
}

Out<std::uint64_t> residues(const Words& primes, const In<std::int64_t, 2>& small, const nb::object& message,
                            const nb::object& factors) {
    const auto q = primes_of(primes);
    const std::size_t count = small.shape(0), len = small.shape(1), limbs = q.size();
    if (len % 8 != 0) throw nb::value_error("the number of coefficients is a multiple of eight");
    In<std::uint64_t, 2> words;
    Words by;
    if (message.is_none() != factors.is_none()) throw nb::value_error("a message has factors");
    if (!message.is_none()) {
        if (!nb::try_cast(message, words) || words.shape(0) != count || words.shape(1) != len)
            throw nb::value_error("a message is uint64, as long as what it is added to");
        if (!nb::try_cast(factors, by) || by.shape(0) != limbs) throw nb::value_error("one factor a prime");
    }
    auto out = make<std::uint64_t>({count, limbs, len});
    const nb::gil_scoped_release release;
    for (std::size_t l = 0; l < limbs; ++l)
        for (std::size_t c = 0; c < count; ++c) {
            const bool with = !message.is_none();
            UNSEEN_CHOOSE(ntt_residues)
            (q[l], small.data() + c * len, with ? words.data() + c * len : nullptr, with ? by.data()[l] % q[l] : 0,
             out.data() + (c * limbs + l) * len, len);
        }
    return out;
}

Out<std::uint64_t> uniform(const Words& primes, const nb::bytes& key, std::uint64_t first, std::size_t count,
                           std::size_t n) {
    const auto q = primes_of(primes);
    const std::size_t limbs = q.size();
    constexpr std::uint64_t kUses = std::uint64_t{1} << 45;
    if (key.size() != 16) throw nb::value_error("a key is 16 bytes");
    if (first >= kUses || count >= kUses - first || count > std::size_t{1} << 24)
        throw nb::value_error("polynomials are numbered below 2^45, and at most 2^24 are made at once");
    degree_of(n);
    auto out = make<std::uint64_t>({count, limbs, n});
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(key.c_str());
    const nb::gil_scoped_release release;
    for (std::size_t c = 0; c < count; ++c)
        for (std::size_t l = 0; l < limbs; ++l)
            UNSEEN_CHOOSE(ntt_uniform)(q[l], bytes, (first + c) * kNttLimbs + l, out.data() + (c * limbs + l) * n, n);
    return out;
}

Out<std::int64_t> noise(const Words& words) {
    auto out = make<std::int64_t>({words.shape(0)});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ntt_noise)(words.data(), out.data(), words.shape(0));
    return out;
}

Out<std::int64_t> ternary(const Words& words) {
    auto out = make<std::int64_t>({words.shape(0)});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ntt_ternary)(words.data(), out.data(), words.shape(0));
    return out;
}

Out<std::uint64_t> fraction(const Words& primes, const Words& inverses, const In<std::uint64_t, 2>& weights,
                            const Polynomials& in, const nb::object& small) {
    const auto q = primes_of(primes);
    const std::size_t count = in.shape(0), limbs = q.size(), n = in.shape(2);
    check_limbs(in.shape(1), q);
    if (inverses.shape(0) != limbs || weights.shape(0) != limbs || weights.shape(1) != 3)
        throw nb::value_error("one inverse and one weight of three words a prime");
    In<std::int64_t, 2> given;
    if (!small.is_none() && (!nb::try_cast(small, given) || given.shape(0) != count || given.shape(1) != n))
        throw nb::value_error("what is added is int64, one number a coefficient");
    std::vector<std::uint64_t> held(limbs);
    for (std::size_t l = 0; l < limbs; ++l) held[l] = inverses.data()[l] % q[l];
    auto out = make<std::uint64_t>({2, count, n});
    const nb::gil_scoped_release release;
    for (std::size_t c = 0; c < count; ++c)
        UNSEEN_CHOOSE(ntt_fraction)
        (q.data(), limbs, held.data(), weights.data(), in.data() + c * limbs * n,
         small.is_none() ? nullptr : given.data() + c * n, out.data() + c * n, out.data() + (count + c) * n, n);
    return out;
}

void check_bits(unsigned bits) {
    if (bits < 1 || bits > 56) throw nb::value_error("words are packed to 1 to 56 bits");
}

Out<std::uint8_t> pack(const Words& words, unsigned bits) {
    check_bits(bits);
    const std::size_t n = words.shape(0);
    auto out = make<std::uint8_t>({(n * bits + 7) / 8});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ntt_pack)(words.data(), n, bits, out.data());
    return out;
}

Out<std::uint64_t> unpack(const In<std::uint8_t, 1>& bytes, std::size_t n, unsigned bits) {
    check_bits(bits);
    if (n > 8 * bytes.shape(0) || (n * bits + 7) / 8 != bytes.shape(0))
        throw nb::value_error("so many words have another number of bytes");
    auto out = make<std::uint64_t>({n});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(ntt_unpack)(bytes.data(), n, bits, out.data());
    return out;
}

}  // namespace

void bind_ntt(nb::module_& module) {
    module.def("ntt_forward", &forward, nb::arg("tables"), nb::arg("primes"), nb::arg("residues"));
    module.def("ntt_inverse", &inverse, nb::arg("tables"), nb::arg("primes"), nb::arg("values"));
    module.def("ntt_inner", &inner, nb::arg("primes"), nb::arg("left"), nb::arg("right"), nb::arg("add").none());
    module.def("ntt_residues", &residues, nb::arg("primes"), nb::arg("small"), nb::arg("message").none(),
               nb::arg("factors").none());
    module.def("ntt_uniform", &uniform, nb::arg("primes"), nb::arg("key"), nb::arg("first"), nb::arg("count"),
               nb::arg("degree"));
    module.def("ntt_noise", &noise, nb::arg("words"));
    module.def("ntt_ternary", &ternary, nb::arg("words"));
    module.def("ntt_fraction", &fraction, nb::arg("primes"), nb::arg("inverses"), nb::arg("weights"),
               nb::arg("residues"), nb::arg("small").none());
    module.def("ntt_pack", &pack, nb::arg("words"), nb::arg("bits"));
    module.def("ntt_unpack", &unpack, nb::arg("bytes"), nb::arg("count"), nb::arg("bits"));
}

}  // namespace unseen::bind
