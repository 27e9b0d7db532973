// The two hashes of ggm.cpp, of a batch of blocks at a time under a fixed AES key (a public permutation pi):
//   plain    pi(sigma(x)) ^ sigma(x): circular correlation robust (Guo, Katz, Wang, Yu, S&P 2020)
//   tweaked  pi(pi(x) ^ i) ^ pi(x): the same with a tweak of its own for every node, at twice the cost
#pragma once

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::size_t kBatch = 32;

// The lower half becomes the upper one's value, the upper half the XOR of both: x -> sigma(x) ^ x is a permutation too.
inline Block sigma(Block a) {
#ifdef UNSEEN_AVX2
    return {_mm_xor_si128(_mm_shuffle_epi32(a.v, 0x4E), _mm_unpackhi_epi64(_mm_setzero_si128(), a.v))};
#else
    return make_block(high(a), low(a) ^ high(a));
#endif
}

// One, if they are equal; without a branch.
inline std::uint64_t same(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t d = a ^ b;
    return ((d | (0 - d)) >> 63) ^ 1;
}

// Up to kBatch blocks; the tweak of block i is `tweak` plus i in its lower half.
template <bool Tweaked>
inline void hash(const AesKey& key, const Block* x, Block* out, std::size_t count, std::uint64_t tweak) {
    Block y[kBatch];
    if constexpr (Tweaked) {
        for (std::size_t i = 0; i < count; ++i) y[i] = x[i];
        encrypt(key, y, count);
        for (std::size_t i = 0; i < count; ++i) out[i] = y[i] ^ make_block(tweak + i, 0);
    } else {
        for (std::size_t i = 0; i < count; ++i) out[i] = y[i] = sigma(x[i]);
    }
    encrypt(key, out, count);
    for (std::size_t i = 0; i < count; ++i) out[i] ^= y[i];
}

#ifdef UNSEEN_AVX512
constexpr int kVectors = kBatch / 4;

inline __m512i sigma(__m512i a) {
    return _mm512_xor_si512(_mm512_shuffle_epi32(a, _MM_PERM_BADC),
                            _mm512_unpackhi_epi64(_mm512_setzero_si512(), a));
}

// `indices` are those of the first four blocks, each in the lower half of its lane.
template <bool Tweaked>
inline void hash(const AesKey& key, const __m512i (&x)[kVectors], __m512i (&out)[kVectors], __m512i indices) {
    __m512i y[kVectors];
    if constexpr (Tweaked) {
        for (int i = 0; i < kVectors; ++i) y[i] = x[i];
        encrypt_wide<kVectors>(key, y);
        for (int i = 0; i < kVectors; ++i) {
            const __m512i ahead = _mm512_maskz_set1_epi64(0x55, 4 * i);
            out[i] = _mm512_xor_si512(y[i], _mm512_add_epi64(indices, ahead));
        }
    } else {
        for (int i = 0; i < kVectors; ++i) out[i] = y[i] = sigma(x[i]);
    }
    encrypt_wide<kVectors>(key, out);
    for (int i = 0; i < kVectors; ++i) out[i] = _mm512_xor_si512(out[i], y[i]);
}

// index, index + 1, .. in the lower halves of the lanes.
inline __m512i lane_indices(std::uint64_t index) {
    return _mm512_maskz_add_epi64(0x55, _mm512_set1_epi64(static_cast<long long>(index)),
                                  _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
}
#endif

}  // namespace unseen::UNSEEN_ISA
