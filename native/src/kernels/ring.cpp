// Matrix products: the blocks of ring_block.hpp; where AVX-512 DQ has a 64-bit multiplication (vpmullq), 8 rows of 3
// vectors stay in registers, and large products go to the matrix unit (ring_tiles.hpp) of processors that have one.
#include "unseen/ring.hpp"

#include "ring_block.hpp"
#include "simd/target.hpp"
#ifdef UNSEEN_AMX
#include "ring_tiles.hpp"
#endif

namespace unseen::UNSEEN_ISA {

#ifdef UNSEEN_AVX512
namespace {

constexpr std::size_t kRows = 8, kVectors = 3, kStrip = 8 * kVectors, kDepth = 256;

void block(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t k, std::size_t m,
           std::size_t first, std::size_t last, bool begin) {
    __m512i sum[kRows][kVectors];
    for (std::size_t i = 0; i < kRows; ++i)
        for (std::size_t v = 0; v < kVectors; ++v)
            sum[i][v] = begin ? _mm512_setzero_si512() : _mm512_loadu_si512(c + i * m + 8 * v);
    for (std::size_t p = first; p < last; ++p) {
        __m512i row[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) row[v] = _mm512_loadu_si512(b + p * m + 8 * v);
        for (std::size_t i = 0; i < kRows; ++i) {
            const __m512i factor = _mm512_set1_epi64(static_cast<long long>(a[i * k + p]));
            for (std::size_t v = 0; v < kVectors; ++v)
                sum[i][v] = _mm512_add_epi64(sum[i][v], _mm512_mullo_epi64(factor, row[v]));
        }
    }
    for (std::size_t i = 0; i < kRows; ++i)
        for (std::size_t v = 0; v < kVectors; ++v) _mm512_storeu_si512(c + i * m + 8 * v, sum[i][v]);
}

}  // namespace

void matmul(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n, std::size_t k,
            std::size_t m) {
#ifdef UNSEEN_AMX
    // Below that, what packing costs is not won back.
    if (isa() == Isa::amx && n >= tiles::kSide && m >= tiles::kSide && k >= tiles::kDepth / 2)
        return tiles::matmul(a, b, c, n, k, m);
#endif
    if (m < kStrip || n < kRows || k == 0) return multiply<4, 8>(a, b, c, n, k, m);
    for (std::size_t first = 0; first < k; first += kDepth) {
        const std::size_t last = std::min(k, first + kDepth);
        const bool begin = first == 0;
        std::size_t j = 0;
        for (; j + kStrip <= m; j += kStrip) {
            std::size_t i = 0;
            for (; i + kRows <= n; i += kRows) block(a + i * k, b + j, c + i * m + j, k, m, first, last, begin);
            multiply_rest(a + i * k, b + j, c + i * m + j, n - i, k, m, kStrip, first, last, begin);
        }
        multiply_rest(a, b + j, c + j, n, k, m, m - j, first, last, begin);
    }
}

#else

void matmul(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n, std::size_t k,
            std::size_t m) {
    multiply<4, kColumns>(a, b, c, n, k, m);
}

#endif

}  // namespace unseen::UNSEEN_ISA
