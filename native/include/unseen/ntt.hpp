// Polynomials modulo X^n + 1 and a few primes ("limbs") below 2^50: negacyclic transform, products, sampling, rounding.
//
// A table has four rows of n words for each limb: powers of the root in the order in which the forward transform takes
// them, their quotients floor(w 2^52 / q), and the same for the inverse, whose first pair holds 1/n and whose second
// is divided by n. Which order that is, and that of transformed coefficients, is said in unseen.kernels.ntt. Inputs that
// should be below their prime may be anything: the result then means nothing, and no memory is touched that was not given.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

constexpr std::size_t kNttLeast = 64, kNttMost = 1 << 15, kNttLimbs = 8, kNttTerms = 4096;

#define UNSEEN_NTT(ISA)                                                                                               \
    namespace ISA {                                                                                                   \
    /* The first `len` coefficients (8 to n, a power of two; the others are zero) to n values, below q */             \
    void ntt_forward(const std::uint64_t* table, std::uint64_t q, const std::uint64_t* in, std::size_t len,           \
                     std::uint64_t* out, std::size_t n);                                                              \
    void ntt_inverse(const std::uint64_t* table, std::uint64_t q, const std::uint64_t* in, std::uint64_t* out,        \
                     std::size_t n);                                                                                  \
    /* out = add + the sum over t < terms of left[t] * right[t] mod q; term t begins `stride` words after the last;   \
       add may be null; terms <= 4096 */                                                                              \
    void ntt_inner(std::uint64_t q, const std::uint64_t* left, std::size_t left_stride, const std::uint64_t* right,   \
                   std::size_t right_stride, std::size_t terms, const std::uint64_t* add, std::uint64_t* out,         \
                   std::size_t n);                                                                                    \
    /* small + factor * message mod q; |small| < 2^63; message may be null */                                         \
    void ntt_residues(std::uint64_t q, const std::int64_t* small, const std::uint64_t* message, std::uint64_t factor, \
                      std::uint64_t* out, std::size_t n);                                                             \
    /* uniform below q, from AES under a public key: word i of try k is that of the pad of use k 2^48 + use, cut to   \
       as many bits as q has; the first try below q counts */                                                         \
    void ntt_uniform(std::uint64_t q, const std::uint8_t* key, std::uint64_t use, std::uint64_t* out, std::size_t n); \
    /* ones among bits 0-20 of a word less ones among bits 21-41 */                                                   \
    void ntt_noise(const std::uint64_t* words, std::int64_t* out, std::size_t n);                                     \
    /* floor(3 word / 2^64) - 1 */                                                                                    \
    void ntt_ternary(const std::uint64_t* words, std::int64_t* out, std::size_t n);                                   \
    /* x / Q mod 1 to 128 bits after the point, x < Q = q_0 ... given by residues (limbs, n) plus `small` (may be     \
       null, |small| < 2^40): the sum over limbs of y_l * weights[l] mod 2^192, less its lowest word, where           \
       y_l = residue * inverses[l] mod q_l and weights[l] has three words, lowest first */                            \
    void ntt_fraction(const std::uint64_t* primes, std::size_t limbs, const std::uint64_t* inverses,                  \
                      const std::uint64_t* weights, const std::uint64_t* residues, const std::int64_t* small,         \
                      std::uint64_t* high, std::uint64_t* low, std::size_t n);                                        \
    /* the lowest `bits` (1 to 56) of each word, one after the other, in little-endian bytes; the last byte is filled \
       up with zeros */                                                                                               \
    void ntt_pack(const std::uint64_t* words, std::size_t n, unsigned bits, std::uint8_t* out);                       \
    void ntt_unpack(const std::uint8_t* bytes, std::size_t n, unsigned bits, std::uint64_t* out);                     \
    }
UNSEEN_EACH_ISA(UNSEEN_NTT)

}  // namespace unseen
