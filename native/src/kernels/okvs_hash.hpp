// Where a key's value lies: its cluster and three distinct columns, from AES under the public seed.
#pragma once

#include "simd/aes.hpp"
#include "simd/gf96.hpp"
#include "unseen/okvs.hpp"

namespace unseen::UNSEEN_ISA {

struct Place {
    std::uint32_t column[3], cluster;
};

// The keys made from the seed: AES_seed(0), AES_seed(1), AES_seed(2).
struct OkvsKeys {
    AesKey place, dense, value;

    explicit OkvsKeys(const std::uint8_t* seed) {
        Block made[3] = {make_block(0, 0), make_block(1, 0), make_block(2, 0)};
        encrypt(expand(load(seed)), made, 3);
        place = expand(made[0]);
        dense = expand(made[1]);
        value = expand(made[2]);
    }
};

// Turns hashes, four words of 32 bits each, into places: word w of w0..w3 to w * range >> 32, ranges sparse, sparse - 1,
// sparse - 2, clusters; then the second column skips the first, the third skips both.
inline void to_places(const OkvsShape& shape, const Block* hashes, Place* places, std::size_t count) {
    const auto sparse = static_cast<std::uint32_t>(shape.sparse), clusters = static_cast<std::uint32_t>(shape.clusters);
    std::size_t i = 0;
#ifdef UNSEEN_AVX2
    const auto four = [](std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
        return _mm256_broadcastsi128_si256(_mm_setr_epi32(static_cast<int>(a), static_cast<int>(b), static_cast<int>(c),
                                                          static_cast<int>(d)));
    };
    const __m256i even = four(sparse, 0, sparse - 2, 0), odd = four(sparse - 1, 0, clusters, 0);
    const __m256i second = four(0, ~0u, 0, 0), third = four(0, 0, ~0u, 0);
    for (; i + 2 <= count; i += 2) {
        const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(hashes + i));
        const __m256i low = _mm256_srli_epi64(_mm256_mul_epu32(h, even), 32);
        const __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(h, 32), odd);
        __m256i q = _mm256_blend_epi32(low, high, 0xAA);
        const auto skip = [&q](__m256i taken, __m256i where) {  // adds 1 where q >= taken: columns are below 2^31
            q = _mm256_sub_epi32(q, _mm256_andnot_si256(_mm256_cmpgt_epi32(taken, q), where));
        };
        skip(_mm256_shuffle_epi32(q, 0x00), second);
        const __m256i a = _mm256_shuffle_epi32(q, 0x00), b = _mm256_shuffle_epi32(q, 0x55);
        skip(_mm256_min_epi32(a, b), third);
        skip(_mm256_max_epi32(a, b), third);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(places + i), q);
    }
#endif
    for (; i < count; ++i) {
        const std::uint64_t l = low(hashes[i]), h = high(hashes[i]);
        const auto scale = [](std::uint64_t word, std::uint32_t range) {
            return static_cast<std::uint32_t>((word & 0xFFFFFFFF) * range >> 32);
        };
        const std::uint32_t a = scale(l, sparse);
        std::uint32_t b = scale(l >> 32, sparse - 1), c = scale(h, sparse - 2);
        b += b >= a;
        c += c >= (a < b ? a : b);
        c += c >= (a < b ? b : a);
        places[i] = {{a, b, c}, scale(h >> 32, clusters)};
    }
}

inline void prefetch(const void* p) { __builtin_prefetch(p); }

constexpr std::size_t kOkvsBatch = 64;

}  // namespace unseen::UNSEEN_ISA
