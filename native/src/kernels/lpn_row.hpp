// Rows of `W` field elements, several of them in a vector where AVX-512 is there: gathering, multiplying by a public
// 64-bit weight, running sums.
#pragma once

#include "simd/gf128.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kFold128 = 0x87;   // x^128 = x^7 + x^2 + x + 1
constexpr std::uint64_t kFold96 = 0x641;   // x^96 = x^10 + x^9 + x^6 + 1

#ifdef UNSEEN_AVX2
template <bool Gf96>
inline Block weigh(Block x, std::uint64_t weight) {
    const __m128i w = _mm_cvtsi64_si128(static_cast<long long>(weight));
    const __m128i h = _mm_clmulepi64_si128(x.v, w, 0x01);
    const __m128i v = _mm_xor_si128(_mm_clmulepi64_si128(x.v, w, 0x00), _mm_slli_si128(h, 8));
    if constexpr (Gf96) {
        const __m128i top = _mm_xor_si128(_mm_srli_si128(v, 12), _mm_slli_si128(_mm_srli_si128(h, 8), 4));
        const __m128i kept = _mm_and_si128(v, _mm_set_epi32(0, -1, -1, -1));
        return {_mm_xor_si128(kept, _mm_clmulepi64_si128(top, _mm_set_epi64x(0, kFold96), 0x00))};
    }
    return {_mm_xor_si128(v, _mm_clmulepi64_si128(h, _mm_set_epi64x(0, kFold128), 0x01))};
}
#else
template <bool Gf96>
inline Block weigh(Block x, std::uint64_t weight) {
    const Block l = multiply_words(low(x), weight), h = multiply_words(high(x), weight);
    const std::uint64_t v1 = high(l) ^ low(h);
    if constexpr (Gf96)
        return make_block(low(l), v1 & 0xFFFFFFFF) ^ multiply_words(v1 >> 32 | high(h) << 32, kFold96);
    return make_block(low(l), v1) ^ multiply_words(high(h), kFold128);
}
#endif

#ifdef UNSEEN_AVX512
// As many rows as fit into a vector: four, two, or one that leaves a quarter free.
template <unsigned W>
struct Rows {
    static constexpr std::size_t kCount = W == 1 ? 4 : W == 2 ? 2 : 1;
    __m512i v;

    static Rows load(const Block* from) {
        return {W == 3 ? _mm512_maskz_loadu_epi64(0x3F, from) : _mm512_loadu_si512(from)};
    }
    static Rows gather(const Block* from, const std::uint16_t* index) {
        if constexpr (W == 1) {
            const __m256i a = _mm256_inserti128_si256(_mm256_castsi128_si256(from[index[0]].v), from[index[1]].v, 1);
            const __m256i b = _mm256_inserti128_si256(_mm256_castsi128_si256(from[index[2]].v), from[index[3]].v, 1);
            return {_mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1)};
        } else if constexpr (W == 2) {
            const auto* pairs = reinterpret_cast<const __m256i*>(from);
            const __m256i a = _mm256_loadu_si256(pairs + index[0]), b = _mm256_loadu_si256(pairs + index[1]);
            return {_mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1)};
        } else {
            return load(from + 3 * index[0]);
        }
    }
    void save(Block* to) const {
        if constexpr (W == 3)
            _mm512_mask_storeu_epi64(to, 0x3F, v);
        else
            _mm512_storeu_si512(to, v);
    }
    // Reads eight weights from there on, although it needs kCount.
    template <bool Gf96>
    Rows weighed(const std::uint64_t* weights) const {
        const __m512i spread = W == 1   ? _mm512_set_epi64(3, 3, 2, 2, 1, 1, 0, 0)
                               : W == 2 ? _mm512_set_epi64(1, 1, 1, 1, 0, 0, 0, 0)
                                        : _mm512_setzero_si512();
        const __m512i w = _mm512_permutexvar_epi64(spread, _mm512_loadu_si512(weights));
        const __m512i h = _mm512_clmulepi64_epi128(v, w, 0x01);
        const __m512i p = _mm512_xor_si512(_mm512_clmulepi64_epi128(v, w, 0x00), _mm512_bslli_epi128(h, 8));
        if constexpr (Gf96) {
            const __m512i top = _mm512_xor_si512(_mm512_bsrli_epi128(p, 12), _mm512_bslli_epi128(_mm512_bsrli_epi128(h, 8), 4));
            const __m512i kept = _mm512_maskz_mov_epi32(0x7777, p);
            return {_mm512_xor_si512(kept, _mm512_clmulepi64_epi128(top, _mm512_set1_epi64(kFold96), 0x00))};
        }
        return {_mm512_xor_si512(p, _mm512_clmulepi64_epi128(h, _mm512_set1_epi64(kFold128), 0x01))};
    }
    // Running sums: `carry` holds the sum so far in every row.
    Rows summed(__m512i& carry) const {
        __m512i s = v;
        const __m512i zero = _mm512_setzero_si512();
        if constexpr (W == 1) s = _mm512_xor_si512(s, _mm512_alignr_epi64(s, zero, 6));
        if constexpr (W <= 2) s = _mm512_xor_si512(s, _mm512_alignr_epi64(s, zero, 4));
        const __m512i last = W == 1   ? _mm512_shuffle_i64x2(s, s, 0xFF)
                             : W == 2 ? _mm512_shuffle_i64x2(s, s, 0xEE)
                                      : s;
        const Rows out{_mm512_xor_si512(s, carry)};
        carry = _mm512_xor_si512(carry, last);
        return out;
    }
    using Carry = __m512i;
    static Carry nothing() { return _mm512_setzero_si512(); }
};
#else
template <unsigned W>
struct Rows {
    static constexpr std::size_t kCount = 1;
    struct Carry {
        Block b[W];
    };
    Block b[W];

    static Rows load(const Block* from) {
        Rows r;
        for (unsigned w = 0; w < W; ++w) r.b[w] = from[w];
        return r;
    }
    static Rows gather(const Block* from, const std::uint16_t* index) { return load(from + W * index[0]); }
    void save(Block* to) const {
        for (unsigned w = 0; w < W; ++w) to[w] = b[w];
    }
    template <bool Gf96>
    Rows weighed(const std::uint64_t* weights) const {
        Rows r;
        for (unsigned w = 0; w < W; ++w) r.b[w] = weigh<Gf96>(b[w], weights[0]);
        return r;
    }
    Rows summed(Carry& carry) const {
        Rows r;
        for (unsigned w = 0; w < W; ++w) r.b[w] = carry.b[w] ^= b[w];
        return r;
    }
    static Carry nothing() {
        Carry carry;
        for (unsigned w = 0; w < W; ++w) carry.b[w] = zero_block();
        return carry;
    }
};
#endif

}  // namespace unseen::UNSEEN_ISA
