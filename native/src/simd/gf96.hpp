// GF(2^96) modulo x^96 + x^10 + x^9 + x^6 + 1, in blocks whose upper 32 bits are zero; bits in gf128.hpp's order.
// Constant time.
#pragma once

#include "simd/gf128_lanes.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kGf96Low = 0x641;  // x^96 = x^10 + x^9 + x^6 + 1

// The lowest 96 bits.
inline Block gf96_mask() { return make_block(~std::uint64_t{0}, 0xFFFFFFFF); }

#ifdef UNSEEN_AVX2

inline Block reduce96(Wide a) {
    const __m128i poly = _mm_set_epi64x(0, kGf96Low), mask = gf96_mask().v;
    // What lies above x^96 (at most 95 bits) folds to 105 bits, the 9 of them above x^96 once more.
    const __m128i above = _mm_or_si128(_mm_srli_si128(a.low.v, 12), _mm_slli_si128(a.high.v, 4));
    const __m128i fold = _mm_xor_si128(_mm_clmulepi64_si128(above, poly, 0x00),
                                       _mm_slli_si128(_mm_clmulepi64_si128(above, poly, 0x01), 8));
    const __m128i again = _mm_clmulepi64_si128(_mm_srli_si128(fold, 12), poly, 0x00);
    return {_mm_and_si128(_mm_xor_si128(_mm_xor_si128(a.low.v, fold), again), mask)};
}

#else

inline Block reduce96(Wide a) {
    const auto fold = [](std::uint64_t l, std::uint64_t h) {  // (l + h x^64) * (x^10 + x^9 + x^6 + 1), below x^128
        return make_block(l ^ l << 6 ^ l << 9 ^ l << 10,
                          h ^ h << 6 ^ h << 9 ^ h << 10 ^ l >> 58 ^ l >> 55 ^ l >> 54);
    };
    const Block once = fold(high(a.low) >> 32 | low(a.high) << 32, low(a.high) >> 32 | high(a.high) << 32);
    const Block again = fold(high(once) >> 32, 0);
    return (a.low ^ once ^ again) & gf96_mask();
}

#endif

#ifdef UNSEEN_AVX512

inline Lanes reduce96(WideLanes a) {
    const __m512i poly = _mm512_set1_epi64(kGf96Low), mask = broadcast(gf96_mask()).v;
    const __m512i low = _mm512_xor_si512(a.low, _mm512_bslli_epi128(a.middle, 8));
    const __m512i high = _mm512_xor_si512(a.high, _mm512_bsrli_epi128(a.middle, 8));
    const __m512i above = _mm512_or_si512(_mm512_bsrli_epi128(low, 12), _mm512_bslli_epi128(high, 4));
    const __m512i fold = _mm512_xor_si512(_mm512_clmulepi64_epi128(above, poly, 0x00),
                                          _mm512_bslli_epi128(_mm512_clmulepi64_epi128(above, poly, 0x01), 8));
    const __m512i again = _mm512_clmulepi64_epi128(_mm512_bsrli_epi128(fold, 12), poly, 0x00);
    return {_mm512_and_si512(_mm512_ternarylogic_epi64(low, fold, again, 0x96), mask)};
}

#elif defined(UNSEEN_AVX2)

inline Lanes reduce96(const WideLanes& a) { return {_mm256_set_m128i(reduce96(a.lane[1]).v, reduce96(a.lane[0]).v)}; }

#else

inline Lanes reduce96(const WideLanes& a) { return reduce96(a.lane[0]); }

#endif

// The two fields behind one interface, for kernels that are written for both.
struct Gf128 {
    static constexpr int kBits = 128;
    static Block reduced(Wide a) { return reduce(a); }
    static Lanes reduced(const WideLanes& a) { return reduce(a); }
    static Block element(Block a) { return a; }
    static Lanes element(Lanes a, int) { return a; }
};

struct Gf96 {
    static constexpr int kBits = 96;
    static Block reduced(Wide a) { return reduce96(a); }
    static Lanes reduced(const WideLanes& a) { return reduce96(a); }
    static Block element(Block a) { return a & gf96_mask(); }
    static Lanes element(Lanes a, int) { return a & broadcast(gf96_mask()); }
};

template <typename Field>
inline Block product(Block a, Block b) {
    return Field::reduced(multiply_wide(a, b));
}

template <typename Field>
inline Lanes product_lanes(Lanes a, Lanes b) {
    WideLanes sum = zero_wide_lanes();
    multiply_add(sum, a, b);
    return Field::reduced(sum);
}

// a^(2^bits - 2), which is 1/a where a is not zero.
template <typename Field>
inline Block inverse(Block a) {
    Block result = make_block(1, 0), power = a;
    for (int i = 1; i < Field::kBits; ++i) {
        power = product<Field>(power, power);
        result = product<Field>(result, power);
    }
    return result;
}

}  // namespace unseen::UNSEEN_ISA
