// GF(2^255-19): what both representations (field_ifma.hpp, field_scalar.hpp) have in common. Constant time throughout.
//
// Operands of products are of type Fe; products, sums and differences may stay Wide and are carried once, which makes
// additions nearly free. A subtrahend's limbs must be below 2^60: a product, a carried number or a sum of two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/target.hpp"

#ifdef UNSEEN_AVX512
#include "curve/field_ifma.hpp"
#else
#include "curve/field_scalar.hpp"
#endif

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kEdwardsD[5] = {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff};  // -121665/121666, the d of the Edwards curve
constexpr std::uint64_t kTwiceEdwardsD[5] = {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff};  // 2d
constexpr std::uint64_t kSqrtMinusOne[5] = {0x61b274a0ea0b0, 0xd5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d};  // 2^((p-1)/4), a square root of -1
constexpr std::uint64_t kOneMinusDSquared[5] = {0x409c1945fc176, 0x719abc6a1fc4f, 0x1c37f90b20684, 0x6bccca55eedf, 0x29072a8b2b3e};  // 1 - d^2
constexpr std::uint64_t kDMinusOneSquared[5] = {0x55aaa44ed4d20, 0x59603c3332635, 0x26d3baf4a7928, 0x120a66e6997a9, 0x5968b37af66c2};  // (d - 1)^2
constexpr std::uint64_t kSqrtAdMinusOne[5] = {0x7f6a0497b2e1b, 0x1836f0a97afd2, 0x7d747f6be7638, 0x456079e7e6498, 0x376931bf2b834};  // sqrt(-d - 1)
constexpr std::uint64_t kInvSqrtAMinusD[5] = {0xfdaa805d40ea, 0x2eb482e57d339, 0x7610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff};  // 1/sqrt(-1 - d)
constexpr std::uint64_t kBaseX[5] = {0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe, 0x216936d3cd6e5};  // the generator's x
constexpr std::uint64_t kBaseY[5] = {0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333, 0x6666666666666};  // 4/5, the generator's y
constexpr std::uint64_t kEllTwoRoot[5] = {0x61b274a0ea0b1, 0xd5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d};  // 2^((p+3)/8)

inline Fe constant(const std::uint64_t (&limbs)[5]) {
    return {{word(limbs[0]), word(limbs[1]), word(limbs[2]), word(limbs[3]), word(limbs[4])}};
}
inline Fe small(std::uint64_t x) { return {{word(x), word(0), word(0), word(0), word(0)}}; }

// ---- sums and differences: lane by lane, limb by limb; 512p keeps differences positive

template <typename A, typename B>
[[gnu::always_inline]] inline Wide plus(const A& a, const B& b) {
    Wide r;
    for (int k = 0; k < 5; ++k) r.v[k] = a.v[k] + b.v[k];
    return r;
}
template <typename A, typename B>
[[gnu::always_inline]] inline Wide minus(const A& a, const B& b) {
    Wide r;
    r.v[0] = a.v[0] + (word(512 * (kMask51 - 18)) - b.v[0]);
    for (int k = 1; k < 5; ++k) r.v[k] = a.v[k] + (word(512 * kMask51) - b.v[k]);
    return r;
}
inline Fe add(const Fe& a, const Fe& b) { return carry(plus(a, b)); }
inline Fe subtract(const Fe& a, const Fe& b) { return carry(minus(a, b)); }
inline Fe negate(const Fe& a) { return subtract(small(0), a); }

inline Fe select(Mask mask, const Fe& yes, const Fe& no) {
    Fe r;
    for (int k = 0; k < 5; ++k) r.v[k] = select(mask, yes.v[k], no.v[k]);
    return r;
}

// ---- to and from 256-bit numbers of four words

// Bit 255 is ignored; the number may be p or above.
inline Fe from_words(const Word (&w)[4]) {
    const Word mask = word(kMask51);
    return {{w[0] & mask, (shift_right(w[0], 51) | (w[1] << 13)) & mask,
             (shift_right(w[1], 38) | (w[2] << 26)) & mask, (shift_right(w[2], 25) | (w[3] << 39)) & mask,
             shift_right(w[3], 12) & mask}};
}

// The one representative below p.
inline void to_words(const Fe& a, Word (&w)[4]) {
    const Word mask = word(kMask51);
    Word v[5] = {a.v[0], a.v[1], a.v[2], a.v[3], a.v[4]};
    for (int pass = 0; pass < 2; ++pass) {  // afterwards every limb is below 2^51
        for (int k = 0; k < 4; ++k) {
            v[k + 1] = v[k + 1] + shift_right(v[k], 51);
            v[k] = v[k] & mask;
        }
        const Word top = shift_right(v[4], 51);
        v[4] = v[4] & mask;
        v[0] = v[0] + top + (top << 1) + (top << 4);
    }
    Word above = shift_right(v[0] + word(19), 51);  // 1 if the number is p or more
    for (int k = 1; k < 5; ++k) above = shift_right(v[k] + above, 51);
    v[0] = v[0] + above + (above << 1) + (above << 4);
    for (int k = 0; k < 4; ++k) {
        v[k + 1] = v[k + 1] + shift_right(v[k], 51);
        v[k] = v[k] & mask;
    }
    v[4] = v[4] & mask;
    w[0] = v[0] | (v[1] << 51);
    w[1] = shift_right(v[1], 13) | (v[2] << 38);
    w[2] = shift_right(v[2], 26) | (v[3] << 25);
    w[3] = shift_right(v[3], 39) | (v[4] << 12);
}

inline void load_words(const std::uint8_t* rows, std::size_t stride, Word (&w)[4]) {
    for (int k = 0; k < 4; ++k) w[k] = load_lanes(rows + 8 * k, stride);
}
inline void store_words(std::uint8_t* rows, std::size_t stride, const Word (&w)[4]) {
    for (int k = 0; k < 4; ++k) store_lanes(rows + 8 * k, stride, w[k]);
}

inline Mask is_zero(const Fe& a) {
    Word w[4];
    to_words(a, w);
    return is_equal(w[0] | w[1] | w[2] | w[3], word(0));
}
inline Mask equal(const Fe& a, const Fe& b) { return is_zero(subtract(a, b)); }
inline Mask is_negative(const Fe& a) {  // odd, as a number below p
    Word w[4];
    to_words(a, w);
    return is_nonzero(w[0] & word(1));
}
inline Fe absolute(const Fe& a) { return select(is_negative(a), negate(a), a); }

// ---- powers. `Count` numbers side by side: a chain of squarings waits for each one's result, two chains do not.

template <int Count>
inline void square_times(Fe (&a)[Count], int times) {
    for (int t = 0; t < times; ++t)
        for (int c = 0; c < Count; ++c) a[c] = carry(square_wide(a[c]));
}

template <int Count>
inline void multiply_all(Fe (&a)[Count], const Fe (&b)[Count]) {
    for (int c = 0; c < Count; ++c) a[c] = multiply(a[c], b[c]);
}

template <int Count>
inline void copy(Fe (&to)[Count], const Fe (&from)[Count]) {
    for (int c = 0; c < Count; ++c) to[c] = from[c];
}

// a^(2^250 - 1), and a^11 by the way.
template <int Count>
inline void power_250(Fe (&a)[Count], Fe (&eleventh)[Count]) {
    Fe two[Count], nine[Count], x5[Count], x10[Count], x20[Count], x50[Count], x100[Count], t[Count];
    copy(two, a), square_times(two, 1);
    copy(nine, two), square_times(nine, 2), multiply_all(nine, a);
    copy(eleventh, nine), multiply_all(eleventh, two);
    copy(x5, eleventh), square_times(x5, 1), multiply_all(x5, nine);  // 2^5 - 1
    copy(x10, x5), square_times(x10, 5), multiply_all(x10, x5);
    copy(x20, x10), square_times(x20, 10), multiply_all(x20, x10);
    copy(t, x20), square_times(t, 20), multiply_all(t, x20);
    copy(x50, t), square_times(x50, 10), multiply_all(x50, x10);
    copy(x100, x50), square_times(x100, 50), multiply_all(x100, x50);
    copy(t, x100), square_times(t, 100), multiply_all(t, x100);
    square_times(t, 50), multiply_all(t, x50);
    copy(a, t);
}

// a^((p - 5) / 8)
template <int Count>
[[gnu::noinline]] void power_p58(Fe (&a)[Count]) {
    Fe first[Count], eleventh[Count];
    copy(first, a);
    power_250(a, eleventh);
    square_times(a, 2), multiply_all(a, first);
}

// 1 / a, and 0 for 0
[[gnu::noinline]] inline Fe invert(const Fe& a) {
    Fe t[1] = {a}, eleventh[1];
    power_250(t, eleventh);
    square_times(t, 5), multiply_all(t, eleventh);
    return t[0];
}

// Whether a has a square root (0 has).
inline Mask is_square(const Fe& a) {
    Fe t[1] = {a};
    power_p58(t);
    square_times(t, 2);
    return equal(multiply(t[0], square(a)), small(1)) | is_zero(a);
}

// SQRT_RATIO_M1 of RFC 9496: whether u/v is a square, and the nonnegative root of u/v, or of i u/v if it is not.
inline Mask sqrt_ratio(const Fe& u, const Fe& v, Fe& root) {
    const Fe v3 = multiply(square(v), v), v7 = multiply(square(v3), v), i = constant(kSqrtMinusOne);
    Fe t[1] = {multiply(u, v7)};
    power_p58(t);
    Fe r = multiply(multiply(u, v3), t[0]);
    const Fe check = multiply(v, square(r)), minus_u = negate(u);
    const Mask same = equal(check, u), flipped = equal(check, minus_u);
    const Mask flipped_i = equal(check, multiply(minus_u, i));
    r = select(flipped | flipped_i, multiply(r, i), r);
    root = absolute(r);
    return same | flipped;
}

// Invert all of a[0 .. count), none of them 0, with one inversion: prefix products, then back.
inline void invert_all(Fe* a, Fe* space, std::size_t count) {
    if (count == 0) return;
    space[0] = a[0];
    for (std::size_t k = 1; k < count; ++k) space[k] = multiply(space[k - 1], a[k]);
    Fe rest = invert(space[count - 1]);
    for (std::size_t k = count - 1; k > 0; --k) {
        const Fe inverse = multiply(rest, space[k - 1]);
        rest = multiply(rest, a[k]);
        a[k] = inverse;
    }
    a[0] = rest;
}

// ---- batches: the last group of rows is padded with zero rows

// The rows from `first` on, `stride` bytes each (0: one row for all); `space` holds a group of them.
inline const std::uint8_t* group_of(const std::uint8_t* rows, std::size_t stride, std::size_t first,
                                    std::size_t count, std::uint8_t* space) {
    if (stride == 0 || first + kLanes <= count) return rows + first * stride;
    std::memset(space, 0, kLanes * stride);
    std::memcpy(space, rows + first * stride, (count - first) * stride);
    return space;
}

inline void store_group(const Word (&w)[4], std::uint8_t* rows, std::size_t first, std::size_t count) {
    if (first + kLanes <= count) return store_words(rows + 32 * first, 32, w);
    alignas(64) std::uint8_t space[32 * kLanes];
    store_words(space, 32, w);
    std::memcpy(rows + 32 * first, space, 32 * (count - first));
}

inline void store_mask(Mask mask, std::uint8_t* flags, std::size_t first, std::size_t count) {
    for (std::size_t lane = 0; lane < kLanes && first + lane < count; ++lane) flags[first + lane] = in_lane(mask, lane);
}

}  // namespace unseen::UNSEEN_ISA
