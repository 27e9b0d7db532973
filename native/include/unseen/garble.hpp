// Garbled circuits: half gates over slots of 128-bit labels, for many instances at once.
//
// Labels lie at [group][slot][lane], 16 bytes each: the instances of a group (its lanes) share the AES keys of the hash.
// AND number a of group g uses the keys start ^ (number + g * stride + 2 a) and the next; lane l hashes its labels with l added
// to both halves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

constexpr std::size_t kMostLanes = 16;

enum class Gate : std::uint8_t { exclusive_or = 0, conjunction = 1, inverse = 2 };

// `count` gates, to be run in order; every entry of left, right and out is below `slots`.
struct Gates {
    const std::uint8_t* kinds;
    const std::int32_t* left;
    const std::int32_t* right;
    const std::int32_t* out;
    std::size_t count;
};

struct Labels {
    std::uint8_t* data;
    std::size_t groups, slots, lanes;
};

struct HashKeys {
    const std::uint8_t* start;
    std::uint64_t number, stride;
};

#define UNSEEN_GARBLE(ISA)                                                                                             \
    namespace ISA {                                                                                                    \
    /* labels of zero in, labels of zero out; 32 bytes a lane of each AND to `tables` at [group][and][lane] */         \
    void garble(const Gates& gates, const Labels& labels, const std::uint8_t* delta, const HashKeys& keys,             \
                std::uint8_t* tables);                                                                                 \
    /* labels of the values in, labels of the values out */                                                            \
    void evaluate(const Gates& gates, const Labels& labels, const HashKeys& keys, const std::uint8_t* tables);         \
    }
UNSEEN_EACH_ISA(UNSEEN_GARBLE)
#undef UNSEEN_GARBLE

}  // namespace unseen
