// AES-128 for processors without AES instructions: bitsliced, so that no table is indexed by a secret.
//
// Word j of the state holds bit j of the 64 bytes of four blocks; byte (row r, column c) of block b is bit 16 r + 4 c + b.
// Rows are then 16 neighbouring bits, so that ShiftRows and MixColumns are rotations. Each word is a vector of kLanes
// such 64-bit words: the compiler makes of it what the processor has.
#pragma once

#include "simd/block.hpp"

namespace unseen::UNSEEN_ISA {

constexpr int kRounds = 10;
constexpr int kLanes = 4;
constexpr int kSliced = 4 * kLanes;  // blocks at a time

typedef std::uint64_t Slice __attribute__((vector_size(8 * kLanes)));

struct AesKey {
    std::uint64_t round[kRounds + 1][8];  // bitsliced, the same for the four blocks
};

// The S-box of FIPS 197 as 115 gates on bit planes (Boyar and Peralta, "A new combinational logic minimization technique
// with applications to cryptology", SEA 2010). a[0] is the plane of the least significant bit.
template <typename Word>
inline void substitute(Word (&a)[8]) {
    const Word x0 = a[7], x1 = a[6], x2 = a[5], x3 = a[4], x4 = a[3], x5 = a[2], x6 = a[1], x7 = a[0];
    const Word y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2, y1 = t0 ^ x7, y4 = y1 ^ x3;
    const Word y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8, t1 = x4 ^ y12, y15 = t1 ^ x5;
    const Word y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0, y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11;
    const Word y19 = y10 ^ y8, y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;
    const Word t2 = y12 & y15, t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2, t7 = y13 & y16, t9 = (y5 & y1) ^ t7;
    const Word t11 = (y2 & y7) ^ t7, t12 = y9 & y11, t14 = (y14 & y17) ^ t12, t16 = (y8 & y10) ^ t12;
    const Word t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;
    const Word t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22, t30 = t23 ^ t24;
    const Word t33 = ((t22 ^ t26) & t30) ^ t24, t34 = t23 ^ t33, t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34;
    const Word t38 = t27 ^ t36, t40 = t25 ^ (t29 & t38), t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40;
    const Word t44 = t33 ^ t37, t45 = t42 ^ t41;
    const Word z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
    const Word z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
    const Word z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;
    const Word t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5;
    const Word t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53;
    const Word t58 = z4 ^ t46, t59 = z3 ^ t54, t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58;
    const Word t64 = z4 ^ t59, t65 = t61 ^ t62, t66 = z1 ^ t63, s3 = t53 ^ t66, t67 = t64 ^ t65;
    a[7] = t59 ^ t63;
    a[6] = ~(t64 ^ s3);
    a[5] = ~(t55 ^ t67);
    a[4] = s3;
    a[3] = t51 ^ t66;
    a[2] = t47 ^ t65;
    a[1] = ~(t56 ^ t62);
    a[0] = ~(t48 ^ t60);
}

// The bit matrix of 8 words by 8 bits, transposed within each byte position: bit j of byte m of word w goes to bit w of
// byte m of word j. Its own inverse.
template <typename Word>
inline void transpose_planes(Word (&q)[8]) {
    const auto swap = [](Word& x, Word& y, std::uint64_t low, int by) {
        const Word moved = (x >> by ^ y) & low;
        y ^= moved;
        x ^= moved << by;
    };
    for (int i = 0; i < 8; i += 2) swap(q[i], q[i + 1], 0x5555555555555555, 1);
    for (int i = 0; i < 8; i += 4)
        for (int j = i; j < i + 2; ++j) swap(q[j], q[j + 2], 0x3333333333333333, 2);
    for (int j = 0; j < 4; ++j) swap(q[j], q[j + 4], 0x0F0F0F0F0F0F0F0F, 4);
}

// Every other byte: those of `low` at even places, those of `high` at odd ones.
inline std::uint64_t interleave(std::uint64_t low, std::uint64_t high) {
    const auto spread = [](std::uint64_t x) {
        x = (x | x << 16) & 0x0000FFFF0000FFFF;
        return (x | x << 8) & 0x00FF00FF00FF00FF;
    };
    return spread(low & 0xFFFFFFFF) | spread(high & 0xFFFFFFFF) << 8;
}

inline std::uint64_t every_other_byte(std::uint64_t x) {
    x &= 0x00FF00FF00FF00FF;
    x = (x | x >> 8) & 0x0000FFFF0000FFFF;
    return (x | x >> 16) & 0xFFFFFFFF;
}

// Word 4 p + b takes columns p and p + 2 of block b; byte 2 r + i of it is row r of the i-th of them.
inline void pack(const Block* data, std::uint64_t (&q)[8]) {
    for (int b = 0; b < 4; ++b) {
        q[b] = interleave(low(data[b]), high(data[b]));
        q[4 + b] = interleave(low(data[b]) >> 32, high(data[b]) >> 32);
    }
}

inline void unpack(const std::uint64_t (&q)[8], Block* data) {
    for (int b = 0; b < 4; ++b)
        data[b] = make_block(every_other_byte(q[b]) | every_other_byte(q[4 + b]) << 32,
                             every_other_byte(q[b] >> 8) | every_other_byte(q[4 + b] >> 8) << 32);
}

inline std::uint32_t substitute_word(std::uint32_t word) {
    std::uint64_t q[8] = {word, 0, 0, 0, 0, 0, 0, 0};
    transpose_planes(q);
    substitute(q);
    transpose_planes(q);
    return static_cast<std::uint32_t>(q[0]);
}

inline AesKey expand(Block key) {
    AesKey k;
    std::uint64_t l = low(key), h = high(key);
    std::uint32_t constant = 1;
    for (int r = 0;; ++r) {
        const Block round[4] = {make_block(l, h), make_block(l, h), make_block(l, h), make_block(l, h)};
        pack(round, k.round[r]);
        transpose_planes(k.round[r]);
        if (r == kRounds) return k;
        const std::uint32_t last = static_cast<std::uint32_t>(h >> 32);
        const std::uint32_t word = substitute_word(last >> 8 | last << 24) ^ constant;
        const std::uint64_t w0 = (l ^ word) & 0xFFFFFFFF, w1 = l >> 32 ^ w0;
        const std::uint64_t w2 = (h & 0xFFFFFFFF) ^ w1, w3 = h >> 32 ^ w2;
        l = w0 | w1 << 32;
        h = w2 | w3 << 32;
        constant = (constant << 1 ^ (constant >> 7) * 0x11B) & 0xFF;
    }
}

inline void shift_rows(Slice (&q)[8]) {
    for (Slice& x : q)
        x = (x & 0x000000000000FFFF) | (x & 0x00000000FFF00000) >> 4 | (x & 0x00000000000F0000) << 12 |
            (x & 0x0000FF0000000000) >> 8 | (x & 0x000000FF00000000) << 8 | (x & 0xF000000000000000) >> 12 |
            (x & 0x0FFF000000000000) << 4;
}

inline void mix_columns(Slice (&q)[8]) {
    Slice next[8], sum[8];  // the row below, and the sum with it
    for (int j = 0; j < 8; ++j) {
        next[j] = q[j] >> 16 | q[j] << 48;
        sum[j] = q[j] ^ next[j];
    }
    for (int j = 0; j < 8; ++j) {
        const Slice doubled = j == 0 ? sum[7] : j == 1 || j == 3 || j == 4 ? sum[j - 1] ^ sum[7] : sum[j - 1];
        q[j] = doubled ^ next[j] ^ (sum[j] >> 32 | sum[j] << 32);
    }
}

inline void encrypt_sliced(const AesKey& key, Block* data) {
    std::uint64_t lane[8];
    Slice q[8];
    for (int l = 0; l < kLanes; ++l) {
        pack(data + 4 * l, lane);
        for (int j = 0; j < 8; ++j) q[j][l] = lane[j];
    }
    transpose_planes(q);
    for (int j = 0; j < 8; ++j) q[j] ^= key.round[0][j];
    for (int r = 1; r <= kRounds; ++r) {
        substitute(q);
        shift_rows(q);
        if (r < kRounds) mix_columns(q);
        for (int j = 0; j < 8; ++j) q[j] ^= key.round[r][j];
    }
    transpose_planes(q);
    for (int l = 0; l < kLanes; ++l) {
        for (int j = 0; j < 8; ++j) lane[j] = q[j][l];
        unpack(lane, data + 4 * l);
    }
}

// In place.
inline void encrypt(const AesKey& key, Block* data, std::size_t count) {
    std::size_t i = 0;
    for (; i + kSliced <= count; i += kSliced) encrypt_sliced(key, data + i);
    if (i == count) return;
    Block rest[kSliced] = {};
    for (std::size_t j = i; j < count; ++j) rest[j - i] = data[j];
    encrypt_sliced(key, rest);
    for (std::size_t j = i; j < count; ++j) data[j] = rest[j - i];
}

}  // namespace unseen::UNSEEN_ISA
