// Montgomery's product in radix 2^52, of kLanes pairs at once: eight with AVX-512 IFMA, one elsewhere.
//
// R = 2^(52 L) is at least 4 n, so factors below 2 n give a product below 2 n and nothing is subtracted on the way
// (Walter, "Montgomery exponentiation needs no final subtractions", 1999).
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/target.hpp"
#include "unseen/montgomery.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kMask52 = (std::uint64_t{1} << 52) - 1;

// -1 / n mod 2^52, by Newton's iteration: five steps from five right bits.
inline std::uint64_t negative_inverse(std::uint64_t n) {
    std::uint64_t x = (3 * n) ^ 2;
    for (int step = 0; step < 4; ++step) x *= 2 - n * x;
    return (std::uint64_t{0} - x) & kMask52;
}

#ifdef UNSEEN_AVX512

constexpr std::size_t kLanes = 8;
using Word = __m512i;

inline Word zero() { return _mm512_setzero_si512(); }
inline Word spread(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
inline Word masked(Word x) { return _mm512_and_si512(x, spread(kMask52)); }
inline Word shifted(Word x) { return _mm512_srai_epi64(x, 52); }
inline Word add(Word a, Word b) { return _mm512_add_epi64(a, b); }
inline Word subtract(Word a, Word b) { return _mm512_sub_epi64(a, b); }
inline Word select(Word all_ones, Word yes, Word no) { return _mm512_ternarylogic_epi64(all_ones, yes, no, 0xCA); }
inline Word low(Word sum, Word a, Word b) { return _mm512_madd52lo_epu64(sum, a, b); }
inline Word high(Word sum, Word a, Word b) { return _mm512_madd52hi_epu64(sum, a, b); }

// Row i of `rows` becomes lane i of L words.
inline void load(const std::uint64_t* const (&rows)[kLanes], std::size_t limbs, Word* out) {
    for (std::size_t j = 0; j < limbs; j += 8) {
        const std::size_t left = limbs - j < 8 ? limbs - j : 8;
        const auto mask = static_cast<__mmask8>((1U << left) - 1);
        Word r[8], s[8];
        for (int i = 0; i < 8; ++i) r[i] = _mm512_maskz_loadu_epi64(mask, rows[i] + j);
        for (int i = 0; i < 8; i += 2) {
            s[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
            s[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
        }
        for (int i = 0; i < 2; ++i) {
            r[i] = _mm512_shuffle_i64x2(s[i], s[i + 2], 0x88);
            r[i + 2] = _mm512_shuffle_i64x2(s[i], s[i + 2], 0xDD);
            r[i + 4] = _mm512_shuffle_i64x2(s[i + 4], s[i + 6], 0x88);
            r[i + 6] = _mm512_shuffle_i64x2(s[i + 4], s[i + 6], 0xDD);
        }
        // r[i], r[i + 2]: even and odd pairs of words of rows 0 to 3; r[i + 4], r[i + 6]: of rows 4 to 7
        for (int i = 0; i < 2; ++i) {
            s[i] = _mm512_shuffle_i64x2(r[i], r[i + 4], 0x88);
            s[i + 4] = _mm512_shuffle_i64x2(r[i], r[i + 4], 0xDD);
            s[i + 2] = _mm512_shuffle_i64x2(r[i + 2], r[i + 6], 0x88);
            s[i + 6] = _mm512_shuffle_i64x2(r[i + 2], r[i + 6], 0xDD);
        }
        for (std::size_t i = 0; i < left; ++i) out[j + i] = s[i];
    }
}

inline void set_lane(Word* words, std::size_t limbs, std::size_t lane, const std::uint64_t* row) {
    auto* cells = reinterpret_cast<std::uint64_t*>(words) + lane;
    for (std::size_t j = 0; j < limbs; ++j) cells[j * kLanes] = row[j];
}

inline void get_lane(const Word* words, std::size_t limbs, std::size_t lane, std::uint64_t* row) {
    const auto* cells = reinterpret_cast<const std::uint64_t*>(words) + lane;
    for (std::size_t j = 0; j < limbs; ++j) row[j] = cells[j * kLanes];
}

// out = a b / R mod n, below 2 n; out may be a or b. Two limbs of b a sweep: t shifts down by two each time, its limbs
// sum up at most 4 L numbers below 2^52.
inline void multiply(const Montgomery& m, std::uint64_t inverse, const Word* a, const Word* b, Word* out) {
    const std::size_t limbs = m.limbs;
    const std::uint64_t* n = m.modulus;
    Word t[kMontgomeryLimbs + 2];
    for (std::size_t j = 0; j < limbs + 2; ++j) t[j] = zero();
    const Word inv = spread(inverse), n0 = spread(n[0]);
    std::size_t i = 0;
    if (limbs % 2 != 0) {
        const Word b0 = b[0];
        Word first = low(t[0], a[0], b0);
        const Word m0 = low(zero(), first, inv);
        first = low(first, n0, m0);
        Word carry = shifted(first), a1 = a[0], n1 = n0;
        for (std::size_t j = 1; j < limbs; ++j) {
            const Word aj = a[j], nj = spread(n[j]);
            Word sum = low(add(t[j], carry), aj, b0), other = low(zero(), nj, m0);
            sum = high(sum, a1, b0);
            other = high(other, n1, m0);
            t[j - 1] = add(sum, other);
            carry = zero();
            a1 = aj;
            n1 = nj;
        }
        t[limbs - 1] = add(carry, add(high(zero(), a1, b0), high(zero(), n1, m0)));
        i = 1;
    }
    for (; i < limbs; i += 2) {
        const Word b0 = b[i], b1 = b[i + 1];
        Word a2 = a[0], a1 = a[1], n2 = n0, n1 = spread(n[1]);
        Word first = low(t[0], a2, b0);
        const Word m0 = low(zero(), first, inv);
        first = low(first, n2, m0);
        Word second = add(t[1], shifted(first));
        second = high(low(low(second, a1, b0), a2, b1), a2, b0);
        second = add(second, high(low(zero(), n1, m0), n2, m0));
        const Word m1 = low(zero(), second, inv);
        second = low(second, n2, m1);
        Word carry = shifted(second);
        for (std::size_t j = 2; j < limbs; ++j) {
            const Word aj = a[j], nj = spread(n[j]);
            Word sum = add(t[j], carry), other = low(zero(), nj, m0);
            sum = low(sum, aj, b0);
            other = low(other, n1, m1);
            sum = high(sum, a1, b0);
            other = high(other, n1, m0);
            sum = low(sum, a1, b1);
            other = high(other, n2, m1);
            sum = high(sum, a2, b1);
            t[j - 2] = add(sum, other);
            carry = zero();
            a2 = a1;
            a1 = aj;
            n2 = n1;
            n1 = nj;
        }
        Word sum = high(low(high(carry, a1, b0), a1, b1), a2, b1);
        t[limbs - 2] = high(low(high(sum, n1, m0), n1, m1), n2, m1);
        t[limbs - 1] = high(high(zero(), a1, b1), n1, m1);
    }
    Word carry = zero();
    for (std::size_t j = 0; j < limbs; ++j) {
        const Word sum = add(t[j], carry);
        out[j] = masked(sum);
        carry = shifted(sum);
    }
}

#else

constexpr std::size_t kLanes = 1;
using Word = std::uint64_t;

inline Word spread(std::uint64_t x) { return x; }
inline Word masked(Word x) { return x & kMask52; }
inline Word shifted(Word x) { return static_cast<Word>(static_cast<std::int64_t>(x) >> 52); }
inline Word add(Word a, Word b) { return a + b; }
inline Word subtract(Word a, Word b) { return a - b; }
inline Word select(Word all_ones, Word yes, Word no) { return (all_ones & yes) | (~all_ones & no); }

inline void load(const std::uint64_t* const (&rows)[kLanes], std::size_t limbs, Word* out) {
    for (std::size_t j = 0; j < limbs; ++j) out[j] = rows[0][j];
}
inline void set_lane(Word* words, std::size_t limbs, std::size_t, const std::uint64_t* row) {
    for (std::size_t j = 0; j < limbs; ++j) words[j] = row[j];
}
inline void get_lane(const Word* words, std::size_t limbs, std::size_t, std::uint64_t* row) {
    for (std::size_t j = 0; j < limbs; ++j) row[j] = words[j];
}

// Column by column: a column sums up at most 2 L products below 2^104 and a carry.
inline void multiply(const Montgomery& m, std::uint64_t inverse, const Word* a, const Word* b, Word* out) {
    using Wide = unsigned __int128;
    const std::size_t limbs = m.limbs;
    const std::uint64_t* n = m.modulus;
    Word q[kMontgomeryLimbs], r[kMontgomeryLimbs];
    Wide sum = 0;
    for (std::size_t k = 0; k < limbs; ++k) {
        Wide other = 0;
        for (std::size_t j = 0; j < k; ++j) {
            sum += static_cast<Wide>(a[j]) * b[k - j];
            other += static_cast<Wide>(q[j]) * n[k - j];
        }
        sum += static_cast<Wide>(a[k]) * b[0] + other;
        q[k] = (static_cast<Word>(sum) * inverse) & kMask52;
        sum += static_cast<Wide>(q[k]) * n[0];
        sum >>= 52;
    }
    for (std::size_t k = limbs; k < 2 * limbs; ++k) {
        Wide other = 0;
        for (std::size_t j = k - limbs + 1; j < limbs; ++j) {
            sum += static_cast<Wide>(a[j]) * b[k - j];
            other += static_cast<Wide>(q[j]) * n[k - j];
        }
        sum += other;
        r[k - limbs] = static_cast<Word>(sum) & kMask52;
        sum >>= 52;
    }
    for (std::size_t j = 0; j < limbs; ++j) out[j] = r[j];
}

#endif

// Below n what is below 2 n.
inline void reduce(const Montgomery& m, Word* x) {
    Word less[kMontgomeryLimbs], borrow = spread(0);
    for (std::size_t j = 0; j < m.limbs; ++j) {
        const Word difference = add(subtract(x[j], spread(m.modulus[j])), borrow);
        less[j] = masked(difference);
        borrow = shifted(difference);
    }
    for (std::size_t j = 0; j < m.limbs; ++j) x[j] = select(borrow, x[j], less[j]);
}

}  // namespace unseen::UNSEEN_ISA
