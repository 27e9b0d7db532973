// Arithmetic modulo an odd number of up to 6,600 bits, for ciphertexts: Montgomery's form in limbs of 52 bits.
//
// A residue x is held as x R mod n with R = 2^(52 L), in L limbs below 2^52, lowest first; R is at least 4 n. All results are
// below n, so that every instruction set gives the same limbs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

constexpr std::size_t kMontgomeryLimbs = 128;  // at most

struct Montgomery {
    const std::uint64_t* modulus;  // L limbs: n
    const std::uint64_t* one;      // R mod n
    const std::uint64_t* square;   // R^2 mod n
    std::size_t limbs;             // L
};

#define UNSEEN_MONTGOMERY(ISA)                                                                                        \
    namespace ISA {                                                                                                   \
    /* words: count rows of `width` 64-bit words, lowest first; flags: 1 where a row is below n (else its limbs are 0) */ \
    void montgomery_enter(const Montgomery& m, const std::uint64_t* words, std::size_t width, std::uint64_t* out,      \
                          std::uint8_t* flags, std::size_t count);                                                    \
    /* back: rows of ceil(52 L / 64) words or fewer, as many as n has */                                              \
    void montgomery_leave(const Montgomery& m, const std::uint64_t* limbs, std::uint64_t* words, std::size_t width,    \
                          std::size_t count);                                                                         \
    /* out = left * right, row by row; right_stride is L, or 0 for one row for all */                                 \
    void montgomery_multiply(const Montgomery& m, const std::uint64_t* left, const std::uint64_t* right,               \
                             std::size_t right_stride, std::uint64_t* out, std::size_t count);                        \
    /* out[s] = the product of table[order[i]] for starts[s] <= i < starts[s + 1]. Public numbers only: where memory is \
       read depends on `order` */                                                                                     \
    void montgomery_products(const Montgomery& m, const std::uint64_t* table, const std::int64_t* order,               \
                             const std::int64_t* starts, std::size_t segments, std::uint64_t* out);                   \
    /* out = base to the power 2^squarings */                                                                         \
    void montgomery_square(const Montgomery& m, const std::uint64_t* base, std::size_t squarings, std::uint64_t* out,  \
                           std::size_t count);                                                                        \
    /* out = base to the power of one exponent for all, `width` words lowest first: time and memory depend on its width \
       alone */                                                                                                       \
    void montgomery_power(const Montgomery& m, const std::uint64_t* base, const std::uint64_t* exponent,               \
                          std::size_t width, std::uint64_t* out, std::size_t count);                                  \
    }
UNSEEN_EACH_ISA(UNSEEN_MONTGOMERY)
#undef UNSEEN_MONTGOMERY

}  // namespace unseen
