// The pad that two parties have in common, made a few kilobytes at a time.
#pragma once

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::size_t kBlocks = 64, kWords = 2 * kBlocks;

inline std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

class Pad {
   public:
    Pad(const std::uint8_t* key, std::uint64_t use) : schedule_(expand(load(key))), use_(use) {}

    // The next kWords words, of which the caller takes what it needs.
    void next(std::uint64_t* out) {
        encrypt_counters(schedule_, first_, use_, reinterpret_cast<std::uint8_t*>(out), kBlocks);
        first_ += kBlocks;
    }

   private:
    AesKey schedule_;
    std::uint64_t use_;
    std::uint64_t first_ = 0;
};

}  // namespace unseen::UNSEEN_ISA
