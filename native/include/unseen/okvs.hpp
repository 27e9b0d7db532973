// An oblivious key-value store: n pairs (key, value) become m blocks P, from which the value of each key is a linear
// function of P that depends on the key alone; P tells nothing about the keys if the values are random.
//
// Clusters of three sparse columns and a few dense ones (Raghuraman and Rindal, "Blazing Fast PSI from Improved OKVS and
// Subfield VOLE", CCS 2022). A key's AES under the public seed names its cluster and three of its `sparse` columns; its
// dense columns hold x, x^2, ... of another AES of it. With no sparse columns, `dense` of them hold random bits.
// unseen.kernels.reference.okvs is the definition. Running times depend on the keys, which stay with their holder.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

struct OkvsShape {
    std::size_t clusters, sparse, dense;
    bool gf96;  // values and dense columns in GF(2^96), in blocks whose upper four bytes are zero; else GF(2^128)

    std::size_t width() const { return sparse + dense; }
    std::size_t slots() const { return clusters * width(); }
};

// What a caller must have checked. Rows and columns of a cluster are numbered in 24 bits.
constexpr std::size_t kOkvsMost = std::size_t{1} << 24;  // keys of one cluster, and its columns
constexpr std::size_t kOkvsDense = 64;                   // dense columns beside sparse ones
constexpr std::size_t kOkvsBinary = 4096;                // dense columns without sparse ones

#define UNSEEN_OKVS(ISA)                                                                                          \
    namespace ISA {                                                                                               \
    /* False if it cannot be done, by bad luck or because a key is repeated; `out` (slots) then holds nothing of  \
       use. Free slots come from AES in counter mode under `randomness`. count < 2^32. */                         \
    bool okvs_encode(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* keys,                  \
                     const std::uint8_t* values, std::size_t count, const std::uint8_t* randomness,               \
                     std::uint8_t* out);                                                                          \
    /* `encoding` has `values` blocks a slot (1 or 2), `out` as many a key */                                     \
    void okvs_decode(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* encoding,              \
                     std::size_t values, const std::uint8_t* keys, std::size_t count, std::uint8_t* out);         \
    /* pi(pi(k) ^ 1) ^ pi(k), pi being AES under a key made from `seed` */                                        \
    void hash_to_field(const std::uint8_t* seed, bool gf96, const std::uint8_t* keys, std::size_t count,          \
                       std::uint8_t* out);                                                                        \
    /* products in GF(2^96), for tests */                                                                         \
    void gf96_multiply(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::size_t count);       \
    }
UNSEEN_EACH_ISA(UNSEEN_OKVS)

}  // namespace unseen
