// Additive shares between two holders: one pass for what a protocol computes between two messages.
//
// Bits are packed eight to the byte, lowest first. Results may not overlap their sources.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

#define UNSEEN_ADDITIVE(ISA)                                                                                         \
    namespace ISA {                                                                                                  \
    /* Beaver's product: c + d b + a e, and d e where this party adds what is public */                              \
    void beaver_product(const std::uint64_t* c, const std::uint64_t* a, const std::uint64_t* b,                      \
                        const std::uint64_t* d, const std::uint64_t* e, bool leads, std::uint64_t* out,              \
                        std::size_t n);                                                                              \
    /* the same of bits: XOR for the sum, AND for the product */                                                     \
    void beaver_and(const std::uint64_t* c, const std::uint64_t* a, const std::uint64_t* b, const std::uint64_t* d,  \
                    const std::uint64_t* e, bool leads, std::uint64_t* out, std::size_t n);                          \
    /* v ^ rho as a number, where `opened` holds the bits v and `dealt` shares of the numbers rho */                 \
    void lifted_bits(const std::uint64_t* dealt, const std::uint8_t* opened, bool leads, std::uint64_t* out,         \
                     std::size_t n);                                                                                 \
    /* x where a secret bit is 1, else 0: v has the bit ^ rho, `product` shares of rho a, and e is x - a */          \
    void selected(const std::uint64_t* x, const std::uint64_t* rho, const std::uint64_t* product,                    \
                  const std::uint64_t* e, const std::uint8_t* v, std::uint64_t* out, std::size_t n);                 \
    /* The share moved by `offset` (and by 2^62 where this party leads), and its top bits under `mask` */            \
    void moved_tops(const std::uint64_t* share, const std::uint64_t* offset, const std::uint8_t* mask, bool leads,   \
                    std::uint64_t* moved, std::uint8_t* hidden, std::size_t n);                                      \
    /* moved / 2^drop less the wrap, a share of which comes from dealt products of masks: see the protocol dealer2 */ \
    void without_wrap(const std::uint64_t* moved, int drop, const std::uint32_t* both, const std::uint8_t* own,      \
                      const std::uint8_t* ours, const std::uint8_t* theirs, bool leads, std::uint64_t* out,          \
                      std::size_t n);                                                                                \
    }
UNSEEN_EACH_ISA(UNSEEN_ADDITIVE)
#undef UNSEEN_ADDITIVE

}  // namespace unseen
