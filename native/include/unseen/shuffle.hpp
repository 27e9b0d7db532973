// A uniform order from uniform words: the shuffle of Fisher and Yates.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_SHUFFLE(ISA)                                                                                          \
    namespace ISA {                                                                                                  \
    /* order: 0 to count - 1, of which, from the last place down to 1, each changes places with one up to itself. Which \
       one is the upper half of word i times (i + 1); where its lower half is below 2^64 mod (i + 1), the next of the  \
       words behind the first `count` is taken instead. False if there are too few of those. */                       \
    bool shuffle_order(const std::uint64_t* words, std::size_t given, std::size_t count, std::int64_t* order);        \
    }
UNSEEN_EACH_ISA(UNSEEN_SHUFFLE)
#undef UNSEEN_SHUFFLE

}  // namespace unseen
