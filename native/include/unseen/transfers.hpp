// What two parties make of the rows of correlated transfers: bits, carries, products.
//
// The sender's row is q, the receiver's q or q + delta; pads are hashes of rows as in blocks.hpp, their lower 64 bits. All
// arrays of rows are 16 bytes a row. Results may not overlap their sources.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_TRANSFERS(ISA)                                                                                         \
    namespace ISA {                                                                                                   \
    /* the lowest `width` <= 64 bits of the pads of n rows, n a multiple of 64: width planes of n / 64 words; with     \
       delta (else null) those of row + delta follow */                                                               \
    void hash_planes(const std::uint8_t* rows, std::size_t n, const std::uint8_t* delta, std::size_t width,           \
                     std::uint64_t* planes);                                                                          \
    /* Places of words three by three, `leaves` <= 21 leaves from the top. Row (element, leaf, place). The offer of a  \
       leaf has for each of 8 values of the other side's three places whether the sum has a carry (bit value) and       \
       whether it would pass one on (bit 8 + value). generate, propagate: leaves planes of ceil(n / 64) words */      \
    void carry_offer(const std::uint8_t* rows, const std::uint8_t* delta, const std::uint64_t* words, std::size_t n,  \
                     std::size_t leaves, std::uint16_t* offers, std::uint64_t* generate, std::uint64_t* propagate);   \
    void carry_take(const std::uint8_t* rows, const std::uint64_t* words, std::size_t n, std::size_t leaves,          \
                    const std::uint16_t* offers, std::uint64_t* generate, std::uint64_t* propagate);                  \
    /* Products of n times `width` words (one side) by n numbers of `bits` bits (other side) modulo 2^ring. Row         \
       (element, bit). Offers are `product_bytes(bits, ring)` bytes for each of n times `width` */                     \
    void product_offer(const std::uint8_t* rows, const std::uint8_t* delta, const std::uint64_t* words,               \
                       std::size_t n, std::size_t width, int bits, int ring, std::uint8_t* offers,                    \
                       std::uint64_t* share);                                                                         \
    void product_take(const std::uint8_t* rows, const std::uint64_t* numbers, std::size_t n, std::size_t width,       \
                      int bits, int ring, const std::uint8_t* offers, std::uint64_t* share);                          \
    }
UNSEEN_EACH_ISA(UNSEEN_TRANSFERS)
#undef UNSEEN_TRANSFERS

// Bit i of a number takes ring - i bits of an offer; 0 where these parameters are not to be had.
inline std::size_t product_bytes(int bits, int ring) {
    if (bits < 1 || ring < bits || ring > 64) return 0;
    const int total = bits * ring - bits * (bits - 1) / 2, fill = (8 - total % 8) % 8;
    return ring - bits + 1 + fill > 64 ? 0 : static_cast<std::size_t>(total + fill) / 8;
}

}  // namespace unseen
