// Sampling, rounding and packing of polynomials.
#include "unseen/ntt.hpp"

#include <cstring>

#include "ntt_lanes.hpp"
#include "pads.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

using Wide = unsigned __int128;

inline std::int64_t ones(std::uint64_t word) {
#ifdef UNSEEN_AVX2
    return __builtin_popcountll(word);
#else
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    return static_cast<std::int64_t>(((word + (word >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101 >> 56);
#endif
}

std::uint64_t word_of(const std::uint8_t* key, std::uint64_t use, std::size_t i) {
    Block block = make_block(i / 2, use);
    encrypt(expand(load(key)), &block, 1);
    return i % 2 == 0 ? low(block) : high(block);
}

}  // namespace

void ntt_uniform(std::uint64_t q, const std::uint8_t* key, std::uint64_t use, std::uint64_t* out, std::size_t n) {
    const std::uint64_t mask = (std::uint64_t{1} << (64 - __builtin_clzll(q - 1))) - 1;
    Pad pad(key, use);
    std::uint64_t batch[kWords];
    for (std::size_t first = 0; first < n; first += kWords) {
        pad.next(batch);
        const std::size_t here = smaller(n - first, kWords);
        bool again = false;
        for (std::size_t i = 0; i < here; ++i) {
            out[first + i] = batch[i] & mask;
            again |= out[first + i] >= q;
        }
        if (!again) continue;
        for (std::size_t i = first; i < first + here; ++i)  // all of this is public
            for (std::uint64_t k = 1; out[i] >= q; ++k) out[i] = word_of(key, use + (k << 48), i) & mask;
    }
}

void ntt_noise(const std::uint64_t* words, std::int64_t* out, std::size_t n) {
    constexpr std::uint64_t kHalf = (1 << 21) - 1;
    for (std::size_t i = 0; i < n; ++i) out[i] = ones(words[i] & kHalf) - ones(words[i] >> 21 & kHalf);
}

void ntt_ternary(const std::uint64_t* words, std::int64_t* out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::int64_t>(Wide{words[i]} * 3 >> 64) - 1;
}

void ntt_fraction(const std::uint64_t* primes, std::size_t limbs, const std::uint64_t* inverses,
                  const std::uint64_t* weights, const std::uint64_t* residues, const std::int64_t* small,
                  std::uint64_t* high, std::uint64_t* low, std::size_t n) {
    std::uint64_t quotients[kNttLimbs];
    for (std::size_t l = 0; l < limbs; ++l)
        quotients[l] = static_cast<std::uint64_t>((Wide{inverses[l]} << 52) / primes[l]);
    for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t s0 = 0, s1 = 0, s2 = 0;
        for (std::size_t l = 0; l < limbs; ++l) {
            const std::uint64_t q = primes[l], *w = weights + 3 * l;
            std::uint64_t x = residues[l * n + i];
            if (small != nullptr) x += static_cast<std::uint64_t>(small[i]) + q;
            const auto times = static_cast<std::uint64_t>(Wide{x} * quotients[l] >> 52);
            std::uint64_t y = x * inverses[l] - times * q;
            y -= q & (std::uint64_t{0} - static_cast<std::uint64_t>(y >= q));
            const Wide p0 = Wide{y} * w[0], p1 = Wide{y} * w[1];
            const Wide a = Wide{s0} + static_cast<std::uint64_t>(p0);
            const Wide b = Wide{s1} + static_cast<std::uint64_t>(p1) + static_cast<std::uint64_t>(p0 >> 64) +
                           static_cast<std::uint64_t>(a >> 64);
            s0 = static_cast<std::uint64_t>(a);
            s1 = static_cast<std::uint64_t>(b);
            s2 += static_cast<std::uint64_t>(p1 >> 64) + y * w[2] + static_cast<std::uint64_t>(b >> 64);
        }
        high[i] = s2;
        low[i] = s1;
    }
}

void ntt_pack(const std::uint64_t* words, std::size_t n, unsigned bits, std::uint8_t* out) {
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    const std::uint8_t* const end = out + (n * bits + 7) / 8;
    std::uint64_t held = 0;  // `count` < 64 bits that are not written yet
    unsigned count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t word = words[i] & mask;
        held |= word << count;
        count += bits;
        if (count < 64) continue;
        std::memcpy(out, &held, 8);
        out += 8;
        count -= 64;
        held = count == 0 ? 0 : word >> (bits - count);
    }
    std::memcpy(out, &held, static_cast<std::size_t>(end - out));
}

void ntt_unpack(const std::uint8_t* bytes, std::size_t n, unsigned bits, std::uint64_t* out) {
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    const std::size_t size = (n * bits + 7) / 8;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t at = i * bits / 8;
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + at, size - at < 8 ? size - at : 8);
        out[i] = word >> (i * bits % 8) & mask;
    }
}

}  // namespace unseen::UNSEEN_ISA
