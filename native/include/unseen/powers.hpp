// Powers of two of fixed-point exponents, in integers: parties who compute the same number get the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

// Factors of 2^-r and what a public exponent makes of them; see unseen.kernels.reference.powers.
constexpr std::size_t kPowerRows = 16;

#define UNSEEN_POWERS(ISA)                                                                                             \
    namespace ISA {                                                                                                    \
    /* 2^f with `kept` <= 30 bits, where f is the lowest `bits` places of x as a fraction. */                          \
    void powers_of_fraction(const std::uint64_t* x, std::size_t n, int bits, int kept, std::uint64_t* out);            \
    /* 16 rows of n. */                                                                                                \
    void power_factors(const std::uint64_t* r, std::size_t n, int bits, int kept, std::uint64_t* out);                 \
    /* `factors` are 16 rows of n, or this party's shares of them; n numbers each to `whole` and `rest`. */            \
    void power_products(const std::uint64_t* c, std::size_t n, int bits, int kept, const std::uint64_t* factors,       \
                        std::uint64_t* whole, std::uint64_t* rest);                                                    \
    }
UNSEEN_EACH_ISA(UNSEEN_POWERS)

}  // namespace unseen
