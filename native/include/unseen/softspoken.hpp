// SoftSpoken oblivious transfer: what each side computes from its trees (see unseen.kernels.softspoken).
//
// `keys` are `trees` times 2^bits leaves of 16 bytes, trees * bits = 128. Leaf x of tree i is the stream
// AES(key, 0), AES(key, 1), ...; a call makes the stretch of `blocks` blocks of 128 transfers from block `first`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_SOFTSPOKEN(ISA)                                                                                         \
    namespace ISA {                                                                                                    \
    /* `choices` (blocks): if `chosen` they are read, else written. `corrections`: one of `blocks` blocks per tree,    \
       without tree 0 unless `chosen`. `rows`: 128 * blocks. */                                                        \
    void softspoken_receive(const std::uint8_t* keys, int bits, std::uint64_t first, std::size_t blocks, bool chosen,  \
                            std::uint8_t* choices, std::uint8_t* corrections, std::uint8_t* rows);                     \
    /* Leaf x of tree i here is the receiver's leaf x ^ delta_i; leaf 0 is not known and has no influence. */          \
    void softspoken_send(const std::uint8_t* keys, int bits, const std::uint8_t* delta, std::uint64_t first,           \
                         std::size_t blocks, bool chosen, const std::uint8_t* corrections, std::uint8_t* rows);        \
    /* out[c] = sum over m of AES(seed, first + m) times the block of bits c of rows 128 m to 128 m + 127 */           \
    void softspoken_fold(const std::uint8_t* seed, std::uint64_t first, const std::uint8_t* rows, std::size_t blocks,  \
                         std::uint8_t* out);                                                                           \
    }
UNSEEN_EACH_ISA(UNSEEN_SOFTSPOKEN)
#undef UNSEEN_SOFTSPOKEN

}  // namespace unseen
