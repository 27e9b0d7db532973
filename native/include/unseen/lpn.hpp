// Linear codes for the learning-parity-with-noise assumptions. See unseen.kernels.reference.lpn for the definition.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

// The dual code compresses chunks * 2^bits rows of `width` field elements to half as many.
struct DualShape {
    std::size_t chunks;  // a multiple of 4
    unsigned bits;       // 6..13
    unsigned width;      // 1..3
    bool gf96;           // elements of GF(2^96) and not of GF(2^128)
};

// The primal code: row i of the output is row i of the input plus ten rows of a table of 2^bits, the same for every i.
struct PrimalShape {
    std::size_t count;
    unsigned bits;        // 1..24
    std::uint64_t first;  // the number of row 0, a multiple of 64: a long output is made in pieces
};

#define UNSEEN_LPN(ISA)                                                                                          \
    namespace ISA {                                                                                              \
    /* rows and scratch have chunks * 2^bits * width blocks and are both overwritten; out has `width` arrays of  \
       `count` blocks one after another, the first of the chunks * 2^(bits - 1) compressed rows of each column. \
       All three are 64-byte aligned. */                                                                         \
    void lpn_dual(const DualShape& shape, const std::uint8_t* key, std::uint8_t* rows, std::uint8_t* scratch,    \
                  std::size_t count, std::uint8_t* out);                                                         \
    /* out[i] = rows[i] ^ the ten rows of the table that AES under `key` names for first + i, marks[i] = its lowest  \
       bit; out may be rows */                                                                                   \
    void lpn_primal(const PrimalShape& shape, const std::uint8_t* key, const std::uint8_t* table,                \
                    const std::uint8_t* rows, std::uint8_t* out, std::uint8_t* marks);                                                    \
    }
UNSEEN_EACH_ISA(UNSEEN_LPN)

}  // namespace unseen
