// 128-bit blocks: AES-128 as a stream, hashes made from it, GF(2^128), transposing bit matrices.
//
// All arrays are 16 bytes a block; results may not overlap their sources unless they are the same array. Elements of
// GF(2^128) are little-endian polynomials modulo x^128 + x^7 + x^2 + x + 1; numbers in blocks are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_BLOCKS(ISA)                                                                                             \
    namespace ISA {                                                                                                    \
    /* out[i] = AES(key, first + i), the counter's upper half being `stream` */                                        \
    void aes_ctr(const std::uint8_t* key, std::uint64_t stream, std::uint64_t first, std::uint8_t* out,                \
                 std::size_t blocks);                                                                                  \
    /* out[i] = pi(s(x_i)) + s(x_i), pi = AES under the fixed key, s(u | l) = (u + l | u), upper half first */         \
    void hash(const std::uint8_t* in, std::uint8_t* out, std::size_t blocks);                                          \
    /* out[i] = pi(pi(x_i) + first + i) + pi(x_i) */                                                                   \
    void hash_tweaked(const std::uint8_t* in, std::uint64_t first, std::uint8_t* out, std::size_t blocks);             \
    /* out[2 i], out[2 i + 1] = the hash (or, if `tweaked`, the tweaked hash with tweak first + i) of x_i and x_i + delta */ \
    void hash_both(const std::uint8_t* in, const std::uint8_t* delta, bool tweaked, std::uint64_t first,               \
                   std::uint8_t* out, std::size_t blocks);                                                             \
    /* out[i] = AES(start + (first + i / per_key), s(x_i)) + s(x_i) */                                                 \
    void hash_rekeyed(const std::uint8_t* in, const std::uint8_t* start, std::uint64_t first, std::size_t per_key,     \
                      std::uint8_t* out, std::size_t blocks);                                                          \
    /* out[i] = a[i] b[i], or a[i] b[0] if `one` */                                                                    \
    void gf_multiply(const std::uint8_t* a, const std::uint8_t* b, bool one, std::uint8_t* out, std::size_t blocks);   \
    /* out[0] = sum of a[i] b[i] */                                                                                    \
    void gf_inner(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::size_t blocks);                \
    /* out[0] = sum of AES(seed, first + i) a[i] */                                                                    \
    void gf_combine(const std::uint8_t* seed, std::uint64_t first, const std::uint8_t* a, std::uint8_t* out,           \
                    std::size_t blocks);                                                                               \
    /* `rows` x `columns` bits, both multiples of 8; column j of a row is bit j % 8 of byte j / 8 */                   \
    void transpose(const std::uint8_t* in, std::size_t rows, std::size_t columns, std::uint8_t* out);                  \
    }
UNSEEN_EACH_ISA(UNSEEN_BLOCKS)
#undef UNSEEN_BLOCKS

}  // namespace unseen
