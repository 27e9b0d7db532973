// Correlated GGM trees (half-tree cGGM), many at once: the pseudo-random functions with a punctured point that silent
// oblivious transfer and VOLE are made of.
//
// A node s has the children H(s) and H(s) ^ s; the two nodes of level 1 differ by Delta, so the XOR of every level is
// Delta. Who knows one parity's XOR of each level knows every leaf but one. See unseen.kernels.reference.ggm.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

// What all trees of one call have in common.
struct GgmShape {
    std::size_t trees;
    unsigned depth;      // 1..24; a tree has 2^depth leaves
    unsigned width;      // 0: leaves but for their lowest bit; 1, 2: so many hashed values of 16 bytes for each leaf
    bool tweaked;        // the hash is tweakable (against malicious receivers) and not only circular correlation robust
    bool truncated;      // values have 96 bits, the upper four bytes are zero
};

#define UNSEEN_GGM(ISA)                                                                                           \
    namespace ISA {                                                                                               \
    /* keys: 3 AES keys (tree, first and second value). roots: one block a tree. Writes                           \
       rows   trees * 2^depth * max(width, 1) blocks,                                                             \
       sums   trees * depth blocks: XOR of the even nodes of each level,                                          \
       totals trees * width blocks: XOR of a tree's values. */                                                    \
    void ggm_expand(const GgmShape& shape, const std::uint8_t* keys, const std::uint8_t* roots,                   \
                    const std::uint8_t* delta, std::uint8_t* rows, std::uint8_t* sums, std::uint8_t* totals);     \
    /* sums: for each tree and level the XOR of the nodes whose last bit is the opposite of the position's.       \
       width 0 writes trees * 2^depth blocks, at `positions` the XOR of all others with the lowest bit set;       \
       else trees * 2^depth * (1 + width): first `noise` at the position and zero elsewhere, then the values, at  \
       the position XOR of `corrections` (trees * width) and of all other values.                                 \
       Which memory is touched does not depend on the positions. */                                               \
    void ggm_puncture(const GgmShape& shape, const std::uint8_t* keys, const std::uint8_t* sums,                  \
                      const std::uint64_t* positions, const std::uint8_t* corrections, const std::uint8_t* noise, \
                      std::uint8_t* rows);                                                                        \
    /* out (width blocks) = sum over j of chi_j * rows[j], chi_j = AES(key, j), in GF(2^128); with width 0 rows   \
       have one block, and out two: the sum of chi_j times the lowest bit of rows[j], and that of chi_j rows[j] */ \
    void ggm_fold(const std::uint8_t* key, const std::uint8_t* rows, std::size_t count, std::size_t width,        \
                  std::uint8_t* out);                                                                             \
    /* out[i] = sum over j < field of x^j * rows[field * i + j], field 128 or 96 being that of the result; of     \
       each row the lower `field` bits count */                                                                   \
    void ggm_pack(const std::uint8_t* rows, std::size_t count, unsigned field, std::uint8_t* out);                \
    }
UNSEEN_EACH_ISA(UNSEEN_GGM)

}  // namespace unseen
