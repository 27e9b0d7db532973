// Transposing bit matrices. Bit j of byte i of a row is column 8 i + j.
//
// The fast path turns squares of 128 x 128 bits, kLaneBlocks of them side by side: bytes change places within 128-bit
// lanes until each eight-byte word is a tile of 8 x 8 bits, the tiles are turned, and their bytes are put into rows.
#pragma once

#include "simd/lanes.hpp"

namespace unseen::UNSEEN_ISA {

// A tile of 8 x 8 bits, row i in byte i.
inline std::uint64_t transpose_tile(std::uint64_t x) {
    std::uint64_t moved = (x ^ x >> 7) & 0x00AA00AA00AA00AA;
    x ^= moved ^ moved << 7;
    moved = (x ^ x >> 14) & 0x0000CCCC0000CCCC;
    x ^= moved ^ moved << 14;
    moved = (x ^ x >> 28) & 0x00000000F0F0F0F0;
    return x ^ moved ^ moved << 28;
}

constexpr int kSide = 128;

#ifdef UNSEEN_AVX2

#ifdef UNSEEN_AVX512
constexpr int kFlip = 7;  // the affine map reads its matrix from the last row to the first
inline Lanes transpose_tiles(Lanes a) {
    // Byte i of the constant is the unit vector e_i: the map makes column i of it.
    const __m512i unit = _mm512_set1_epi64(static_cast<long long>(0x8040201008040201));
    return {_mm512_gf2p8affine_epi64_epi8(unit, a.v, 0)};
}
#define UNSEEN_UNPACK(bits)                                                                                          \
    inline Lanes low##bits(Lanes a, Lanes b) { return {_mm512_unpacklo_epi##bits(a.v, b.v)}; }                        \
    inline Lanes high##bits(Lanes a, Lanes b) { return {_mm512_unpackhi_epi##bits(a.v, b.v)}; }
#else
constexpr int kFlip = 0;
inline Lanes transpose_tiles(Lanes a) {
    const auto step = [](__m256i x, int by, long long places) {
        const __m256i moved = _mm256_and_si256(_mm256_xor_si256(x, _mm256_srli_epi64(x, by)), _mm256_set1_epi64x(places));
        return _mm256_xor_si256(_mm256_xor_si256(x, moved), _mm256_slli_epi64(moved, by));
    };
    return {step(step(step(a.v, 7, 0x00AA00AA00AA00AA), 14, 0x0000CCCC0000CCCC), 28, 0x00000000F0F0F0F0)};
}
#define UNSEEN_UNPACK(bits)                                                                                          \
    inline Lanes low##bits(Lanes a, Lanes b) { return {_mm256_unpacklo_epi##bits(a.v, b.v)}; }                        \
    inline Lanes high##bits(Lanes a, Lanes b) { return {_mm256_unpackhi_epi##bits(a.v, b.v)}; }
#endif
UNSEEN_UNPACK(8)
UNSEEN_UNPACK(16)
UNSEEN_UNPACK(32)
UNSEEN_UNPACK(64)
#undef UNSEEN_UNPACK

// Eight rows of 16 bytes per lane to sixteen words of eight bytes, two to a vector: word p is byte p of each row.
inline void rows_to_tiles(const Lanes (&in)[8], Lanes (&out)[8]) {
    Lanes a[8], b[8];
    for (int i = 0; i < 4; ++i) {
        a[i] = low8(in[2 * i], in[2 * i + 1]);
        a[4 + i] = high8(in[2 * i], in[2 * i + 1]);
    }
    for (int half = 0; half < 8; half += 4)
        for (int i = 0; i < 2; ++i) {
            b[half + i] = low16(a[half + 2 * i], a[half + 2 * i + 1]);
            b[half + 2 + i] = high16(a[half + 2 * i], a[half + 2 * i + 1]);
        }
    for (int i = 0; i < 4; ++i) {
        out[2 * i] = low32(b[2 * i], b[2 * i + 1]);
        out[2 * i + 1] = high32(b[2 * i], b[2 * i + 1]);
    }
}

// Sixteen vectors, 16 x 16 bytes in each lane, transposed.
inline void transpose_bytes(const Lanes (&in)[16], Lanes (&out)[16]) {
    Lanes a[16], b[16];
    for (int i = 0; i < 8; ++i) {
        a[i] = low8(in[2 * i], in[2 * i + 1]);
        a[8 + i] = high8(in[2 * i], in[2 * i + 1]);
    }
    for (int half = 0; half < 16; half += 8)
        for (int i = 0; i < 4; ++i) {
            b[half + i] = low16(a[half + 2 * i], a[half + 2 * i + 1]);
            b[half + 4 + i] = high16(a[half + 2 * i], a[half + 2 * i + 1]);
        }
    for (int part = 0; part < 16; part += 4)
        for (int i = 0; i < 2; ++i) {
            a[part + i] = low32(b[part + 2 * i], b[part + 2 * i + 1]);
            a[part + 2 + i] = high32(b[part + 2 * i], b[part + 2 * i + 1]);
        }
    for (int i = 0; i < 8; ++i) {
        out[2 * i] = low64(a[2 * i], a[2 * i + 1]);
        out[2 * i + 1] = high64(a[2 * i], a[2 * i + 1]);
    }
}

// In place: in every lane, the square of 128 rows of 16 bytes.
inline void transpose_squares(Lanes (&square)[kSide]) {
    alignas(64) Lanes tiles[16][8];
    for (int group = 0; group < 16; ++group) {
        Lanes rows[8], words[8];
        for (int i = 0; i < 8; ++i) rows[i] = square[8 * group + (i ^ kFlip)];
        rows_to_tiles(rows, words);
        for (int i = 0; i < 8; ++i) tiles[group][i] = transpose_tiles(words[i]);
    }
    for (int pair = 0; pair < 8; ++pair) {
        Lanes words[16], rows[16];
        for (int group = 0; group < 16; ++group) words[group] = tiles[group][pair];
        transpose_bytes(words, rows);
        for (int i = 0; i < 16; ++i) square[16 * pair + i] = rows[i];
    }
}

#else

inline void transpose_squares(Lanes (&square)[kSide]) {
    std::uint8_t in[kSide][16], out[kSide][16];
    for (int i = 0; i < kSide; ++i) store(in[i], square[i]);
    for (int row = 0; row < kSide; row += 8)
        for (int byte = 0; byte < 16; ++byte) {
            std::uint64_t tile = 0;
            for (int i = 7; i >= 0; --i) tile = tile << 8 | in[row + i][byte];
            tile = transpose_tile(tile);
            for (int i = 0; i < 8; ++i) out[8 * byte + i][row / 8] = static_cast<std::uint8_t>(tile >> (8 * i));
        }
    for (int i = 0; i < kSide; ++i) square[i] = load(out[i]);
}

#endif

// 128 planes of `kLaneBlocks` blocks each, `stride` bytes apart, to 128 * kLaneBlocks rows of 16 bytes.
inline void planes_to_rows(const std::uint8_t* planes, std::size_t stride, std::uint8_t* rows) {
    alignas(64) Lanes square[kSide];
    for (int i = 0; i < kSide; ++i) square[i] = load_lanes(planes + i * stride);
    transpose_squares(square);
#if defined(UNSEEN_AVX512)
    // Lane l of vector i is row 128 l + i: four neighbouring rows of one lane make a full cache line.
    for (int i = 0; i < kSide; i += 4) {
        const __m512i a = square[i].v, b = square[i + 1].v, c = square[i + 2].v, d = square[i + 3].v;
        const __m512i ab01 = _mm512_shuffle_i64x2(a, b, 0x44), ab23 = _mm512_shuffle_i64x2(a, b, 0xEE);
        const __m512i cd01 = _mm512_shuffle_i64x2(c, d, 0x44), cd23 = _mm512_shuffle_i64x2(c, d, 0xEE);
        store_lanes(rows + 16 * i, {_mm512_shuffle_i64x2(ab01, cd01, 0x88)});
        store_lanes(rows + 16 * (i + 128), {_mm512_shuffle_i64x2(ab01, cd01, 0xDD)});
        store_lanes(rows + 16 * (i + 256), {_mm512_shuffle_i64x2(ab23, cd23, 0x88)});
        store_lanes(rows + 16 * (i + 384), {_mm512_shuffle_i64x2(ab23, cd23, 0xDD)});
    }
#elif defined(UNSEEN_AVX2)
    for (int i = 0; i < kSide; ++i) {
        store(rows + 16 * i, {_mm256_castsi256_si128(square[i].v)});
        store(rows + 16 * (i + 128), {_mm256_extracti128_si256(square[i].v, 1)});
    }
#else
    for (int i = 0; i < kSide; ++i) store(rows + 16 * i, square[i]);
#endif
}

// The other way: 128 * kLaneBlocks rows of 16 bytes to 128 planes.
inline void rows_to_planes(const std::uint8_t* rows, Lanes (&planes)[kSide]) {
    for (int i = 0; i < kSide; ++i) {
#if defined(UNSEEN_AVX512)
        const __m256i low = _mm256_set_m128i(load(rows + 16 * (i + 128)).v, load(rows + 16 * i).v);
        const __m256i high = _mm256_set_m128i(load(rows + 16 * (i + 384)).v, load(rows + 16 * (i + 256)).v);
        planes[i] = {_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)};
#elif defined(UNSEEN_AVX2)
        planes[i] = {_mm256_set_m128i(load(rows + 16 * (i + 128)).v, load(rows + 16 * i).v)};
#else
        planes[i] = load(rows + 16 * i);
#endif
    }
    transpose_squares(planes);
}

}  // namespace unseen::UNSEEN_ISA
