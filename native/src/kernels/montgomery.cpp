// Rows of residues, kLanes at a time.
#include "unseen/montgomery.hpp"

#include "bignum/lanes.hpp"
#include "kernels/scratch.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

using Rows = const std::uint64_t* [kLanes];

// Rows `first` to first + kLanes; the last stands for those behind it.
void rows_at(const std::uint64_t* rows, std::size_t stride, std::size_t first, std::size_t count, Rows& out) {
    for (std::size_t i = 0; i < kLanes; ++i) out[i] = rows + stride * (first + i < count ? first + i : count - 1);
}

void store(const Montgomery& m, const Word* words, std::uint64_t* rows, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < kLanes && first + i < count; ++i)
        get_lane(words, m.limbs, i, rows + (first + i) * m.limbs);
}

// f(x) for each group of rows: x in and out, reduced at the end.
template <typename F>
void each_group(const Montgomery& m, const std::uint64_t* in, std::uint64_t* out, std::size_t count, F f) {
    Word x[kMontgomeryLimbs];
    Rows rows;
    for (std::size_t first = 0; first < count; first += kLanes) {
        rows_at(in, m.limbs, first, count, rows);
        load(rows, m.limbs, x);
        f(x, first);
        reduce(m, x);
        store(m, x, out, first, count);
    }
}

void split(const std::uint64_t* words, std::size_t width, std::uint64_t* limbs, std::size_t count) {
    for (std::size_t j = 0; j < count; ++j) {
        const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
        std::uint64_t x = at < width ? words[at] >> shift : 0;
        if (shift > 12 && at + 1 < width) x |= words[at + 1] << (64 - shift);
        limbs[j] = x & kMask52;
    }
}

bool below(const std::uint64_t* words, std::size_t width, const std::uint64_t* limbs, const Montgomery& m) {
    const std::size_t bits = 52 * m.limbs;
    for (std::size_t k = 0; k < width; ++k)
        if (64 * k >= bits ? words[k] != 0 : 64 * k + 64 > bits && words[k] >> (bits - 64 * k) != 0) return false;
    for (std::size_t j = m.limbs; j-- > 0;)
        if (limbs[j] != m.modulus[j]) return limbs[j] < m.modulus[j];
    return false;
}

}  // namespace

void montgomery_enter(const Montgomery& m, const std::uint64_t* words, std::size_t width, std::uint64_t* out,
                      std::uint8_t* flags, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t* row = out + i * m.limbs;
        split(words + i * width, width, row, m.limbs);
        flags[i] = below(words + i * width, width, row, m);
        if (flags[i] == 0)
            for (std::size_t j = 0; j < m.limbs; ++j) row[j] = 0;
    }
    montgomery_multiply(m, out, m.square, 0, out, count);
}

void montgomery_leave(const Montgomery& m, const std::uint64_t* limbs, std::uint64_t* words, std::size_t width,
                      std::size_t count) {
    const std::uint64_t inverse = negative_inverse(m.modulus[0]);
    Word unit[kMontgomeryLimbs];
    std::uint64_t row[kMontgomeryLimbs];
    for (std::size_t j = 0; j < m.limbs; ++j) unit[j] = spread(j == 0);
    Rows rows;
    Word x[kMontgomeryLimbs];
    for (std::size_t first = 0; first < count; first += kLanes) {
        rows_at(limbs, m.limbs, first, count, rows);
        load(rows, m.limbs, x);
        multiply(m, inverse, x, unit, x);
        reduce(m, x);
        for (std::size_t i = 0; i < kLanes && first + i < count; ++i) {
            get_lane(x, m.limbs, i, row);
            std::uint64_t* to = words + (first + i) * width;
            for (std::size_t k = 0; k < width; ++k) to[k] = 0;
            for (std::size_t j = 0; j < m.limbs; ++j) {
                const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
                if (at < width) to[at] |= row[j] << shift;
                if (shift > 12 && at + 1 < width) to[at + 1] |= row[j] >> (64 - shift);
            }
        }
    }
}

void montgomery_multiply(const Montgomery& m, const std::uint64_t* left, const std::uint64_t* right,
                         std::size_t right_stride, std::uint64_t* out, std::size_t count) {
    const std::uint64_t inverse = negative_inverse(m.modulus[0]);
    Word y[kMontgomeryLimbs];
    Rows rows;
    each_group(m, left, out, count, [&](Word* x, std::size_t first) {
        if (first == 0 || right_stride != 0) {
            rows_at(right, right_stride, first, count, rows);
            load(rows, m.limbs, y);
        }
        multiply(m, inverse, x, y, x);
    });
}

void montgomery_square(const Montgomery& m, const std::uint64_t* base, std::size_t squarings, std::uint64_t* out,
                       std::size_t count) {
    const std::uint64_t inverse = negative_inverse(m.modulus[0]);
    each_group(m, base, out, count, [&](Word* x, std::size_t) {
        for (std::size_t k = 0; k < squarings; ++k) multiply(m, inverse, x, x, x);
    });
}

void montgomery_power(const Montgomery& m, const std::uint64_t* base, const std::uint64_t* exponent, std::size_t width,
                      std::uint64_t* out, std::size_t count) {
    constexpr std::size_t kBits = 4, kEntries = std::size_t{1} << kBits;
    const std::uint64_t inverse = negative_inverse(m.modulus[0]);
    const std::size_t limbs = m.limbs;
    const Scratch<std::uint64_t> space(kEntries * limbs * kLanes);
    Word* table = reinterpret_cast<Word*>(space.data());
    Word chosen[kMontgomeryLimbs];
    each_group(m, base, out, count, [&](Word* x, std::size_t) {
        for (std::size_t j = 0; j < limbs; ++j) {
            table[j] = spread(m.one[j]);
            table[limbs + j] = x[j];
        }
        for (std::size_t e = 2; e < kEntries; ++e)
            multiply(m, inverse, table + (e - 1) * limbs, x, table + e * limbs);
        for (std::size_t j = 0; j < limbs; ++j) x[j] = spread(m.one[j]);
        for (std::size_t at = 64 * width; at > 0; at -= kBits) {
            for (std::size_t k = 0; k < kBits; ++k) multiply(m, inverse, x, x, x);
            const std::uint64_t digit = exponent[(at - kBits) / 64] >> ((at - kBits) % 64) & (kEntries - 1);
            for (std::size_t j = 0; j < limbs; ++j) chosen[j] = table[j];
            for (std::size_t e = 1; e < kEntries; ++e) {  // the whole table is read
                const std::uint64_t other = digit ^ e, differs = (other | (std::uint64_t{0} - other)) >> 63;
                const Word mask = spread(differs - 1);
                for (std::size_t j = 0; j < limbs; ++j) chosen[j] = select(mask, table[e * limbs + j], chosen[j]);
            }
            multiply(m, inverse, x, chosen, x);
        }
    });
}

// The factors of all segments lie in one row of numbers, of which each lane takes an equal part whatever the segments are.
// A lane's first product may be the rest of a segment that the lane before it began: it waits in `rests`.
void montgomery_products(const Montgomery& m, const std::uint64_t* table, const std::int64_t* order,
                         const std::int64_t* starts, std::size_t segments, std::uint64_t* out) {
    const std::uint64_t inverse = negative_inverse(m.modulus[0]);
    const std::size_t limbs = m.limbs;
    for (std::size_t s = 0; s < segments; ++s)
        for (std::size_t j = 0; j < limbs; ++j) out[s * limbs + j] = m.one[j];
    if (segments == 0) return;
    const std::int64_t begin = starts[0], total = starts[segments] - begin;
    const std::int64_t each = (total + static_cast<std::int64_t>(kLanes) - 1) / static_cast<std::int64_t>(kLanes);
    const Scratch<std::uint64_t> rests(kLanes * limbs);
    std::int64_t at[kLanes], end[kLanes];
    std::size_t segment[kLanes], rest_of[kLanes];
    bool whole[kLanes];
    Word x[kMontgomeryLimbs], y[kMontgomeryLimbs];
    Rows rows;
    for (std::size_t i = 0; i < kLanes; ++i) {
        const auto lane = static_cast<std::int64_t>(i);
        at[i] = begin + (lane * each < total ? lane * each : total);
        end[i] = begin + ((lane + 1) * each < total ? (lane + 1) * each : total);
        std::size_t low = 0, high = segments - 1;  // the last segment that starts at or before at[i]
        while (low < high) {
            const std::size_t middle = (low + high + 1) / 2;
            if (starts[middle] <= at[i])
                low = middle;
            else
                high = middle - 1;
        }
        segment[i] = rest_of[i] = low;
        whole[i] = starts[low] == at[i];
        set_lane(x, limbs, i, m.one);
        for (std::size_t j = 0; j < limbs; ++j) rests[i * limbs + j] = m.one[j];
    }
    const auto flush = [&](std::size_t i) {
        get_lane(x, limbs, i, whole[i] ? out + segment[i] * limbs : rests.data() + i * limbs);
        set_lane(x, limbs, i, m.one);
        whole[i] = true;
    };
    for (std::int64_t step = 0; step < each; ++step) {
        for (std::size_t i = 0; i < kLanes; ++i) {
            rows[i] = m.one;
            if (at[i] == end[i]) continue;
            if (at[i] == starts[segment[i] + 1]) {
                flush(i);
                while (at[i] == starts[segment[i] + 1]) ++segment[i];
            }
            rows[i] = table + static_cast<std::size_t>(order[at[i]]) * limbs;
            if (++at[i] < end[i]) {
                const auto* next = table + static_cast<std::size_t>(order[at[i]]) * limbs;
                for (std::size_t j = 0; j < limbs; j += 8) __builtin_prefetch(next + j);
            }
        }
        load(rows, limbs, y);
        multiply(m, inverse, x, y, x);
    }
    for (std::size_t i = 0; i < kLanes; ++i)
        if (end[i] > begin + static_cast<std::int64_t>(i) * each) flush(i);
    each_group(m, out, out, segments, [](Word*, std::size_t) {});
    for (std::size_t i = 1; i < kLanes; ++i)
        montgomery_multiply(m, out + rest_of[i] * limbs, rests.data() + i * limbs, limbs, out + rest_of[i] * limbs, 1);
}

}  // namespace unseen::UNSEEN_ISA
