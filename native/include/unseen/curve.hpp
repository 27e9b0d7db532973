// curve25519 and ristretto255 on batches. Rows of 32 bytes are field elements, points or scalars, little-endian.
//
// A stride of 0 means one scalar for all points. Constant time in scalars, points and messages; lengths and counts are
// public. Flags are 1 where a row was right, 0 where it was not (its output is then meaningless and must not be used).
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

struct Domain {  // domain separation tag, 1 to 255 bytes
    const std::uint8_t* data;
    std::size_t size;
};

#define UNSEEN_CURVE(ISA)                                                                                           \
    namespace ISA {                                                                                                 \
    /* X25519 of RFC 7748: scalars clamped, bit 255 of a point ignored */                                           \
    void x25519(const std::uint8_t* scalars, std::size_t stride, const std::uint8_t* points, std::uint8_t* out,      \
                std::size_t count);                                                                                 \
    /* whether each row is a canonical x (below p) of a point of the curve, not of its twist */                     \
    void x_on_curve(const std::uint8_t* points, std::uint8_t* flags, std::size_t count);                            \
    /* x of hash_to_curve, suite curve25519_XMD:SHA-512_ELL2_RO_ (RFC 9380); messages of `size` bytes */            \
    void hash_to_x(const std::uint8_t* messages, std::size_t size, Domain domain, std::uint8_t* out,                \
                   std::size_t count);                                                                              \
    /* SHA-512 of head | message */                                                                                 \
    void sha512(const std::uint8_t* head, std::size_t head_size, const std::uint8_t* messages, std::size_t size,    \
                std::uint8_t* out, std::size_t count);                                                              \
    /* expand_message_xmd with SHA-512 to `length` <= 16320 bytes each */                                           \
    void expand_message(const std::uint8_t* messages, std::size_t size, Domain domain, std::uint8_t* out,           \
                        std::size_t length, std::size_t count);                                                     \
    /* ristretto255: the one-way map of rows of 64 bytes */                                                         \
    void ristretto_map(const std::uint8_t* uniform, std::uint8_t* out, std::size_t count);                          \
    /* scalar times element; flags as above, the identity is an element */                                          \
    void ristretto_multiply(const std::uint8_t* scalars, std::size_t stride, const std::uint8_t* elements,          \
                            std::uint8_t* out, std::uint8_t* flags, std::size_t count);                             \
    void ristretto_multiply_base(const std::uint8_t* scalars, std::uint8_t* out, std::size_t count);                \
    /* left + right, or left - right */                                                                             \
    void ristretto_add(const std::uint8_t* left, const std::uint8_t* right, bool minus, std::uint8_t* out,          \
                       std::uint8_t* flags, std::size_t count);                                                     \
    /* the sum of all scalars times their elements, one row; flags as above, for each element */                    \
    void ristretto_sum(const std::uint8_t* scalars, const std::uint8_t* elements, std::uint8_t* out,                \
                       std::uint8_t* flags, std::size_t count);                                                     \
    void ristretto_valid(const std::uint8_t* elements, std::uint8_t* flags, std::size_t count);                     \
    }
UNSEEN_EACH_ISA(UNSEEN_CURVE)

}  // namespace unseen
