// As many 128-bit blocks side by side as one register holds: four, two, or one.
#pragma once

#include "simd/block.hpp"

namespace unseen::UNSEEN_ISA {

#if defined(UNSEEN_AVX512)

struct Lanes {
    __m512i v;
};
constexpr int kLaneBlocks = 4;

inline Lanes load_lanes(const std::uint8_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store_lanes(std::uint8_t* p, Lanes a) { _mm512_storeu_si512(p, a.v); }
inline Lanes broadcast(Block a) { return {_mm512_broadcast_i32x4(a.v)}; }
inline Lanes operator^(Lanes a, Lanes b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline Lanes operator&(Lanes a, Lanes b) { return {_mm512_and_si512(a.v, b.v)}; }

#elif defined(UNSEEN_AVX2)

struct Lanes {
    __m256i v;
};
constexpr int kLaneBlocks = 2;

inline Lanes load_lanes(const std::uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline void store_lanes(std::uint8_t* p, Lanes a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
inline Lanes broadcast(Block a) { return {_mm256_broadcastsi128_si256(a.v)}; }
inline Lanes operator^(Lanes a, Lanes b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline Lanes operator&(Lanes a, Lanes b) { return {_mm256_and_si256(a.v, b.v)}; }

#else

using Lanes = Block;
constexpr int kLaneBlocks = 1;

inline Lanes load_lanes(const std::uint8_t* p) { return load(p); }
inline void store_lanes(std::uint8_t* p, Lanes a) { store(p, a); }
inline Lanes broadcast(Block a) { return a; }

#endif

constexpr int kLaneBytes = 16 * kLaneBlocks;

#ifdef UNSEEN_AVX2
inline Lanes& operator^=(Lanes& a, Lanes b) { return a = a ^ b; }
#endif

}  // namespace unseen::UNSEEN_ISA
