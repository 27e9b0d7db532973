// GF(2^128) modulo x^128 + x^7 + x^2 + x + 1 on blocks (see block.hpp for the order of bits). Constant time.
//
// Products are kept unreduced (256 bits) in sums of products and reduced once.
#pragma once

#include "simd/block.hpp"

namespace unseen::UNSEEN_ISA {

struct Wide {  // an unreduced product: low + high * x^128
    Block low, high;
};

inline Wide operator^(Wide a, Wide b) { return {a.low ^ b.low, a.high ^ b.high}; }
inline Wide& operator^=(Wide& a, Wide b) { return a = a ^ b; }
inline Wide zero_wide() { return {zero_block(), zero_block()}; }

#ifdef UNSEEN_AVX2

inline Wide multiply_wide(Block a, Block b) {
    const __m128i low = _mm_clmulepi64_si128(a.v, b.v, 0x00), high = _mm_clmulepi64_si128(a.v, b.v, 0x11);
    const __m128i middle =
        _mm_xor_si128(_mm_clmulepi64_si128(a.v, b.v, 0x01), _mm_clmulepi64_si128(a.v, b.v, 0x10));
    return {{_mm_xor_si128(low, _mm_slli_si128(middle, 8))}, {_mm_xor_si128(high, _mm_srli_si128(middle, 8))}};
}

inline Block reduce(Wide a) {
    const __m128i poly = _mm_set_epi64x(0, 0x87);
    // Fold the upper half of `high`, then its lower half: x^128 = x^7 + x^2 + x + 1.
    const __m128i upper = _mm_clmulepi64_si128(a.high.v, poly, 0x01);
    const __m128i lower = _mm_xor_si128(a.high.v, _mm_srli_si128(upper, 8));
    const __m128i fold = _mm_clmulepi64_si128(lower, poly, 0x00);
    return {_mm_xor_si128(_mm_xor_si128(a.low.v, _mm_slli_si128(upper, 8)), fold)};
}

#else

// Carry-less product of 64-bit words without tables or branches: integer products of bits spread four apart, so that
// carries fall into the gaps (the method of Pornin, "Constant-time GHASH").
inline std::uint64_t multiply_low(std::uint64_t x, std::uint64_t y) {
    constexpr std::uint64_t kMask[4] = {0x1111111111111111, 0x2222222222222222, 0x4444444444444444,
                                        0x8888888888888888};
    std::uint64_t result = 0;
    for (int i = 0; i < 4; ++i) {
        std::uint64_t sum = 0;
        for (int j = 0; j < 4; ++j) sum ^= (x & kMask[j]) * (y & kMask[(i + 4 - j) & 3]);
        result |= sum & kMask[i];
    }
    return result;
}

inline std::uint64_t reverse_bits(std::uint64_t x) {
    constexpr std::uint64_t kMask[5] = {0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F,
                                        0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF};
    for (int i = 0; i < 5; ++i) x = (x & kMask[i]) << (1 << i) | (x >> (1 << i) & kMask[i]);
    return x << 32 | x >> 32;
}

inline Block multiply_words(std::uint64_t x, std::uint64_t y) {
    return make_block(multiply_low(x, y), reverse_bits(multiply_low(reverse_bits(x), reverse_bits(y))) >> 1);
}

inline Wide multiply_wide(Block a, Block b) {
    const Block l = multiply_words(low(a), low(b)), h = multiply_words(high(a), high(b));
    const Block m = multiply_words(low(a) ^ high(a), low(b) ^ high(b)) ^ l ^ h;
    return {make_block(low(l), high(l) ^ low(m)), make_block(low(h) ^ high(m), high(h))};
}

inline Block reduce(Wide a) {
    const auto fold = [](std::uint64_t x) {  // x * (x^7 + x^2 + x + 1) as a 128-bit value
        return make_block(x ^ x << 1 ^ x << 2 ^ x << 7, x >> 63 ^ x >> 62 ^ x >> 57);
    };
    const Block upper = fold(high(a.high));
    const Block lower = fold(low(a.high) ^ high(upper));
    return a.low ^ make_block(0, low(upper)) ^ lower;
}

#endif

inline Block multiply(Block a, Block b) { return reduce(multiply_wide(a, b)); }

}  // namespace unseen::UNSEEN_ISA
