// SHA-256 (FIPS 180-4) of as many messages side by side as a register has 32-bit lanes: 16, 8, or one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/target.hpp"

namespace unseen::UNSEEN_ISA {

inline constexpr std::uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
inline constexpr std::uint32_t kInitialState[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// One message: a plain word.
template <int By>
inline std::uint32_t rotate(std::uint32_t a) {
    return a >> By | a << (32 - By);
}
template <int By>
inline std::uint32_t shift(std::uint32_t a) {
    return a >> By;
}
inline std::uint32_t add(std::uint32_t a, std::uint32_t b) { return a + b; }
inline std::uint32_t xor3(std::uint32_t a, std::uint32_t b, std::uint32_t c) { return a ^ b ^ c; }
inline std::uint32_t choose(std::uint32_t e, std::uint32_t f, std::uint32_t g) { return g ^ (e & (f ^ g)); }
inline std::uint32_t majority(std::uint32_t a, std::uint32_t b, std::uint32_t c) { return (a & b) | (c & (a | b)); }
inline std::uint32_t spread(std::uint32_t a, std::uint32_t) { return a; }

#ifdef UNSEEN_AVX512

struct WordLanes {
    __m512i v;
};
inline constexpr std::size_t kWordLanes = 16;

template <int By>
inline WordLanes rotate(WordLanes a) {
    return {_mm512_ror_epi32(a.v, By)};
}
template <int By>
inline WordLanes shift(WordLanes a) {
    return {_mm512_srli_epi32(a.v, By)};
}
inline WordLanes add(WordLanes a, WordLanes b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline WordLanes xor3(WordLanes a, WordLanes b, WordLanes c) { return {_mm512_ternarylogic_epi32(a.v, b.v, c.v, 0x96)}; }
inline WordLanes choose(WordLanes e, WordLanes f, WordLanes g) { return {_mm512_ternarylogic_epi32(e.v, f.v, g.v, 0xCA)}; }
inline WordLanes majority(WordLanes a, WordLanes b, WordLanes c) { return {_mm512_ternarylogic_epi32(a.v, b.v, c.v, 0xE8)}; }
inline WordLanes spread(std::uint32_t a, WordLanes) { return {_mm512_set1_epi32(static_cast<int>(a))}; }
inline WordLanes select(std::uint32_t lanes, WordLanes then, WordLanes otherwise) {
    return {_mm512_mask_mov_epi32(otherwise.v, static_cast<__mmask16>(lanes), then.v)};
}

// Big-endian words: row l of `rows` <-> lane l of words[0..15].
inline void transpose(__m512i (&r)[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 4) {
        const __m512i a = _mm512_unpacklo_epi32(r[i], r[i + 1]), b = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        const __m512i c = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]), d = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);
        t[i] = _mm512_unpacklo_epi64(a, c);
        t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d);
        t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; ++i) {  // t[4 j + i] holds words i, 4 + i, 8 + i, 12 + i of rows 4 j .. 4 j + 3
        const __m512i a = _mm512_shuffle_i32x4(t[i], t[4 + i], 0x88), b = _mm512_shuffle_i32x4(t[i], t[4 + i], 0xDD);
        const __m512i c = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0xDD);
        r[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        r[4 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
        r[8 + i] = _mm512_shuffle_i32x4(a, c, 0xDD);
        r[12 + i] = _mm512_shuffle_i32x4(b, d, 0xDD);
    }
}

inline __m512i swap_bytes(__m512i a) {
    return _mm512_shuffle_epi8(a, _mm512_broadcast_i32x4(_mm_set_epi64x(0x0C0D0E0F08090A0B, 0x0405060700010203)));
}

inline void load_words(const std::uint8_t* block, std::size_t stride, WordLanes (&words)[16]) {
    __m512i r[16];
    for (int i = 0; i < 16; ++i) r[i] = swap_bytes(_mm512_loadu_si512(block + i * stride));
    transpose(r);
    for (int i = 0; i < 16; ++i) words[i].v = r[i];
}

inline void store_state(const WordLanes (&state)[8], std::uint8_t (*out)[32]) {
    __m512i r[16];
    for (int i = 0; i < 16; ++i) r[i] = i < 8 ? state[i].v : _mm512_setzero_si512();
    transpose(r);
    for (int i = 0; i < 16; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[i]), _mm512_castsi512_si256(swap_bytes(r[i])));
}

#elif defined(UNSEEN_AVX2)

struct WordLanes {
    __m256i v;
};
inline constexpr std::size_t kWordLanes = 8;

template <int By>
inline WordLanes rotate(WordLanes a) {
    return {_mm256_or_si256(_mm256_srli_epi32(a.v, By), _mm256_slli_epi32(a.v, 32 - By))};
}
template <int By>
inline WordLanes shift(WordLanes a) {
    return {_mm256_srli_epi32(a.v, By)};
}
inline WordLanes add(WordLanes a, WordLanes b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline WordLanes xor3(WordLanes a, WordLanes b, WordLanes c) { return {_mm256_xor_si256(_mm256_xor_si256(a.v, b.v), c.v)}; }
inline WordLanes choose(WordLanes e, WordLanes f, WordLanes g) {
    return {_mm256_xor_si256(g.v, _mm256_and_si256(e.v, _mm256_xor_si256(f.v, g.v)))};
}
inline WordLanes majority(WordLanes a, WordLanes b, WordLanes c) {
    return {_mm256_or_si256(_mm256_and_si256(a.v, b.v), _mm256_and_si256(c.v, _mm256_or_si256(a.v, b.v)))};
}
inline WordLanes spread(std::uint32_t a, WordLanes) { return {_mm256_set1_epi32(static_cast<int>(a))}; }
inline WordLanes select(std::uint32_t lanes, WordLanes then, WordLanes otherwise) {
    const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(lanes)), bits);
    return {_mm256_blendv_epi8(otherwise.v, then.v, _mm256_cmpeq_epi32(set, bits))};
}

inline void transpose(__m256i (&r)[8]) {
    __m256i t[8];
    for (int i = 0; i < 8; i += 4) {
        const __m256i a = _mm256_unpacklo_epi32(r[i], r[i + 1]), b = _mm256_unpackhi_epi32(r[i], r[i + 1]);
        const __m256i c = _mm256_unpacklo_epi32(r[i + 2], r[i + 3]), d = _mm256_unpackhi_epi32(r[i + 2], r[i + 3]);
        t[i] = _mm256_unpacklo_epi64(a, c);
        t[i + 1] = _mm256_unpackhi_epi64(a, c);
        t[i + 2] = _mm256_unpacklo_epi64(b, d);
        t[i + 3] = _mm256_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; ++i) {
        r[i] = _mm256_permute2x128_si256(t[i], t[4 + i], 0x20);
        r[4 + i] = _mm256_permute2x128_si256(t[i], t[4 + i], 0x31);
    }
}

inline __m256i swap_bytes(__m256i a) {
    return _mm256_shuffle_epi8(a, _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0C0D0E0F08090A0B, 0x0405060700010203)));
}

inline void load_words(const std::uint8_t* block, std::size_t stride, WordLanes (&words)[16]) {
    for (int half = 0; half < 2; ++half) {
        __m256i r[8];
        for (int i = 0; i < 8; ++i)
            r[i] = swap_bytes(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + i * stride + 32 * half)));
        transpose(r);
        for (int i = 0; i < 8; ++i) words[8 * half + i].v = r[i];
    }
}

inline void store_state(const WordLanes (&state)[8], std::uint8_t (*out)[32]) {
    __m256i r[8];
    for (int i = 0; i < 8; ++i) r[i] = state[i].v;
    transpose(r);
    for (int i = 0; i < 8; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[i]), swap_bytes(r[i]));
}

#else

using WordLanes = std::uint32_t;
inline constexpr std::size_t kWordLanes = 1;

inline WordLanes select(std::uint32_t lanes, WordLanes then, WordLanes otherwise) { return lanes & 1 ? then : otherwise; }

#endif

inline void load_words(const std::uint8_t* block, std::size_t, std::uint32_t (&words)[16]) {
    for (int i = 0; i < 16; ++i)
        words[i] = static_cast<std::uint32_t>(block[4 * i]) << 24 | static_cast<std::uint32_t>(block[4 * i + 1]) << 16 |
                   static_cast<std::uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
}

inline void store_state(const std::uint32_t (&state)[8], std::uint8_t (*out)[32]) {
    for (int i = 0; i < 32; ++i) (*out)[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
}

template <typename Word>
inline void start(Word (&state)[8]) {
    for (int i = 0; i < 8; ++i) state[i] = spread(kInitialState[i], Word{});
}

// The compression function; uses up `w`.
template <typename Word>
inline void compress(Word (&state)[8], Word (&w)[16]) {
    Word a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int sixteen = 0; sixteen < 64; sixteen += 16) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) {
            if (sixteen > 0) {
                const Word early = w[(i + 1) & 15], late = w[(i + 14) & 15];
                const Word s0 = xor3(rotate<7>(early), rotate<18>(early), shift<3>(early));
                const Word s1 = xor3(rotate<17>(late), rotate<19>(late), shift<10>(late));
                w[i] = add(add(w[i], s0), add(w[(i + 9) & 15], s1));
            }
            const Word t = add(add(add(h, spread(kRoundConstants[sixteen + i], Word{})), w[i]),
                               add(xor3(rotate<6>(e), rotate<11>(e), rotate<25>(e)), choose(e, f, g)));
            const Word u = add(xor3(rotate<2>(a), rotate<13>(a), rotate<22>(a)), majority(a, b, c));
            h = g;
            g = f;
            f = e;
            e = add(d, t);
            d = c;
            c = b;
            b = a;
            a = add(t, u);
        }
    }
    state[0] = add(state[0], a);
    state[1] = add(state[1], b);
    state[2] = add(state[2], c);
    state[3] = add(state[3], d);
    state[4] = add(state[4], e);
    state[5] = add(state[5], f);
    state[6] = add(state[6], g);
    state[7] = add(state[7], h);
}

}  // namespace unseen::UNSEEN_ISA
