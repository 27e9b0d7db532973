// Truncation of replicated shares: each party's steps in one pass over the numbers, pads made on the way.
#include <cstring>

#include "kernels/pads.hpp"
#include "unseen/shares.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kHalves = 2 * kWords;

// The next 2 * kWords halves of a pad, lower halves first.
inline void next_halves(Pad& pad, std::uint32_t (&out)[kHalves]) {
    alignas(64) std::uint64_t words[kWords];
    pad.next(words);
    for (std::size_t i = 0; i < kWords; ++i) {
        out[2 * i] = static_cast<std::uint32_t>(words[i]);
        out[2 * i + 1] = static_cast<std::uint32_t>(words[i] >> 32);
    }
}

}  // namespace

void truncate_first(const std::uint64_t* known, std::size_t n, int drop, std::uint64_t offset, const std::uint8_t* key0,
                    const std::uint8_t* key1, const std::uint64_t* uses, std::uint64_t* share0, std::uint64_t* share1,
                    std::uint64_t* rest, std::uint32_t* bit) {
    Pad bits(key1, uses[0]), rests(key0, uses[1]), ones(key1, uses[2]), twos(key0, uses[3]);
    alignas(64) std::uint32_t b[kHalves], one[kHalves], two[kHalves];
    alignas(64) std::uint64_t r[kHalves];
    const int weight = 64 - drop;
    for (std::size_t done = 0; done < n; done += kHalves) {
        next_halves(bits, b);
        next_halves(ones, one);
        next_halves(twos, two);
        rests.next(r);
        rests.next(r + kWords);
        const std::size_t count = smaller(kHalves, n - done);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t a = known[done + i] + (std::uint64_t{1} << 62), top = a >> 63;
            const std::uint64_t hidden = (a >> drop) - (top << weight) - offset - r[i];
            bit[done + i] = static_cast<std::uint32_t>(top) - b[i];
            rest[done + i] = hidden;
            share0[done + i] = r[i] - (std::uint64_t{two[i]} << weight);
            share1[done + i] = hidden - (std::uint64_t{one[i]} << weight);
        }
    }
}

void truncate_part(const std::uint64_t* known, std::size_t n, const std::uint32_t* bit, const std::uint8_t* key,
                   std::uint64_t use, std::uint32_t* out) {
    Pad pads(key, use);
    alignas(64) std::uint32_t mask[kHalves];
    for (std::size_t done = 0; done < n; done += kHalves) {
        next_halves(pads, mask);
        const std::size_t count = smaller(kHalves, n - done);
        for (std::size_t i = 0; i < count; ++i)
            out[done + i] = bit[done + i] * static_cast<std::uint32_t>(known[done + i] >> 63) + mask[i];
    }
}

void truncate_last(const std::uint64_t* known, std::size_t n, int drop, const std::uint32_t* mine,
                   const std::uint32_t* theirs, const std::uint64_t* rest, const std::uint8_t* key, std::uint64_t use,
                   std::uint64_t* alone, std::uint64_t* both) {
    Pad pads(key, use);
    alignas(64) std::uint32_t mask[kHalves];
    const int weight = 64 - drop;
    for (std::size_t done = 0; done < n; done += kHalves) {
        next_halves(pads, mask);
        const std::size_t count = smaller(kHalves, n - done);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t j = done + i;
            const std::uint32_t wrap = mine[j] + theirs[j];
            both[j] = (known[j] >> drop) - (known[j] >> 63 << weight) + (std::uint64_t{wrap} << weight);
            alone[j] = rest[j] - (std::uint64_t{mask[i]} << weight);
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
