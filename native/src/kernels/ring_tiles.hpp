// Matrix products mod 2^64 on the matrix unit of Intel processors (AMX): tiles of 16 x 64 bytes.
//
// A word is eight bytes; the product of two is the sum over i + j < 8 of a_i b_j 2^(8 (i + j)): 36 products of bytes. For each
// s = i + j the unit adds up a_i b_(s-i) over i and over the inner dimension in words of 32 bits. For s >= 4 only the low 32
// bits count; for s < 4 at most 4 kInner products of 255^2 are added, which stays below 2^32.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace unseen::avx512::tiles {

constexpr std::size_t kSide = 16;    // rows and columns of a tile of C
constexpr std::size_t kDepth = 64;   // inner dimension that one instruction takes
constexpr std::size_t kTile = 1024;  // bytes
constexpr std::size_t kBytes = 8;    // of a word
constexpr std::size_t kInner = 512;  // inner dimension at a time: kInner x kPanel words of B stay in the second-level cache
constexpr std::size_t kPanel = 256;
constexpr std::size_t kSteps = kInner / kDepth;
static_assert(4 * kInner * 255 * 255 < (1ull << 32));

struct Release {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
};
using Buffer = std::unique_ptr<std::uint8_t[], Release>;

inline Buffer buffer(std::size_t size) {
    auto* memory = static_cast<std::uint8_t*>(std::aligned_alloc(64, size));
    if (memory == nullptr) throw std::bad_alloc();
    return Buffer(memory);
}

// The unit's shape of all eight tiles; it belongs to this thread and is given back at the end.
class Unit {
public:
    Unit() {
        struct alignas(64) {
            std::uint8_t palette = 1, start = 0, reserved[14] = {};
            std::uint16_t row_bytes[16] = {};
            std::uint8_t rows[16] = {};
        } shape;
        for (int tile = 0; tile < 8; ++tile) {
            shape.row_bytes[tile] = kDepth;
            shape.rows[tile] = kSide;
        }
        _tile_loadconfig(&shape);
    }
    ~Unit() { _tile_release(); }
    Unit(const Unit&) = delete;
    Unit& operator=(const Unit&) = delete;
};

// Byte l of each of eight words, for all l: eight bytes of l = 0, then of l = 1, ...
inline __m512i bytes_together(__m512i words) {
    const __m512i column = _mm512_set_epi64(0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
                                            0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m512i row = _mm512_set1_epi64(0x3830282018100800);
    return _mm512_permutexvar_epi8(_mm512_add_epi8(row, column), words);
}

// Rows of A, 16 x 64 words from `a` (stride k) of which `rows` x `depth` are there: tile l has byte l of each.
inline void pack_left(const std::uint64_t* a, std::size_t k, std::size_t rows, std::size_t depth, std::uint8_t* out) {
    for (std::size_t r = 0; r < kSide; ++r) {
        __m512i part[8];
        for (std::size_t g = 0; g < 8; ++g) {
            const std::size_t there = r < rows && depth > 8 * g ? std::min<std::size_t>(8, depth - 8 * g) : 0;
            const auto mask = static_cast<__mmask8>((1u << there) - 1);
            part[g] = bytes_together(_mm512_maskz_loadu_epi64(mask, a + r * k + 8 * g));
        }
        // Transposes 8 x 8 words: afterwards row l has byte l of all 64 words.
        __m512i pairs[8], fours[8];
        for (std::size_t g = 0; g < 8; g += 2) {
            pairs[g] = _mm512_unpacklo_epi64(part[g], part[g + 1]);      // l even
            pairs[g + 1] = _mm512_unpackhi_epi64(part[g], part[g + 1]);  // l odd
        }
        for (std::size_t odd = 0; odd < 2; ++odd)
            for (std::size_t half = 0; half < 2; ++half) {
                const __m512i one = pairs[4 * half + odd], other = pairs[4 * half + 2 + odd];
                fours[4 * odd + 2 * half] = _mm512_shuffle_i64x2(one, other, 0x88);      // lanes 0, 2 of both
                fours[4 * odd + 2 * half + 1] = _mm512_shuffle_i64x2(one, other, 0xdd);  // lanes 1, 3 of both
            }
        for (std::size_t odd = 0; odd < 2; ++odd)
            for (std::size_t lane = 0; lane < 2; ++lane) {
                const __m512i one = fours[4 * odd + lane], other = fours[4 * odd + 2 + lane];
                const __m512i low = _mm512_shuffle_i64x2(one, other, 0x88);   // lane `lane`
                const __m512i high = _mm512_shuffle_i64x2(one, other, 0xdd);  // lane `lane` + 2
                _mm512_store_si512(out + (2 * lane + odd) * kTile + r * kDepth, low);
                _mm512_store_si512(out + (2 * (lane + 2) + odd) * kTile + r * kDepth, high);
            }
    }
}

// The same of B, 64 x 16 words (stride m) of which `depth` x `columns` are there. Four rows of B make one row of a tile: the unit
// wants the four bytes that meet four of A side by side.
inline void pack_right(const std::uint64_t* b, std::size_t m, std::size_t depth, std::size_t columns, std::uint8_t* out) {
    for (std::size_t q = 0; q < kSide; ++q)
        for (std::size_t half = 0; half < 2; ++half) {
            const std::size_t there = columns > 8 * half ? std::min<std::size_t>(8, columns - 8 * half) : 0;
            __m512i row[4];
            for (std::size_t t = 0; t < 4; ++t) {
                const std::size_t p = 4 * q + t;
                const auto mask = static_cast<__mmask8>(p < depth ? (1u << there) - 1 : 0);
                row[t] = bytes_together(_mm512_maskz_loadu_epi64(mask, b + p * m + 8 * half));
            }
            const __m512i even01 = _mm512_unpacklo_epi8(row[0], row[1]), odd01 = _mm512_unpackhi_epi8(row[0], row[1]);
            const __m512i even23 = _mm512_unpacklo_epi8(row[2], row[3]), odd23 = _mm512_unpackhi_epi8(row[2], row[3]);
            const __m512i made[2][2] = {
                {_mm512_unpacklo_epi16(even01, even23), _mm512_unpackhi_epi16(even01, even23)},
                {_mm512_unpacklo_epi16(odd01, odd23), _mm512_unpackhi_epi16(odd01, odd23)},
            };
            std::uint8_t* place = out + q * kDepth + 32 * half;
            for (std::size_t odd = 0; odd < 2; ++odd)
                for (std::size_t four = 0; four < 2; ++four) {
                    const __m512i lanes = made[odd][four];
                    std::uint8_t* to = place + odd * kTile + 16 * four;
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_extracti32x4_epi32(lanes, 0));
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * kTile), _mm512_extracti32x4_epi32(lanes, 1));
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 4 * kTile), _mm512_extracti32x4_epi32(lanes, 2));
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 6 * kTile), _mm512_extracti32x4_epi32(lanes, 3));
                }
        }
}

// 32 x 32 of C from two packed rows of tiles and two packed columns, `steps` deep: sums[s] has what counts 2^(8 s).
inline void block(const std::uint8_t* a, const std::uint8_t* b, std::size_t steps, std::uint32_t* sums) {
    const std::uint8_t *a1 = a + kSteps * kBytes * kTile, *b1 = b + kSteps * kBytes * kTile;
    for (std::size_t s = 0; s < kBytes; ++s) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (std::size_t step = 0; step < steps; ++step)
            for (std::size_t i = 0; i <= s; ++i) {
                const std::size_t left = (step * kBytes + i) * kTile, right = (step * kBytes + s - i) * kTile;
                _tile_loadd(4, a + left, kDepth);
                _tile_loadd(6, b + right, kDepth);
                _tile_loadd(5, a1 + left, kDepth);
                _tile_loadd(7, b1 + right, kDepth);
                _tile_dpbuud(0, 4, 6);
                _tile_dpbuud(1, 4, 7);
                _tile_dpbuud(2, 5, 6);
                _tile_dpbuud(3, 5, 7);
            }
        std::uint32_t* to = sums + s * 4 * kSide * kSide;
        _tile_stored(0, to, 2 * kDepth);
        _tile_stored(1, to + kSide, 2 * kDepth);
        _tile_stored(2, to + 2 * kSide * kSide, 2 * kDepth);
        _tile_stored(3, to + 2 * kSide * kSide + kSide, 2 * kDepth);
    }
}

inline void gather(const std::uint32_t* sums, std::uint64_t* c, std::size_t m, std::size_t rows, std::size_t columns,
                   bool begin) {
    for (std::size_t r = 0; r < std::min(rows, 2 * kSide); ++r)
        for (std::size_t j = 0; j < std::min(columns, 2 * kSide); j += 8) {
            const auto mask = static_cast<__mmask8>((1u << std::min<std::size_t>(8, columns - j)) - 1);
            __m512i total = begin ? _mm512_setzero_si512() : _mm512_maskz_loadu_epi64(mask, c + r * m + j);
            for (std::size_t s = 0; s < kBytes; ++s) {
                const auto* from = sums + (s * 2 * kSide + r) * 2 * kSide + j;
                const __m512i part = _mm512_cvtepu32_epi64(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)));
                total = _mm512_add_epi64(total, _mm512_slli_epi64(part, static_cast<unsigned>(8 * s)));
            }
            _mm512_mask_storeu_epi64(c + r * m + j, mask, total);
        }
}

inline void matmul(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n, std::size_t k,
                   std::size_t m) {
    constexpr std::size_t kColumn = kSteps * kBytes * kTile;  // bytes of a packed row or column of tiles
    const std::size_t panels = std::min(kPanel, (m + 2 * kSide - 1) / (2 * kSide) * 2 * kSide) / kSide;
    const Buffer right = buffer(panels * kColumn), left = buffer(2 * kColumn);
    alignas(64) std::uint32_t sums[kBytes * 4 * kSide * kSide];
    const Unit unit;
    for (std::size_t j = 0; j < m; j += kPanel)
        for (std::size_t first = 0; first < k; first += kInner) {
            const std::size_t depth = std::min(kInner, k - first), steps = (depth + kDepth - 1) / kDepth;
            const std::size_t columns = std::min(kPanel, m - j);
            for (std::size_t column = 0; column < panels; ++column)
                for (std::size_t step = 0; step < steps; ++step) {
                    const std::size_t from = std::min(kSide * column, columns);
                    pack_right(b + (first + step * kDepth) * m + j + from, m, depth - step * kDepth, columns - from,
                               right.get() + column * kColumn + step * kBytes * kTile);
                }
            for (std::size_t i = 0; i < n; i += 2 * kSide) {
                for (std::size_t row = 0; row < 2; ++row)
                    for (std::size_t step = 0; step < steps; ++step) {
                        const std::size_t from = std::min(n, i + row * kSide);
                        pack_left(a + from * k + first + step * kDepth, k, n - from, depth - step * kDepth,
                                  left.get() + row * kColumn + step * kBytes * kTile);
                    }
                for (std::size_t column = 0; kSide * column < columns; column += 2) {
                    block(left.get(), right.get() + column * kColumn, steps, sums);
                    gather(sums, c + i * m + j + kSide * column, m, n - i, columns - kSide * column, first == 0);
                }
            }
        }
}

}  // namespace unseen::avx512::tiles
