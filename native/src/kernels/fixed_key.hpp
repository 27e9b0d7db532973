// The public key under which AES is the permutation of hashes: the first half of SHA-256("unseen/blocks/fixed-key/v1").
#pragma once

#include <cstdint>

namespace unseen {

constexpr std::uint8_t kFixedKey[16] = {0x84, 0xDE, 0xFD, 0x0D, 0x39, 0xEA, 0x2C, 0xAB,
                                        0xB8, 0x2D, 0x1C, 0x43, 0x00, 0xD2, 0x43, 0xD1};

}  // namespace unseen
