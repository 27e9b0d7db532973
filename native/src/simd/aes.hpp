// AES-128 encryption (FIPS 197) of many blocks at a time, without tables indexed by secrets.
//
// The call sites want throughput: `encrypt` takes as many blocks as there are, under one key. Processors without AES
// instructions take aes_bitsliced.hpp.
#pragma once

#include "simd/block.hpp"

#ifndef UNSEEN_AVX2
#include "simd/aes_bitsliced.hpp"
#else

namespace unseen::UNSEEN_ISA {

constexpr int kRounds = 10;

struct AesKey {
    Block round[kRounds + 1];
};

// The last round of AES on four equal columns is the substitution of their bytes: several times as fast as the instruction
// that was made for it.
template <int Constant>
inline __m128i next_round_key(__m128i key) {
    const __m128i turned = _mm_shuffle_epi8(key, _mm_set1_epi32(0x0C0F0E0D));
    const __m128i word = _mm_aesenclast_si128(turned, _mm_set1_epi32(Constant));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, word);
}

inline AesKey expand(Block key) {
    AesKey k;
    k.round[0] = key;
    k.round[1] = {next_round_key<0x01>(k.round[0].v)};
    k.round[2] = {next_round_key<0x02>(k.round[1].v)};
    k.round[3] = {next_round_key<0x04>(k.round[2].v)};
    k.round[4] = {next_round_key<0x08>(k.round[3].v)};
    k.round[5] = {next_round_key<0x10>(k.round[4].v)};
    k.round[6] = {next_round_key<0x20>(k.round[5].v)};
    k.round[7] = {next_round_key<0x40>(k.round[6].v)};
    k.round[8] = {next_round_key<0x80>(k.round[7].v)};
    k.round[9] = {next_round_key<0x1B>(k.round[8].v)};
    k.round[10] = {next_round_key<0x36>(k.round[9].v)};
    return k;
}

template <int Count>
inline void encrypt_narrow(const AesKey& key, Block* data) {
    for (int i = 0; i < Count; ++i) data[i] ^= key.round[0];
    for (int r = 1; r < kRounds; ++r)
        for (int i = 0; i < Count; ++i) data[i].v = _mm_aesenc_si128(data[i].v, key.round[r].v);
    for (int i = 0; i < Count; ++i) data[i].v = _mm_aesenclast_si128(data[i].v, key.round[kRounds].v);
}

#ifdef UNSEEN_AVX512
// `Count` vectors of four blocks.
template <int Count>
inline void encrypt_wide(const AesKey& key, __m512i (&data)[Count]) {
    const __m512i first = _mm512_broadcast_i32x4(key.round[0].v);
    for (int i = 0; i < Count; ++i) data[i] = _mm512_xor_si512(data[i], first);
    for (int r = 1; r < kRounds; ++r) {
        const __m512i round = _mm512_broadcast_i32x4(key.round[r].v);
        for (int i = 0; i < Count; ++i) data[i] = _mm512_aesenc_epi128(data[i], round);
    }
    const __m512i last = _mm512_broadcast_i32x4(key.round[kRounds].v);
    for (int i = 0; i < Count; ++i) data[i] = _mm512_aesenclast_epi128(data[i], last);
}
#endif

// In place.
inline void encrypt(const AesKey& key, Block* data, std::size_t count) {
    std::size_t i = 0;
#ifdef UNSEEN_AVX512
    for (; i + 32 <= count; i += 32) {
        __m512i wide[8];
        for (int j = 0; j < 8; ++j) wide[j] = _mm512_loadu_si512(data + i + 4 * j);
        encrypt_wide<8>(key, wide);
        for (int j = 0; j < 8; ++j) _mm512_storeu_si512(data + i + 4 * j, wide[j]);
    }
#endif
    for (; i + 8 <= count; i += 8) encrypt_narrow<8>(key, data + i);
    for (; i < count; ++i) encrypt_narrow<1>(key, data + i);
}

}  // namespace unseen::UNSEEN_ISA

#endif

namespace unseen::UNSEEN_ISA {

// AES of (first, high), (first + 1, high), ..., lower halves first: 16 bytes each to `out`.
inline void encrypt_counters(const AesKey& key, std::uint64_t first, std::uint64_t high, std::uint8_t* out,
                             std::size_t count) {
    std::size_t done = 0;
#ifdef UNSEEN_AVX512
    constexpr int kVectors = 8;
    const auto upper = static_cast<long long>(high), lower = static_cast<long long>(first);
    __m512i counter = _mm512_add_epi64(_mm512_set_epi64(upper, lower, upper, lower, upper, lower, upper, lower),
                                       _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
    const __m512i step = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    for (; done + 4 * kVectors <= count; done += 4 * kVectors) {
        __m512i wide[kVectors];
        for (int j = 0; j < kVectors; ++j, counter = _mm512_add_epi64(counter, step)) wide[j] = counter;
        encrypt_wide<kVectors>(key, wide);
        for (int j = 0; j < kVectors; ++j) _mm512_storeu_si512(out + 16 * done + 64 * j, wide[j]);
    }
#endif
    constexpr std::size_t kAtOnce = 32;
    Block batch[kAtOnce];
    for (; done < count; done += kAtOnce) {
        const std::size_t here = count - done < kAtOnce ? count - done : kAtOnce;
        for (std::size_t i = 0; i < here; ++i) batch[i] = make_block(first + done + i, high);
        encrypt(key, batch, here);
        for (std::size_t i = 0; i < here; ++i) store(out + 16 * (done + i), batch[i]);
    }
}

}  // namespace unseen::UNSEEN_ISA
