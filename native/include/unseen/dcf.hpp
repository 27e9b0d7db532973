// Distributed comparison functions: keys of [x < threshold] for two, who evaluate it at points that both know and get XOR
// shares of a bit.
//
// A seed is a block whose lowest three bits are zero. Child b of a seed s is h = pi(sigma(s ^ b)) ^ sigma(s ^ b); its lowest bit
// is the control bit, the next one goes into the result, the rest is the child's seed. A correction word has the correction of
// the seed, and in its lowest bits those of the left control bit, the right one, and of the result. Below the last level a
// block of 128 results hangs on each seed: the hash of s ^ 2. See unseen.kernels.reference.dcf.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

struct DcfShape {
    std::size_t keys;
    unsigned bits;  // 1..64: points and thresholds lie below 2^bits
    unsigned levels() const { return bits > 7 ? bits - 7 : 0; }
};

#define UNSEEN_DCF(ISA)                                                                                               \
    namespace ISA {                                                                                                   \
    /* roots: 2 * keys blocks, first all of party 0. Writes `words`, keys * (levels + 1) blocks. Nothing branches or  \
       indexes on thresholds. */                                                                                      \
    void dcf_generate(const DcfShape& shape, const std::uint8_t* roots, const std::uint64_t* thresholds,              \
                      std::uint8_t* words);                                                                           \
    /* out, rows * keys: party's share of [points < threshold] */                                                     \
    void dcf_evaluate(const DcfShape& shape, bool second, const std::uint8_t* roots, const std::uint8_t* words,       \
                      const std::uint64_t* points, std::size_t rows, std::uint8_t* out);                              \
    }
UNSEEN_EACH_ISA(UNSEEN_DCF)
#undef UNSEEN_DCF

}  // namespace unseen
