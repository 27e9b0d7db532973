// A cuckoo table: each key has three bins and lies in one of them, at most one key a bin.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_CUCKOO(ISA)                                                                                            \
    namespace ISA {                                                                                                   \
    /* places[3 i ..]: three distinct bins of key i, from h = AES_seed(key) = (low, high) as words of 64 bits: a is the \
       whole part of low * bins / 2^64, b that of r * (bins - 1) / 2^64 with r the rest of the former, c that of high * \
       (bins - 2) / 2^64; then b skips a, and c skips both. bins >= 3 */                                              \
    void cuckoo_places(const std::uint8_t* seed, const std::uint8_t* keys, std::size_t count, std::uint64_t bins,     \
                       std::uint32_t* places);                                                                        \
    /* table[b] = 3 i + j where key i lies in bin b, its place j; -1 in empty bins. Keys go in one by one along the    \
       shortest chain of moves, found breadth first; false if one has none: then there is no table. places < bins.    \
       scratch: 5 bins numbers */                                                                                     \
    bool cuckoo_fill(const std::uint32_t* places, std::size_t count, std::size_t bins, std::int64_t* table,           \
                     std::uint32_t* scratch);                                                                         \
    }
UNSEEN_EACH_ISA(UNSEEN_CUCKOO)
#undef UNSEEN_CUCKOO

}  // namespace unseen
