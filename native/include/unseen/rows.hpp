// Identifiers of rows, straight from columns of variable-length bytes (the layout of Arrow's strings).
//
// Row r of a column is bytes[offsets[r] .. offsets[r + 1]). Callers have checked that offsets ascend and stay inside.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unseen/isa.hpp"

namespace unseen {

struct RowColumn {
    const std::int64_t* wide;    // 64-bit offsets, or null:
    const std::int32_t* narrow;  // 32-bit ones
    const std::uint8_t* bytes;

    std::size_t offset(std::size_t row) const {
        return wide != nullptr ? static_cast<std::size_t>(wide[row]) : static_cast<std::size_t>(narrow[row]);
    }
};

#define UNSEEN_ROWS(ISA)                                                                                          \
    namespace ISA {                                                                                               \
    /* out[r] = SHA-256(domain || for each column: length of its row r as 4 bytes big-endian || those bytes) */   \
    void digest_rows(const std::uint8_t* domain, std::size_t domain_size, const RowColumn* columns,               \
                     std::size_t count, std::size_t rows, std::uint8_t* out);                                     \
    /* Is every byte below 128? */                                                                                \
    bool is_ascii(const std::uint8_t* bytes, std::size_t size);                                                   \
    /* The rows without ASCII blanks (9..13, 28..32) at their ends, one after another in `out`, which has room    \
       for all of them; their offsets, from 0, in `offsets` (rows + 1 of them). */                                \
    void trim_rows(const RowColumn& column, std::size_t rows, std::int64_t* offsets, std::uint8_t* out);          \
    }
UNSEEN_EACH_ISA(UNSEEN_ROWS)

}  // namespace unseen
