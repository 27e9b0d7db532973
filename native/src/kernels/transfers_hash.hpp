// Hashes of rows of correlated transfers, of which the lower words are pads.
#pragma once

#include "kernels/ggm_hash.hpp"

namespace unseen::UNSEEN_ISA {

// The first half of SHA-256("unseen/blocks/fixed-key/v1"), as in blocks.cpp.
constexpr std::uint8_t kPadKey[16] = {0x84, 0xDE, 0xFD, 0x0D, 0x39, 0xEA, 0x2C, 0xAB,
                                      0xB8, 0x2D, 0x1C, 0x43, 0x00, 0xD2, 0x43, 0xD1};

// In place: pi(sigma(x)) + sigma(x).
template <std::size_t Count>
inline void hash_in_place(const AesKey& schedule, Block* x) {
    Block kept[Count];
    for (std::size_t i = 0; i < Count; ++i) kept[i] = x[i] = sigma(x[i]);
    std::size_t count = Count;
    __asm__("" : "+r"(count));  // GCC 12 warns of loops that end before they begin where it knows the count
    encrypt(schedule, x, count);
    for (std::size_t i = 0; i < Count; ++i) x[i] ^= kept[i];
}

}  // namespace unseen::UNSEEN_ISA
