// Arithmetic modulo a prime below 2^50 on as many words as a vector has: eight with AVX-512 IFMA, else one.
//
// "Lazy" values are below a small multiple of q, always below 2^52. A product by a known factor w takes Shoup's quotient
// floor(w 2^52 / q): the result is below 2 q for any other factor below 2^52. No branch and no address depends on values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/target.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kMask52 = (std::uint64_t{1} << 52) - 1;

#ifdef UNSEEN_AVX512
constexpr std::size_t kWide = 8;
using Vec = unsigned long long __attribute__((vector_size(64)));

inline __m512i raw(Vec a) { return reinterpret_cast<__m512i>(a); }
inline Vec vec(__m512i a) { return reinterpret_cast<Vec>(a); }
inline Vec get(const std::uint64_t* p) { return vec(_mm512_loadu_si512(p)); }
inline void put(std::uint64_t* p, Vec a) { _mm512_storeu_si512(p, raw(a)); }
inline Vec all(std::uint64_t a) { return vec(_mm512_set1_epi64(static_cast<long long>(a))); }
inline Vec least(Vec a, Vec b) { return vec(_mm512_min_epu64(raw(a), raw(b))); }
inline Vec multiply(Vec x, Vec w, Vec quotient, Vec minus_q) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i times = _mm512_madd52hi_epu64(zero, raw(x), raw(quotient));
    const __m512i low = _mm512_madd52lo_epu64(zero, raw(x), raw(w));
    const __m512i sum = _mm512_madd52lo_epu64(low, times, raw(minus_q));
    return vec(_mm512_and_si512(sum, _mm512_set1_epi64(static_cast<long long>(kMask52))));
}
// Sums of products: lower and upper 52 bits apart, so that 4096 of them fit.
struct Sum {
    Vec low, high;
};
inline Sum nothing() { return {vec(_mm512_setzero_si512()), vec(_mm512_setzero_si512())}; }
inline void accumulate(Sum& sum, Vec a, Vec b) {
    sum.low = vec(_mm512_madd52lo_epu64(raw(sum.low), raw(a), raw(b)));
    sum.high = vec(_mm512_madd52hi_epu64(raw(sum.high), raw(a), raw(b)));
}
#else
constexpr std::size_t kWide = 1;
using Vec = std::uint64_t;

inline Vec get(const std::uint64_t* p) { return *p; }
inline void put(std::uint64_t* p, Vec a) { *p = a; }
inline Vec all(std::uint64_t a) { return a; }
inline Vec least(Vec a, Vec b) {
    const Vec mask = Vec{0} - static_cast<Vec>(a < b);
    return b ^ ((a ^ b) & mask);
}
inline Vec multiply(Vec x, Vec w, Vec quotient, Vec minus_q) {
    const auto times = static_cast<std::uint64_t>(static_cast<unsigned __int128>(x) * quotient >> 52);
    return (x * w + times * minus_q) & kMask52;
}
struct Sum {
    Vec low, high;
};
inline Sum nothing() { return {0, 0}; }
inline void accumulate(Sum& sum, Vec a, Vec b) {
    const auto product = static_cast<unsigned __int128>(a & kMask52) * (b & kMask52);
    sum.low += static_cast<std::uint64_t>(product) & kMask52;
    sum.high += static_cast<std::uint64_t>(product >> 52);
}
#endif

struct Factor {
    Vec w, quotient;
};

struct Modulus {
    std::uint64_t q;
    Vec one, twice, minus;
    Factor at40, at52;  // 2^40 and 2^52 mod q

    explicit Modulus(std::uint64_t prime)
        : q(prime), one(all(prime)), twice(all(2 * prime)), minus(all((std::uint64_t{1} << 52) - prime)),
          at40(factor((std::uint64_t{1} << 40) % prime)), at52(factor((std::uint64_t{1} << 52) % prime)) {}

    Factor factor(std::uint64_t w) const {
        return {all(w), all(static_cast<std::uint64_t>((static_cast<unsigned __int128>(w) << 52) / q))};
    }
    Vec times(Vec x, Factor f) const { return multiply(x, f.w, f.quotient, minus); }
    Vec below_twice(Vec x) const { return least(x, x - twice); }  // from 4 q
    Vec below(Vec x) const {                                       // from 4 q
        x = below_twice(x);
        return least(x, x - one);
    }
    // Any word, to less than 2 q + 2^40.
    Vec fold(Vec x) const { return times(x >> 40, at40) + (x & all((std::uint64_t{1} << 40) - 1)); }
};

}  // namespace unseen::UNSEEN_ISA
