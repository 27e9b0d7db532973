// What a vector-OLE based pseudo-random function does to whole arrays beside decoding and hashing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_OPRF(ISA)                                                                                         \
    namespace ISA {                                                                                              \
    /* out = base ^ factor * scalar, row by row. base and out have `values` blocks a row, factors one, scalar    \
       `values` in all. In GF(2^128), or in GF(2^96) with blocks whose upper four bytes are zero. */             \
    void add_scaled(bool gf96, const std::uint8_t* base, const std::uint8_t* factors, const std::uint8_t* scalar, \
                    std::size_t values, std::size_t rows, std::uint8_t* out);                                    \
    }
UNSEEN_EACH_ISA(UNSEEN_OPRF)

}  // namespace unseen
