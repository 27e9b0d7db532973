// 128-bit blocks: a vector of GF(2)^128, an AES state, an element of GF(2^128).
//
// In memory a block is 16 bytes. As an element of GF(2^128) it is read little-endian: bit i of the 128-bit number is the
// coefficient of x^i, modulo x^128 + x^7 + x^2 + x + 1 (not GHASH's reversed order).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/target.hpp"

namespace unseen::UNSEEN_ISA {

#ifdef UNSEEN_AVX2

struct Block {
    __m128i v;
};

inline Block load(const std::uint8_t* p) { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))}; }
inline void store(std::uint8_t* p, Block a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a.v); }
inline Block make_block(std::uint64_t low, std::uint64_t high) {
    return {_mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low))};
}
inline std::uint64_t low(Block a) { return static_cast<std::uint64_t>(_mm_cvtsi128_si64(a.v)); }
inline std::uint64_t high(Block a) { return static_cast<std::uint64_t>(_mm_extract_epi64(a.v, 1)); }
inline Block operator^(Block a, Block b) { return {_mm_xor_si128(a.v, b.v)}; }
inline Block operator&(Block a, Block b) { return {_mm_and_si128(a.v, b.v)}; }

#else

struct Block {
    std::uint64_t v[2];
};

inline std::uint64_t load64(const std::uint8_t* p) {  // little-endian on every machine
    std::uint64_t x = 0;
    for (int i = 7; i >= 0; --i) x = x << 8 | p[i];
    return x;
}
inline void store64(std::uint8_t* p, std::uint64_t x) {
    for (int i = 0; i < 8; ++i) p[i] = static_cast<std::uint8_t>(x >> (8 * i));
}
inline Block load(const std::uint8_t* p) { return {{load64(p), load64(p + 8)}}; }
inline void store(std::uint8_t* p, Block a) {
    store64(p, a.v[0]);
    store64(p + 8, a.v[1]);
}
inline Block make_block(std::uint64_t low, std::uint64_t high) { return {{low, high}}; }
inline std::uint64_t low(Block a) { return a.v[0]; }
inline std::uint64_t high(Block a) { return a.v[1]; }
inline Block operator^(Block a, Block b) { return {{a.v[0] ^ b.v[0], a.v[1] ^ b.v[1]}}; }
inline Block operator&(Block a, Block b) { return {{a.v[0] & b.v[0], a.v[1] & b.v[1]}}; }

#endif

inline Block zero_block() { return make_block(0, 0); }
inline Block& operator^=(Block& a, Block b) { return a = a ^ b; }
// All ones if `bit` is 1, all zeros if it is 0: for selecting without a branch.
inline Block mask_block(std::uint64_t bit) { return make_block(0 - bit, 0 - bit); }
inline bool equal(Block a, Block b) { return ((low(a) ^ low(b)) | (high(a) ^ high(b))) == 0; }

}  // namespace unseen::UNSEEN_ISA
