// Where keys may lie, and a table of them: the first free place, or the shortest chain of moves that makes one free.
//
// The keys are a party's own secret: how long filling takes, and where it reads memory, depends on them.
#include "unseen/cuckoo.hpp"

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kPlaces = 3;

struct Product {
    std::uint64_t whole, rest;
};

Product scale(std::uint64_t word, std::uint64_t range) {  // range < 2^32
    const std::uint64_t lower = (word & 0xFFFFFFFF) * range, upper = (word >> 32) * range + (lower >> 32);
    return {upper >> 32, upper << 32 | (lower & 0xFFFFFFFF)};
}

}  // namespace

void cuckoo_places(const std::uint8_t* seed, const std::uint8_t* keys, std::size_t count, std::uint64_t bins,
                   std::uint32_t* places) {
    constexpr std::size_t kBatch = 64;
    const AesKey schedule = expand(load(seed));
    Block hashes[kBatch];
    for (std::size_t first = 0; first < count; first += kBatch) {
        const std::size_t here = count - first < kBatch ? count - first : kBatch;
        for (std::size_t i = 0; i < here; ++i) hashes[i] = load(keys + 16 * (first + i));
        encrypt(schedule, hashes, here);
        for (std::size_t i = 0; i < here; ++i) {
            const Product one = scale(low(hashes[i]), bins);
            const std::uint64_t a = one.whole;
            std::uint64_t b = scale(one.rest, bins - 1).whole, c = scale(high(hashes[i]), bins - 2).whole;
            b += b >= a;
            c += c >= (a < b ? a : b);
            c += c >= (a < b ? b : a);
            std::uint32_t* to = places + kPlaces * (first + i);
            to[0] = static_cast<std::uint32_t>(a);
            to[1] = static_cast<std::uint32_t>(b);
            to[2] = static_cast<std::uint32_t>(c);
        }
    }
}

bool cuckoo_fill(const std::uint32_t* places, std::size_t count, std::size_t bins, std::int64_t* table,
                 std::uint32_t* scratch) {
    // A bin that was reached: from which one before it in the queue, and which key at which of its places would move here.
    std::uint32_t *reached = scratch, *before = scratch + bins, *key = scratch + 2 * bins, *place = scratch + 3 * bins;
    std::uint32_t* seen = scratch + 4 * bins;  // by which key's search, counted from 1
    for (std::size_t b = 0; b < bins; ++b) {
        table[b] = -1;
        seen[b] = 0;
    }
    constexpr std::uint32_t kNone = ~std::uint32_t{0};
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t tail = 0, head = 0;
        auto mover = static_cast<std::uint32_t>(i);
        std::uint32_t from = kNone;
        bool found = false;
        for (;;) {
            for (std::uint32_t j = 0; j < kPlaces && !found; ++j) {
                const std::uint32_t to = places[kPlaces * mover + j];
                if (seen[to] == i + 1) continue;
                seen[to] = static_cast<std::uint32_t>(i + 1);
                reached[tail] = to;
                before[tail] = from;
                key[tail] = mover;
                place[tail] = j;
                ++tail;
                found = table[to] < 0;
            }
            if (found || head == tail) break;
            from = static_cast<std::uint32_t>(head);
            mover = static_cast<std::uint32_t>(table[reached[head]] / static_cast<std::int64_t>(kPlaces));
            ++head;
        }
        if (!found) return false;
        for (auto k = static_cast<std::uint32_t>(tail - 1); k != kNone; k = before[k])
            table[reached[k]] = static_cast<std::int64_t>(kPlaces) * key[k] + place[k];
    }
    return true;
}

}  // namespace unseen::UNSEEN_ISA
