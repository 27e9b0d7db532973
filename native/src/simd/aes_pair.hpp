// AES-128 of two blocks side by side under two keys that serve for little else: the schedules are made for both at once.
// For processors with AES instructions.
#pragma once

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {

#ifdef UNSEEN_AVX512

struct Pair {
    __m256i v;
};

inline Pair make_pair(Block low, Block high) { return {_mm256_set_m128i(high.v, low.v)}; }
inline Pair load_pair(const std::uint8_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline void store_pair(std::uint8_t* p, Pair a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
inline Pair operator^(Pair a, Pair b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline Pair operator&(Pair a, Pair b) { return {_mm256_and_si256(a.v, b.v)}; }
inline Block lower(Pair a) { return {_mm256_castsi256_si128(a.v)}; }
inline Block upper(Pair a) { return {_mm256_extracti128_si256(a.v, 1)}; }
inline Pair aes_round(Pair a, Pair key) { return {_mm256_aesenc_epi128(a.v, key.v)}; }
inline Pair aes_last(Pair a, Pair key) { return {_mm256_aesenclast_epi128(a.v, key.v)}; }

template <int Constant>
inline Pair next_round_keys(Pair key) {
    const __m256i turned = _mm256_shuffle_epi8(key.v, _mm256_set1_epi32(0x0C0F0E0D));
    const __m256i word = _mm256_aesenclast_epi128(turned, _mm256_set1_epi32(Constant));
    const __m256i once = _mm256_xor_si256(key.v, _mm256_bslli_epi128(key.v, 4));
    return {_mm256_ternarylogic_epi64(once, _mm256_bslli_epi128(once, 8), word, 0x96)};
}

// (u + l | u) of each block, upper half u and lower half l.
inline Pair sigma(Pair a) {
    const __m256i upper_half = _mm256_set_epi64x(-1, 0, -1, 0);
    return {_mm256_xor_si256(_mm256_shuffle_epi32(a.v, 0x4E), _mm256_and_si256(a.v, upper_half))};
}

// All ones in each block whose lowest bit is 1, else zeros.
inline Pair lowest_bits(Pair a) {
    const __m256i bit = _mm256_and_si256(_mm256_shuffle_epi32(a.v, 0x44), _mm256_set1_epi64x(1));
    return {_mm256_sub_epi64(_mm256_setzero_si256(), bit)};
}

#else

struct Pair {
    Block low, high;
};

inline Pair make_pair(Block low, Block high) { return {low, high}; }
inline Pair load_pair(const std::uint8_t* p) { return {load(p), load(p + 16)}; }
inline void store_pair(std::uint8_t* p, Pair a) {
    store(p, a.low);
    store(p + 16, a.high);
}
inline Pair operator^(Pair a, Pair b) { return {a.low ^ b.low, a.high ^ b.high}; }
inline Pair operator&(Pair a, Pair b) { return {a.low & b.low, a.high & b.high}; }
inline Block lower(Pair a) { return a.low; }
inline Block upper(Pair a) { return a.high; }
inline Pair aes_round(Pair a, Pair key) {
    return {{_mm_aesenc_si128(a.low.v, key.low.v)}, {_mm_aesenc_si128(a.high.v, key.high.v)}};
}
inline Pair aes_last(Pair a, Pair key) {
    return {{_mm_aesenclast_si128(a.low.v, key.low.v)}, {_mm_aesenclast_si128(a.high.v, key.high.v)}};
}

template <int Constant>
inline Pair next_round_keys(Pair key) {
    return {{next_round_key<Constant>(key.low.v)}, {next_round_key<Constant>(key.high.v)}};
}

inline Block sigma_of(Block a) {
    return {_mm_xor_si128(_mm_shuffle_epi32(a.v, 0x4E), _mm_and_si128(a.v, _mm_set_epi64x(-1, 0)))};
}
inline Pair sigma(Pair a) { return {sigma_of(a.low), sigma_of(a.high)}; }

inline Block lowest_bit_of(Block a) {
    return {_mm_sub_epi64(_mm_setzero_si128(), _mm_and_si128(_mm_shuffle_epi32(a.v, 0x44), _mm_set1_epi64x(1)))};
}
inline Pair lowest_bits(Pair a) { return {lowest_bit_of(a.low), lowest_bit_of(a.high)}; }

#endif

struct PairKeys {
    Pair round[kRounds + 1];
};

inline PairKeys expand(Pair key) {
    PairKeys k;
    k.round[0] = key;
    k.round[1] = next_round_keys<0x01>(k.round[0]);
    k.round[2] = next_round_keys<0x02>(k.round[1]);
    k.round[3] = next_round_keys<0x04>(k.round[2]);
    k.round[4] = next_round_keys<0x08>(k.round[3]);
    k.round[5] = next_round_keys<0x10>(k.round[4]);
    k.round[6] = next_round_keys<0x20>(k.round[5]);
    k.round[7] = next_round_keys<0x40>(k.round[6]);
    k.round[8] = next_round_keys<0x80>(k.round[7]);
    k.round[9] = next_round_keys<0x1B>(k.round[8]);
    k.round[10] = next_round_keys<0x36>(k.round[9]);
    return k;
}

template <int Count>
inline void encrypt(const PairKeys& key, Pair (&data)[Count]) {
    for (int i = 0; i < Count; ++i) data[i] = data[i] ^ key.round[0];
#pragma GCC unroll 9
    for (int r = 1; r < kRounds; ++r)
        for (int i = 0; i < Count; ++i) data[i] = aes_round(data[i], key.round[r]);
    for (int i = 0; i < Count; ++i) data[i] = aes_last(data[i], key.round[kRounds]);
}

}  // namespace unseen::UNSEEN_ISA
