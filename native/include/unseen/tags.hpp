// Short pseudo-random tags, 5 to 16 bytes each, compared as big-endian numbers: sorting, coding, matching.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

constexpr std::size_t kTagLeast = 5, kTagMost = 16;

// The code of an ascending list (Golomb and Rice): of each difference to the tag before (the first: to 0) the lowest k bits,
// packed, up to a whole byte; then of each the rest q as q zeros and a one, up to a whole byte. Bits fill bytes from the
// lowest. k depends on `count` and `width` alone.
constexpr std::size_t tag_low_bits(std::size_t count, std::size_t width) {
    std::size_t log = 0;
    while (log < 64 && (std::size_t{1} << log) < count) ++log;
    const std::size_t bits = 8 * width - (log < 8 * width ? log : 8 * width);
    return bits < 120 ? bits : 120;
}
// Quotients sum up to less than this.
constexpr std::size_t tag_quotients(std::size_t count, std::size_t width) {
    return std::size_t{1} << (8 * width - tag_low_bits(count, width));
}
constexpr std::size_t tag_low_bytes(std::size_t count, std::size_t width) {
    return (count * tag_low_bits(count, width) + 7) / 8;
}
// The longest code of so many tags.
constexpr std::size_t tag_code_most(std::size_t count, std::size_t width) {
    return count == 0 ? 0 : tag_low_bytes(count, width) + (count + tag_quotients(count, width) + 7) / 8;
}
// No code of so many tags is shorter.
constexpr std::size_t tag_code_least(std::size_t count, std::size_t width) {
    return count == 0 ? 0 : tag_low_bytes(count, width) + (count + 7) / 8;
}

#define UNSEEN_TAGS(ISA)                                                                                          \
    namespace ISA {                                                                                               \
    /* Ascending; order[i] is where the i-th came from; equal tags keep their order. count < 2^32. */             \
    void sort_tags(const std::uint8_t* tags, std::size_t count, std::size_t width, std::uint8_t* out,             \
                   std::int64_t* order);                                                                          \
    /* Into `out` of tag_code_most bytes; the length of the code, or ~0 if the tags do not ascend. */             \
    std::size_t encode_tags(const std::uint8_t* tags, std::size_t count, std::size_t width, std::uint8_t* out);   \
    /* Null, or what is wrong with the code. It is hostile; its size is between tag_code_least and _most. */      \
    const char* decode_tags(const std::uint8_t* code, std::size_t size, std::size_t count, std::size_t width,     \
                            std::uint8_t* out);                                                                   \
    /* Of two ascending lists where equal tags stand, pair by pair ascending; `left` and `right` have room for    \
       min(counts) + 4. How many. Lists that do not ascend give some pairs or other. */                           \
    std::size_t match_tags(const std::uint8_t* a, std::size_t a_count, const std::uint8_t* b, std::size_t b_count, \
                           std::size_t width, std::int64_t* left, std::int64_t* right);                           \
    }
UNSEEN_EACH_ISA(UNSEEN_TAGS)

}  // namespace unseen
