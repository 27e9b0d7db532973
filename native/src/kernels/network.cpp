// The looping algorithm: two rows that enter by one switch, or leave by one, must go through different halves. Following
// these constraints from row to row closes loops; along each the halves alternate.
//
// The order is a party's own secret and is handled where nobody else is; how long that takes, and where it reads memory,
// depends on it.
#include "unseen/network.hpp"

#include <utility>

namespace unseen::UNSEEN_ISA {

void network_route(const std::int64_t* order, std::size_t levels, std::uint8_t* switches, std::uint32_t* scratch) {
    const std::size_t size = std::size_t{1} << levels, each = size / 2, columns = 2 * levels - 1;
    constexpr std::uint32_t kNone = 2;
    std::uint32_t *to = scratch, *next = scratch + size, *from = scratch + 2 * size, *side = scratch + 3 * size;
    for (std::size_t j = 0; j < size; ++j) to[order[j]] = static_cast<std::uint32_t>(j);
    for (std::size_t level = 0; level + 1 < levels; ++level) {
        const std::size_t block = size >> level, half = block / 2;
        std::uint8_t *in = switches + level * each, *out = switches + (columns - 1 - level) * each;
        for (std::size_t base = 0; base < size; base += block) {
            for (std::size_t i = 0; i < block; ++i) {
                from[to[base + i]] = static_cast<std::uint32_t>(i);
                side[i] = kNone;
            }
            for (std::size_t start = 0; start < half; ++start) {
                std::size_t i = start;
                while (side[i] == kNone) {
                    const std::size_t partner = i ^ half;
                    side[i] = 0;
                    side[partner] = 1;
                    i = from[to[base + partner] ^ half];  // leaves beside it, so by the other half
                }
            }
            for (std::size_t j = 0; j < half; ++j) {
                in[base / 2 + j] = static_cast<std::uint8_t>(side[j]);
                out[base / 2 + j] = static_cast<std::uint8_t>(side[from[j]]);
            }
            for (std::size_t i = 0; i < block; ++i)
                next[base + side[i] * half + (i & (half - 1))] = to[base + i] & static_cast<std::uint32_t>(half - 1);
        }
        std::swap(to, next);
    }
    std::uint8_t* middle = switches + (levels - 1) * each;
    for (std::size_t j = 0; j < each; ++j) middle[j] = static_cast<std::uint8_t>(to[2 * j]);
}

}  // namespace unseen::UNSEEN_ISA
