// Secret shares: places of words as planes of bits, pads from keys, products of replicated shares.
//
// Word i of the pad of use `use` under a 16-byte key is half i % 2 (little-endian, lower half first) of the block
// AES-128(key, use * 2^64 + i / 2). Results may not overlap their sources.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_SHARES(ISA)                                                                                            \
    namespace ISA {                                                                                                   \
    /* n words to `places` rows of ceil(n / 64): bit e % 64 of word e / 64 of row i is bit i of element e */          \
    void split_places(const std::uint64_t* words, std::size_t n, std::size_t places, std::uint64_t* planes);          \
    /* the inverse; places that are not there are zero */                                                             \
    void join_places(const std::uint64_t* planes, std::size_t n, std::size_t places, std::uint64_t* words);           \
    void pad(const std::uint8_t* key, std::uint64_t use, std::uint64_t* out, std::size_t n);                          \
    /* x0 y0 + x0 y1 + x1 y0 + pad(mine) - pad(theirs) */                                                             \
    void multiply_shares(const std::uint64_t* x0, const std::uint64_t* x1, const std::uint64_t* y0,                   \
                         const std::uint64_t* y1, const std::uint8_t* mine, const std::uint8_t* theirs,               \
                         std::uint64_t use, std::uint64_t* out, std::size_t n);                                       \
    /* the same with AND for the product and XOR for sum and difference */                                            \
    void conjoin_shares(const std::uint64_t* x0, const std::uint64_t* x1, const std::uint64_t* y0,                    \
                        const std::uint64_t* y1, const std::uint8_t* mine, const std::uint8_t* theirs,                \
                        std::uint64_t use, std::uint64_t* out, std::size_t n);                                        \
    /* Truncation by `drop` <= 32 bits, see the protocol replicated3. First party: its two components, and what it    \
       sends: the quotient less a pad, and the top bit less a pad. uses: of the bit (key1), the rest (key0), and the   \
       other two's masks (key1, key0) */                                                                              \
    void truncate_first(const std::uint64_t* known, std::size_t n, int drop, std::uint64_t offset,                    \
                        const std::uint8_t* key0, const std::uint8_t* key1, const std::uint64_t* uses,                \
                        std::uint64_t* share0, std::uint64_t* share1, std::uint64_t* rest, std::uint32_t* bit);       \
    /* the others: bit * top bit + mask */                                                                            \
    void truncate_part(const std::uint64_t* known, std::size_t n, const std::uint32_t* bit, const std::uint8_t* key,  \
                       std::uint64_t use, std::uint32_t* out);                                                        \
    /* and their components: rest less the mask, and the quotient with the wrap taken off */                          \
    void truncate_last(const std::uint64_t* known, std::size_t n, int drop, const std::uint32_t* mine,                \
                       const std::uint32_t* theirs, const std::uint64_t* rest, const std::uint8_t* key,               \
                       std::uint64_t use, std::uint64_t* alone, std::uint64_t* both);                                 \
    /* weights[k-1] sin(2 pi k x / 2^period_bits) and cosines, rows of n for each weight that is not 0; weights have  \
       30 fraction bits, results `bits` <= 30; 1 <= period_bits <= 64 */                                             \
    void waves(const std::uint64_t* x, std::size_t n, int period_bits, const std::int64_t* weights,                   \
               std::size_t degrees, int bits, std::uint64_t* sines, std::uint64_t* cosines);                          \
    /* the sum over these rows of sines[k] cos + cosines[k] sin */                                                    \
    void wave_products(const std::uint64_t* x, std::size_t n, int period_bits, const std::int64_t* weights,           \
                       std::size_t degrees, int bits, const std::uint64_t* sines, const std::uint64_t* cosines,       \
                       std::uint64_t* out);                                                                           \
    }
UNSEEN_EACH_ISA(UNSEEN_SHARES)
#undef UNSEEN_SHARES

}  // namespace unseen
