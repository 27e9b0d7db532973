// AES-128 encryption (FIPS 197) of many blocks at a time, without tables indexed by secrets.
//
// The call sites want throughput: `encrypt` takes as many blocks as there are, under one key.
#pragma once

#include "simd/block.hpp"

namespace unseen::UNSEEN_ISA {

constexpr int kRounds = 10;

struct AesKey {
    Block round[kRounds + 1];
};

#ifdef UNSEEN_AVX2

template <int Constant>
inline __m128i next_round_key(__m128i key) {
    const __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, Constant), 0xFF);
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

#else

// Bytes eight at a time in a word, each operation on all of them: the S-box is x^254 and an affine map, computed.
inline std::uint64_t times_x(std::uint64_t a) {
    const std::uint64_t top = a >> 7 & 0x0101010101010101;
    return (a & 0x7F7F7F7F7F7F7F7F) << 1 ^ top * 0x1B;
}

inline std::uint64_t multiply_bytes(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    for (int i = 0; i < 8; ++i) {
        product ^= a & (b >> i & 0x0101010101010101) * 0xFF;
        a = times_x(a);
    }
    return product;
}

inline std::uint64_t substitute(std::uint64_t a) {
    const auto square = [](std::uint64_t x) { return multiply_bytes(x, x); };
    const std::uint64_t a2 = square(a), a3 = multiply_bytes(a2, a);
    const std::uint64_t a12 = square(square(a3)), a15 = multiply_bytes(a12, a3);
    const std::uint64_t a240 = square(square(square(square(a15))));
    const std::uint64_t inverse = multiply_bytes(multiply_bytes(a240, a12), a2);  // a^254
    const auto rotate = [](std::uint64_t x, int by) {
        const std::uint64_t keep = 0x0101010101010101 * (0xFFu >> (8 - by) & 0xFFu);
        const std::uint64_t rest = 0x0101010101010101 * (0xFFu >> by);
        return (x & rest) << by | (x >> (8 - by) & keep);
    };
    return inverse ^ rotate(inverse, 1) ^ rotate(inverse, 2) ^ rotate(inverse, 3) ^ rotate(inverse, 4) ^
           0x6363636363636363;
}

inline AesKey expand(Block key) {
    AesKey k;
    k.round[0] = key;
    std::uint64_t constant = 1;
    for (int r = 1; r <= kRounds; ++r) {
        const std::uint64_t l = low(k.round[r - 1]), h = high(k.round[r - 1]);
        const std::uint64_t last = h >> 32;
        const std::uint64_t turned = (last >> 8 | last << 24) & 0xFFFFFFFF;
        const std::uint64_t word = (substitute(turned) & 0xFFFFFFFF) ^ constant;
        const std::uint64_t w0 = (l ^ word) & 0xFFFFFFFF, w1 = l >> 32 ^ w0;
        const std::uint64_t w2 = (h & 0xFFFFFFFF) ^ w1, w3 = h >> 32 ^ w2;
        k.round[r] = make_block(w0 | w1 << 32, w2 | w3 << 32);
        constant = times_x(constant);
    }
    return k;
}

inline Block shift_rows(Block a) {
    std::uint8_t from[16], to[16];
    store(from, a);
    for (int i = 0; i < 16; ++i) to[i] = from[(i + 4 * (i % 4)) % 16];
    return load(to);
}

inline std::uint64_t mix_columns(std::uint64_t a) {
    const auto turn = [](std::uint64_t x, int by) {  // bytes within each column of four
        const std::uint64_t left = 0x0000000100000001 * (0xFFFFFFFFu >> (8 * by));
        return (x >> (8 * by) & left) | (x << (32 - 8 * by) & ~left);
    };
    const std::uint64_t doubled = times_x(a), next = turn(a, 1);
    return doubled ^ times_x(next) ^ next ^ turn(a, 2) ^ turn(a, 3);
}

inline void encrypt(const AesKey& key, Block* data, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        Block state = data[i] ^ key.round[0];
        for (int r = 1; r <= kRounds; ++r) {
            state = shift_rows(make_block(substitute(low(state)), substitute(high(state))));
            if (r < kRounds) state = make_block(mix_columns(low(state)), mix_columns(high(state)));
            state ^= key.round[r];
        }
        data[i] = state;
    }
}

#endif

}  // namespace unseen::UNSEEN_ISA
