// GF(2^128) on several blocks side by side (see gf128.hpp): products, and sums of products that are reduced once.
#pragma once

#include "simd/gf128.hpp"
#include "simd/lanes.hpp"

namespace unseen::UNSEEN_ISA {

#ifdef UNSEEN_AVX512

// Unreduced: low + middle x^64 + high x^128 in each lane.
struct WideLanes {
    __m512i low, middle, high;
};

inline WideLanes zero_wide_lanes() { return {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()}; }

inline void multiply_add(WideLanes& sum, Lanes a, Lanes b) {
    sum.low = _mm512_xor_si512(sum.low, _mm512_clmulepi64_epi128(a.v, b.v, 0x00));
    sum.high = _mm512_xor_si512(sum.high, _mm512_clmulepi64_epi128(a.v, b.v, 0x11));
    sum.middle = _mm512_ternarylogic_epi64(sum.middle, _mm512_clmulepi64_epi128(a.v, b.v, 0x01),
                                           _mm512_clmulepi64_epi128(a.v, b.v, 0x10), 0x96);
}

inline Lanes reduce(WideLanes a) {
    const __m512i poly = _mm512_set1_epi64(0x87);
    const __m512i low = _mm512_xor_si512(a.low, _mm512_bslli_epi128(a.middle, 8));
    const __m512i high = _mm512_xor_si512(a.high, _mm512_bsrli_epi128(a.middle, 8));
    const __m512i upper = _mm512_clmulepi64_epi128(high, poly, 0x01);
    const __m512i rest = _mm512_xor_si512(high, _mm512_bsrli_epi128(upper, 8));
    const __m512i fold = _mm512_clmulepi64_epi128(rest, poly, 0x00);
    return {_mm512_ternarylogic_epi64(low, _mm512_bslli_epi128(upper, 8), fold, 0x96)};
}

// The sum over the lanes.
inline Block sum_lanes(Lanes a) {
    const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(a.v), _mm512_extracti64x4_epi64(a.v, 1));
    return {_mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1))};
}

#else

struct WideLanes {
    Wide lane[kLaneBlocks];
};

inline WideLanes zero_wide_lanes() {
    WideLanes sum;
    for (Wide& lane : sum.lane) lane = zero_wide();
    return sum;
}

#ifdef UNSEEN_AVX2

inline void multiply_add(WideLanes& sum, Lanes a, Lanes b) {
    sum.lane[0] ^= multiply_wide({_mm256_castsi256_si128(a.v)}, {_mm256_castsi256_si128(b.v)});
    sum.lane[1] ^= multiply_wide({_mm256_extracti128_si256(a.v, 1)}, {_mm256_extracti128_si256(b.v, 1)});
}

inline Lanes reduce(const WideLanes& a) { return {_mm256_set_m128i(reduce(a.lane[1]).v, reduce(a.lane[0]).v)}; }

inline Block sum_lanes(Lanes a) {
    return {_mm_xor_si128(_mm256_castsi256_si128(a.v), _mm256_extracti128_si256(a.v, 1))};
}

#else

inline void multiply_add(WideLanes& sum, Lanes a, Lanes b) { sum.lane[0] ^= multiply_wide(a, b); }
inline Lanes reduce(const WideLanes& a) { return reduce(a.lane[0]); }
inline Block sum_lanes(Lanes a) { return a; }

#endif
#endif

}  // namespace unseen::UNSEEN_ISA
