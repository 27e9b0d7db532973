// Benes' network: how the switches must stand for rows to come out in a given order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_NETWORK(ISA)                                                                                           \
    namespace ISA {                                                                                                   \
    /* order: a permutation of size = 2^levels, levels >= 1; row order[j] comes out at j. switches: 2 levels - 1        \
       columns of size / 2: 1 where the rows j and j + h of a block of 2 h rows change places; h is size / 2 in the     \
       first column, halves to 1 and doubles again. scratch: 4 size numbers */                                        \
    void network_route(const std::int64_t* order, std::size_t levels, std::uint8_t* switches, std::uint32_t* scratch); \
    }
UNSEEN_EACH_ISA(UNSEEN_NETWORK)
#undef UNSEEN_NETWORK

}  // namespace unseen
