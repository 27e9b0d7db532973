// Matrix products in Z_2^64: C = A B mod 2^64, row-major, contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_RING(ISA)                                                                                         \
    namespace ISA {                                                                                              \
    /* A is n x k, B is k x m, C is n x m. Overwrites C. */                                                      \
    void matmul(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n, std::size_t k, \
                std::size_t m);                                                                                  \
    }
UNSEEN_EACH_ISA(UNSEEN_RING)

}  // namespace unseen
