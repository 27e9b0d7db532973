// The one algorithm behind all instruction sets: rows of C in blocks, columns in strips that stay in registers.
//
// For a block of R rows and a strip of S columns, C[i, strip] accumulates A[i, p] * B[p, strip] over p. The compiler
// turns the strip into vectors of the instruction set that the including file is compiled for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "simd/target.hpp"

namespace unseen::UNSEEN_ISA {

#ifdef UNSEEN_AVX2
constexpr std::size_t kColumns = 8;
#else
constexpr std::size_t kColumns = 4;
#endif

template <std::size_t Rows, std::size_t Strip>
inline void multiply_block(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t k,
                           std::size_t m, std::size_t first, std::size_t last, bool begin) {
    std::uint64_t sum[Rows][Strip];
    for (std::size_t i = 0; i < Rows; ++i)
        for (std::size_t j = 0; j < Strip; ++j) sum[i][j] = begin ? 0 : c[i * m + j];
    for (std::size_t p = first; p < last; ++p) {
        const std::uint64_t* row = b + p * m;
        for (std::size_t i = 0; i < Rows; ++i) {
            const std::uint64_t factor = a[i * k + p];
            for (std::size_t j = 0; j < Strip; ++j) sum[i][j] += factor * row[j];
        }
    }
    for (std::size_t i = 0; i < Rows; ++i)
        for (std::size_t j = 0; j < Strip; ++j) c[i * m + j] = sum[i][j];
}

inline void multiply_rest(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t rows,
                          std::size_t k, std::size_t m, std::size_t columns, std::size_t first, std::size_t last,
                          bool begin) {
    for (std::size_t i = 0; i < rows; ++i) {
        if (begin) std::fill(c + i * m, c + i * m + columns, 0);
        for (std::size_t p = first; p < last; ++p) {
            const std::uint64_t factor = a[i * k + p];
            const std::uint64_t* row = b + p * m;
            for (std::size_t j = 0; j < columns; ++j) c[i * m + j] += factor * row[j];
        }
    }
}

// A matrix times one column: each row is a dot product.
inline void multiply_column(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n,
                            std::size_t k) {
    for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t sum = 0;
        for (std::size_t p = 0; p < k; ++p) sum += a[i * k + p] * b[p];
        c[i] = sum;
    }
}

template <std::size_t Rows, std::size_t Strip>
inline void multiply(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n, std::size_t k,
                     std::size_t m) {
    constexpr std::size_t kDepth = 256;  // a strip of B of this depth stays in the first-level cache
    if (m == 1) return multiply_column(a, b, c, n, k);
    if (k == 0) return std::fill(c, c + n * m, 0);
    for (std::size_t first = 0; first < k; first += kDepth) {
        const std::size_t last = std::min(k, first + kDepth);
        const bool begin = first == 0;
        for (std::size_t j = 0; j < m; j += Strip) {
            const std::size_t columns = std::min(Strip, m - j);
            std::size_t i = 0;
            if (columns == Strip)
                for (; i + Rows <= n; i += Rows)
                    multiply_block<Rows, Strip>(a + i * k, b + j, c + i * m + j, k, m, first, last, begin);
            multiply_rest(a + i * k, b + j, c + i * m + j, n - i, k, m, columns, first, last, begin);
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
