// Words to planes of bits and back, 64 x 64 bits at a time.
#include "simd/target.hpp"
#include "unseen/shares.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kSide = 64;

// In place: bit j of word i to bit i of word j.
inline void turn(std::uint64_t (&square)[kSide]) {
    constexpr std::uint64_t kLow[6] = {0x00000000FFFFFFFF, 0x0000FFFF0000FFFF, 0x00FF00FF00FF00FF,
                                       0x0F0F0F0F0F0F0F0F, 0x3333333333333333, 0x5555555555555555};
#ifdef UNSEEN_AVX512
    __m512i rows[8];
    for (int v = 0; v < 8; ++v) rows[v] = _mm512_loadu_si512(square + 8 * v);
    const auto exchange = [](__m512i& a, __m512i& b, int shift, std::uint64_t low) {
        const __m512i moved = _mm512_and_si512(_mm512_xor_si512(_mm512_srli_epi64(a, shift), b),
                                               _mm512_set1_epi64(static_cast<long long>(low)));
        b = _mm512_xor_si512(b, moved);
        a = _mm512_xor_si512(a, _mm512_slli_epi64(moved, shift));
    };
    // Rows 32, 16 and 8 apart are whole vectors.
    for (int step = 0; step < 3; ++step) {
        const int apart = 4 >> step;
        for (int v = 0; v < 8; ++v)
            if ((v & apart) == 0) exchange(rows[v], rows[v + apart], 32 >> step, kLow[step]);
    }
    // Rows 4, 2 and 1 apart lie in one vector: put the partners into two vectors, exchange, put them back.
    const __m512i pick_low[3] = {_mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11), _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
                                 _mm512_setr_epi64(0, 8, 2, 10, 4, 12, 6, 14)};
    const __m512i pick_high[3] = {_mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15),
                                  _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15),
                                  _mm512_setr_epi64(1, 9, 3, 11, 5, 13, 7, 15)};
    for (int step = 0; step < 3; ++step)
        for (int v = 0; v < 8; v += 2) {
            __m512i a = _mm512_permutex2var_epi64(rows[v], pick_low[step], rows[v + 1]);
            __m512i b = _mm512_permutex2var_epi64(rows[v], pick_high[step], rows[v + 1]);
            exchange(a, b, 4 >> step, kLow[3 + step]);
            rows[v] = _mm512_permutex2var_epi64(a, pick_low[step], b);
            rows[v + 1] = _mm512_permutex2var_epi64(a, pick_high[step], b);
        }
    for (int v = 0; v < 8; ++v) _mm512_storeu_si512(square + 8 * v, rows[v]);
#else
    for (int step = 0; step < 6; ++step) {
        const std::size_t apart = std::size_t{32} >> step;
        for (std::size_t i = 0; i < kSide; ++i) {
            if (i & apart) continue;
            const std::uint64_t moved = (square[i] >> apart ^ square[i + apart]) & kLow[step];
            square[i + apart] ^= moved;
            square[i] ^= moved << apart;
        }
    }
#endif
}

}  // namespace

void split_places(const std::uint64_t* words, std::size_t n, std::size_t places, std::uint64_t* planes) {
    const std::size_t columns = (n + kSide - 1) / kSide;
    constexpr std::size_t kAtOnce = 8;  // a cache line of every plane
    alignas(64) std::uint64_t squares[kAtOnce][kSide];
    for (std::size_t column = 0; column < columns; column += kAtOnce) {
        const std::size_t count = columns - column < kAtOnce ? columns - column : kAtOnce;
        for (std::size_t s = 0; s < count; ++s) {
            for (std::size_t i = 0; i < kSide; ++i) {
                const std::size_t element = kSide * (column + s) + i;
                squares[s][i] = element < n ? words[element] : 0;
            }
            turn(squares[s]);
        }
        for (std::size_t i = 0; i < places; ++i)
            for (std::size_t s = 0; s < count; ++s) planes[i * columns + column + s] = squares[s][i];
    }
}

void join_places(const std::uint64_t* planes, std::size_t n, std::size_t places, std::uint64_t* words) {
    const std::size_t columns = (n + kSide - 1) / kSide;
    alignas(64) std::uint64_t square[kSide];
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t i = 0; i < kSide; ++i) square[i] = i < places ? planes[i * columns + column] : 0;
        turn(square);
        for (std::size_t i = 0; i < kSide && kSide * column + i < n; ++i) words[kSide * column + i] = square[i];
    }
}

}  // namespace unseen::UNSEEN_ISA
