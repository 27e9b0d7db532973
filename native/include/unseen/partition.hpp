// Spreading identifiers over public buckets by a keyed hash, so that each bucket can be worked on alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

constexpr int kPartitionMostBits = 24;

#define UNSEEN_PARTITION(ISA)                                                                                     \
    namespace ISA {                                                                                               \
    /* buckets[i] = the upper `bits` bits of the hash of row i: its 16-byte blocks chained through AES (the last  \
       state), read as a little-endian 128-bit number. `blocks` a row: 1 or 2. counts[b] grows by the rows of b. */ \
    void bucket_rows(const std::uint8_t* key, const std::uint8_t* rows, std::size_t count, std::size_t blocks,    \
                     int bits, std::uint32_t* buckets, std::int64_t* counts);                                     \
    /* Copies row i to place cursor[buckets[i]]++ and its number to the same place of `numbers_out`. The caller   \
       has checked that every place is inside. `numbers` null: first, first + 1, ... */                           \
    void scatter_rows(const std::uint32_t* buckets, const std::uint8_t* rows, const std::int64_t* numbers,        \
                      std::int64_t first, std::size_t count, std::size_t blocks, std::int64_t* cursor,            \
                      std::uint8_t* rows_out, std::int64_t* numbers_out);                                         \
    }
UNSEEN_EACH_ISA(UNSEEN_PARTITION)

}  // namespace unseen
