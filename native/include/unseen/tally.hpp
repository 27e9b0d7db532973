// Sums of rows of numbers by code: what a histogram of shares is made of.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_TALLY(ISA)                                                                                      \
    namespace ISA {                                                                                            \
    /* sums, width x count, row-major: row w gets, mod 2^64, the rows of `values` (rows x count) whose code is w; \
       `codes` is columns x rows, and every column adds to the same sums. False, and sums unfinished, if a code  \
       is not below width. */                                                                                   \
    bool tally(const std::uint16_t* codes, std::size_t columns, std::size_t rows, const std::uint64_t* values, \
               std::size_t count, std::uint64_t* sums, std::size_t width);                                     \
    }
UNSEEN_EACH_ISA(UNSEEN_TALLY)
#undef UNSEEN_TALLY

}  // namespace unseen
