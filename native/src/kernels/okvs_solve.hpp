// The rare and the small parts of encoding: rows that peeling set aside, and stores with binary columns only.
#pragma once

#include "okvs_peel.hpp"

namespace unseen::UNSEEN_ISA {

// Solves `rows` equations in `unknowns` (row-major coefficients, right sides), rows <= unknowns, in the field. Unknowns
// without a pivot keep the values they have in `solution`. False if the rows are dependent.
template <typename Field>
bool eliminate(Block* coefficients, Block* right, std::size_t rows, std::size_t unknowns, Block* solution) {
    std::size_t pivot[kOkvsDense] = {};
    for (std::size_t r = 0; r < rows; ++r) {
        Block* row = coefficients + r * unknowns;
        for (std::size_t above = 0; above < r; ++above) {
            const Block factor = row[pivot[above]];  // the pivot above is 1
            for (std::size_t c = 0; c < unknowns; ++c)
                row[c] ^= product<Field>(factor, coefficients[above * unknowns + c]);
            right[r] ^= product<Field>(factor, right[above]);
        }
        std::size_t c = 0;
        while (c < unknowns && equal(row[c], zero_block())) ++c;
        if (c == unknowns) return false;
        pivot[r] = c;
        const Block scale = inverse<Field>(row[c]);
        for (std::size_t k = 0; k < unknowns; ++k) row[k] = product<Field>(row[k], scale);
        right[r] = product<Field>(right[r], scale);
    }
    for (std::size_t r = rows; r-- > 0;) {
        Block value = right[r];
        for (std::size_t c = 0; c < unknowns; ++c)
            if (c != pivot[r]) value ^= product<Field>(coefficients[r * unknowns + c], solution[c]);
        solution[pivot[r]] = value;
    }
    return true;
}

// Chooses dense columns so that the rows set aside hold: each, plus the peeled rows that clear its pivot columns, is an
// equation in free columns (known already) and dense ones. `slots` is the cluster's part of the encoding.
template <typename Field>
bool solve_gaps(const OkvsShape& shape, const Peeling& peeling, const Place* places, const Block* x, const Block* values,
                std::uint8_t* slots) {
    const std::size_t gaps = peeling.gaps(), dense = shape.dense;
    Scratch<Block> coefficients(gaps * dense), right(gaps), solution(dense);
    Scratch<std::uint8_t> odd(shape.sparse);  // which columns the combination has
    for (std::size_t g = 0; g < gaps; ++g) {
        Block* row = coefficients.data() + g * dense;
        for (std::size_t j = 0; j < dense; ++j) row[j] = zero_block();
        right[g] = zero_block();
        std::memset(odd.data(), 0, shape.sparse);
        const auto include = [&](std::uint32_t i) {
            for (const std::uint32_t c : places[i].column) odd[c] ^= 1;
            Block power = x[i];
            for (std::size_t j = 0; j < dense; ++j) {
                row[j] ^= power;
                power = product<Field>(power, x[i]);
            }
            right[g] ^= values[i];
        };
        include(peeling.gap(g));
        // A pivot column is in no row that is peeled later, so once its row is passed it stays clear.
        for (std::size_t i = 0; i < peeling.steps(); ++i)
            if (odd[peeling.step(i).column]) include(peeling.step(i).row);
        for (std::size_t c = 0; c < shape.sparse; ++c)
            if (odd[c]) right[g] ^= load(slots + 16 * c);
    }
    for (std::size_t j = 0; j < dense; ++j) solution[j] = load(slots + 16 * (shape.sparse + j));
    if (!eliminate<Field>(coefficients.data(), right.data(), gaps, dense, solution.data())) return false;
    for (std::size_t j = 0; j < dense; ++j) store(slots + 16 * (shape.sparse + j), solution[j]);
    return true;
}

// The random bits of a key's row in a store without sparse columns: block t is AES_dense(AES_place(k) ^ t).
inline void binary_row(const OkvsKeys& keys, std::size_t columns, Block key, Block* row) {
    Block hash[1] = {key};
    encrypt(keys.place, hash, 1);
    const std::size_t blocks = (columns + 127) / 128;
    for (std::size_t t = 0; t < blocks; ++t) row[t] = hash[0] ^ make_block(t, 0);
    encrypt(keys.dense, row, blocks);
    if (const std::size_t rest = columns % 128; rest > 0) {
        const std::uint64_t l = rest >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rest) - 1;
        const std::uint64_t h = rest > 64 ? (std::uint64_t{1} << (rest - 64)) - 1 : 0;
        row[blocks - 1] = row[blocks - 1] & make_block(l, h);
    }
}

inline bool bit_of(const Block* row, std::size_t i) {
    const Block block = row[i / 128];
    return ((i % 128 < 64 ? low(block) : high(block)) >> (i % 64) & 1) != 0;
}

// The first column of a row, or `columns` if it has none.
inline std::size_t first_bit(const Block* row, std::size_t columns) {
    for (std::size_t t = 0; 128 * t < columns; ++t) {
        if (low(row[t]) != 0) return 128 * t + static_cast<std::size_t>(__builtin_ctzll(low(row[t])));
        if (high(row[t]) != 0) return 128 * t + 64 + static_cast<std::size_t>(__builtin_ctzll(high(row[t])));
    }
    return columns;
}

// Gaussian elimination over bits. Free slots are in `slots` already.
inline bool encode_binary(const OkvsShape& shape, const OkvsKeys& keys, const std::uint8_t* key, const std::uint8_t* values,
                          std::size_t count, std::uint8_t* slots) {
    const std::size_t columns = shape.dense, blocks = (columns + 127) / 128;
    Scratch<Block> rows(count * blocks + 1), right(count + 1);
    Scratch<std::size_t> pivot(count + 1);
    for (std::size_t r = 0; r < count; ++r) {
        Block* row = rows.data() + r * blocks;
        binary_row(keys, columns, load(key + 16 * r), row);
        right[r] = load(values + 16 * r);
        for (std::size_t above = 0; above < r; ++above) {
            if (!bit_of(row, pivot[above])) continue;
            for (std::size_t t = 0; t < blocks; ++t) row[t] ^= rows[above * blocks + t];
            right[r] ^= right[above];
        }
        pivot[r] = first_bit(row, columns);
        if (pivot[r] == columns) return false;
    }
    for (std::size_t r = count; r-- > 0;) {
        Block value = right[r];
        const Block* row = rows.data() + r * blocks;
        for (std::size_t c = 0; c < columns; ++c)
            if (c != pivot[r] && bit_of(row, c)) value ^= load(slots + 16 * c);
        store(slots + 16 * pivot[r], value);
    }
    return true;
}

}  // namespace unseen::UNSEEN_ISA
