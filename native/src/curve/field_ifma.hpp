// GF(2^255-19) eight at a time with AVX-512 IFMA: lane i of the five vectors is the i-th number, in radix 2^51.
//
// `multiply_wide` works on 52-bit halves of 104-bit products (vpmadd52lo/hi), so limbs of operands must stay below 2^52.
// Bounds: an Fe has limbs below 2^51 + 2^18. With them, lower halves are below 2^52 and upper halves below 2^51, and a
// limb of the folded product is at most 2^52 + 19 (4 * 2^52 + 2 * 5 * 2^50.1) < 2^59.
#pragma once



namespace unseen::UNSEEN_ISA {

constexpr std::size_t kLanes = 8;
using Word = unsigned long long __attribute__((vector_size(64)));  // eight numbers mod 2^64; operators work lane by lane
using Mask = __mmask8;                                             // a bit per lane

inline __m512i raw(Word x) { return reinterpret_cast<__m512i>(x); }
inline Word lanes(__m512i x) { return reinterpret_cast<Word>(x); }

inline Word word(std::uint64_t x) { return lanes(_mm512_set1_epi64(static_cast<long long>(x))); }
inline Word shift_right(Word x, unsigned by) { return x >> by; }
inline Word rotate_right(Word x, int by) { return lanes(_mm512_rorv_epi64(raw(x), _mm512_set1_epi64(by))); }
inline Mask is_nonzero(Word x) { return _mm512_test_epi64_mask(raw(x), raw(x)); }
inline Mask is_equal(Word a, Word b) { return _mm512_cmpeq_epi64_mask(raw(a), raw(b)); }
inline Mask all_lanes() { return 0xFF; }
inline Word select(Mask mask, Word yes, Word no) { return lanes(_mm512_mask_blend_epi64(mask, raw(no), raw(yes))); }
inline bool in_lane(Mask mask, std::size_t lane) { return (mask >> lane & 1) != 0; }
// Lane i gets what lane i + by has, counted round.
inline Word rotate_lanes(Word x, unsigned by) {
    const Word from = (Word{0, 1, 2, 3, 4, 5, 6, 7} + word(by)) & word(kLanes - 1);
    return lanes(_mm512_permutexvar_epi64(raw(from), raw(x)));
}

// Eight bytes of each lane's row, little-endian; rows lie `stride` bytes apart (0: one row for all).
inline __m512i places(std::size_t stride) { return raw(Word{0, 1, 2, 3, 4, 5, 6, 7} * word(stride)); }
inline Word load_lanes(const std::uint8_t* rows, std::size_t stride) {
    return lanes(_mm512_i64gather_epi64(places(stride), rows, 1));
}
inline void store_lanes(std::uint8_t* rows, std::size_t stride, Word x) {
    _mm512_i64scatter_epi64(rows, places(stride), raw(x), 1);
}
inline Word swap_bytes(Word x) {
    return lanes(_mm512_shuffle_epi8(raw(x), _mm512_set4_epi64(0x08090A0B0C0D0E0F, 0x0001020304050607,
                                                               0x08090A0B0C0D0E0F, 0x0001020304050607)));
}

struct Fe {
    Word v[5];
};
struct Wide {  // a sum of products or differences, not yet carried: limbs below 2^63
    Word v[5];
};

constexpr std::uint64_t kMask51 = (std::uint64_t{1} << 51) - 1;

[[gnu::always_inline]] inline Word madd_low(Word sum, Word a, Word b) {
    return lanes(_mm512_madd52lo_epu64(raw(sum), raw(a), raw(b)));
}
[[gnu::always_inline]] inline Word madd_high(Word sum, Word a, Word b) {
    return lanes(_mm512_madd52hi_epu64(raw(sum), raw(a), raw(b)));
}
[[gnu::always_inline]] inline Word times19(Word x) { return x + (x << 1) + (x << 4); }

[[gnu::always_inline]] inline Fe carry(const Wide& a) {
    const Word mask = word(kMask51);
    Fe r;
    r.v[0] = madd_low(a.v[0] & mask, shift_right(a.v[4], 51), word(19));
    r.v[1] = (a.v[1] & mask) + shift_right(a.v[0], 51);
    r.v[2] = (a.v[2] & mask) + shift_right(a.v[1], 51);
    r.v[3] = (a.v[3] & mask) + shift_right(a.v[2], 51);
    r.v[4] = (a.v[4] & mask) + shift_right(a.v[3], 51);
    return r;
}

// Upper halves at 2^(51k + 52) count twice one limb up: they come first and, doubled, are what the lower halves are added
// to. The sums at 2^255 and above come next, and times 19 are what the lower five are added to.

[[gnu::always_inline]] inline Wide multiply_wide(const Fe& a, const Fe& b) {
    Word high[9] = {}, sum[10];
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i)
#pragma GCC unroll 5
        for (int j = 0; j < 5; ++j) high[i + j] = madd_high(high[i + j], a.v[i], b.v[j]);
    sum[0] = Word{};
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) sum[k + 1] = high[k] + high[k];
#pragma GCC unroll 5
    for (int i = 1; i < 5; ++i)
#pragma GCC unroll 5
        for (int j = 5 - i; j < 5; ++j) sum[i + j] = madd_low(sum[i + j], a.v[i], b.v[j]);
    Wide r;
    r.v[0] = times19(sum[5]);
#pragma GCC unroll 5
    for (int k = 1; k < 5; ++k) r.v[k] = sum[k] + times19(sum[k + 5]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i)
#pragma GCC unroll 5
        for (int j = 0; j < 5 - i; ++j) r.v[i + j] = madd_low(r.v[i + j], a.v[i], b.v[j]);
    return r;
}

// The same with each pair of factors once: sums of unequal ones are doubled, and upper halves with them.
[[gnu::always_inline]] inline Wide square_wide(const Fe& a) {
    Word high[9] = {}, sum[10];
#pragma GCC unroll 5
    for (int i = 0; i < 4; ++i)
#pragma GCC unroll 5
        for (int j = i + 1; j < 5; ++j) high[i + j] = madd_high(high[i + j], a.v[i], a.v[j]);
#pragma GCC unroll 9
    for (int k = 1; k < 8; ++k) high[k] = high[k] + high[k];
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) high[2 * i] = madd_high(high[2 * i], a.v[i], a.v[i]);
    sum[0] = Word{};
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) sum[k + 1] = high[k];
#pragma GCC unroll 5
    for (int i = 0; i < 4; ++i)
#pragma GCC unroll 5
        for (int j = i + 1; j < 5; ++j) sum[i + j] = madd_low(sum[i + j], a.v[i], a.v[j]);
#pragma GCC unroll 9
    for (int k = 1; k < 10; ++k) sum[k] = sum[k] + sum[k];
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) sum[2 * i] = madd_low(sum[2 * i], a.v[i], a.v[i]);
    Wide r;
#pragma GCC unroll 5
    for (int k = 0; k < 5; ++k) r.v[k] = sum[k] + times19(sum[k + 5]);
    return r;
}

// a times a number below 2^20.
[[gnu::always_inline]] inline Wide multiply_small(const Fe& a, std::uint64_t factor) {
    const Word b = word(factor), zero = Word{};
    Word high[5];
    for (int k = 0; k < 5; ++k) high[k] = madd_high(zero, a.v[k], b);
    Wide r;
    r.v[0] = madd_low(madd_low(zero, a.v[0], b), high[4], word(38));
    for (int k = 1; k < 5; ++k) r.v[k] = madd_low(high[k - 1] + high[k - 1], a.v[k], b);
    return r;
}

// Not inlined: a hundred instructions each, in dozens of places.
[[gnu::noinline]] inline Fe multiply(const Fe& a, const Fe& b) { return carry(multiply_wide(a, b)); }
[[gnu::noinline]] inline Fe square(const Fe& a) { return carry(square_wide(a)); }

}  // namespace unseen::UNSEEN_ISA
