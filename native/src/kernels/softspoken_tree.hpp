// One tree of SoftSpoken: from the streams of its leaves to their sum u and, for each bit j of the leaf's number, the sum
// v_j of those leaves that have the bit. Leaves go in fours through AES; their sums meet in a butterfly that halves them.
#pragma once

#include "simd/aes.hpp"
#include "simd/lanes.hpp"

namespace unseen::UNSEEN_ISA {

// What AES works on at once: a register of blocks where VAES is there, else one.
#ifdef UNSEEN_AVX512
using Cell = Lanes;
constexpr int kCells = 4;  // with four leaves: sixteen states in flight
constexpr int kCellBlocks = 4;
inline Cell load_cell(const std::uint8_t* p) { return load_lanes(p); }
inline void store_cell(std::uint8_t* p, Cell a) { store_lanes(p, a); }
inline Cell fill(Block a) { return broadcast(a); }
inline Cell counter_cell(std::uint64_t at) {
    const auto n = static_cast<long long>(at);
    return {_mm512_set_epi64(0, n + 3, 0, n + 2, 0, n + 1, 0, n)};
}
#else
using Cell = Block;
constexpr int kCellBlocks = 1;
#ifdef UNSEEN_AVX2
constexpr int kCells = 2;
#else
constexpr int kCells = kSliced;
#endif
inline Cell load_cell(const std::uint8_t* p) { return load(p); }
inline void store_cell(std::uint8_t* p, Cell a) { store(p, a); }
inline Cell fill(Block a) { return a; }
inline Cell counter_cell(std::uint64_t at) { return make_block(at, 0); }
#endif

constexpr int kStepBlocks = kCells * kCellBlocks;  // what one call of `tree_step` makes
constexpr int kMostBits = 8;

// Four leaves' streams.
#ifdef UNSEEN_AVX2
inline Cell aes_round(Cell a, Block key) {
#ifdef UNSEEN_AVX512
    return {_mm512_aesenc_epi128(a.v, broadcast(key).v)};
#else
    return {_mm_aesenc_si128(a.v, key.v)};
#endif
}

inline Cell aes_last(Cell a, Block key) {
#ifdef UNSEEN_AVX512
    return {_mm512_aesenclast_epi128(a.v, broadcast(key).v)};
#else
    return {_mm_aesenclast_si128(a.v, key.v)};
#endif
}

inline void four_leaves(const AesKey* keys, const Cell (&counter)[kCells], Cell (&s)[4][kCells]) {
#pragma GCC unroll 4
    for (int l = 0; l < 4; ++l)
#pragma GCC unroll 4
        for (int c = 0; c < kCells; ++c) s[l][c] = counter[c] ^ fill(keys[l].round[0]);
#pragma GCC unroll 9
    for (int r = 1; r < kRounds; ++r)
#pragma GCC unroll 4
        for (int l = 0; l < 4; ++l)
#pragma GCC unroll 4
            for (int c = 0; c < kCells; ++c) s[l][c] = aes_round(s[l][c], keys[l].round[r]);
#pragma GCC unroll 4
    for (int l = 0; l < 4; ++l)
#pragma GCC unroll 4
        for (int c = 0; c < kCells; ++c) s[l][c] = aes_last(s[l][c], keys[l].round[kRounds]);
}
#else
inline void four_leaves(const AesKey* keys, const Cell (&counter)[kCells], Cell (&s)[4][kCells]) {
    for (int l = 0; l < 4; ++l) {
        for (int c = 0; c < kCells; ++c) s[l][c] = counter[c];
        encrypt(keys[l], s[l], kCells);
    }
}
#endif

struct TreeStep {
    Cell sum[kCells];
    Cell plane[kMostBits][kCells];
};

inline void tree_step(const AesKey* keys, int bits, std::uint64_t first, TreeStep& out) {
    constexpr int kGroups = 1 << (kMostBits - 2);
    alignas(64) Cell sums[kGroups][kCells];
    Cell counter[kCells];
    for (int c = 0; c < kCells; ++c) {
        counter[c] = counter_cell(first + static_cast<std::uint64_t>(c * kCellBlocks));
        out.plane[0][c] = out.plane[1][c] = fill(zero_block());
    }
    const int groups = 1 << (bits - 2);
    for (int g = 0; g < groups; ++g) {
        Cell s[4][kCells];
        four_leaves(keys + 4 * g, counter, s);
        for (int c = 0; c < kCells; ++c) {
            const Cell odd = s[1][c] ^ s[3][c], upper = s[2][c] ^ s[3][c];
            out.plane[0][c] ^= odd;
            out.plane[1][c] ^= upper;
            sums[g][c] = s[0][c] ^ s[1][c] ^ upper;
        }
    }
    for (int bit = bits - 1; bit >= 2; --bit) {
        const int half = 1 << (bit - 2);
        for (int c = 0; c < kCells; ++c) {
            Cell plane = sums[half][c];
            for (int g = 1; g < half; ++g) plane ^= sums[half + g][c];
            out.plane[bit][c] = plane;
        }
        for (int g = 0; g < half; ++g)
            for (int c = 0; c < kCells; ++c) sums[g][c] ^= sums[half + g][c];
    }
    for (int c = 0; c < kCells; ++c) out.sum[c] = sums[0][c];
}

}  // namespace unseen::UNSEEN_ISA
