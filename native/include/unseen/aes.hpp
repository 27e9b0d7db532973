// AES-128 as a stream of pseudo-random blocks. All arrays are 16 bytes a block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_AES(ISA)                                                                                          \
    namespace ISA {                                                                                              \
    /* out[i] = AES(key, first + i), the counter a 128-bit little-endian number whose upper half is `stream` */  \
    void aes_ctr(const std::uint8_t* key, std::uint64_t stream, std::uint64_t first, std::uint8_t* out,          \
                 std::size_t blocks);                                                                            \
    }
UNSEEN_EACH_ISA(UNSEEN_AES)

}  // namespace unseen
