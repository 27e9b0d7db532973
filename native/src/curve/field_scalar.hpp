// GF(2^255-19) one at a time in radix 2^51 with 128-bit products; the compiler makes mulx of them where it may.
//
// The same interface as field_ifma.hpp, with one lane. An Fe has limbs below 2^51 + 2^18, so sums of five products stay
// below 2^110.
#pragma once



namespace unseen::UNSEEN_ISA {

constexpr std::size_t kLanes = 1;
using Word = std::uint64_t;
using Mask = std::uint64_t;  // all ones or all zeros

inline Word word(std::uint64_t x) { return x; }
inline Word shift_right(Word x, unsigned by) { return x >> by; }
inline Word rotate_right(Word x, int by) { return x >> by | x << (64 - by); }
inline Mask is_nonzero(Word x) { return 0 - ((x | (0 - x)) >> 63); }
inline Mask is_equal(Word a, Word b) { return ~is_nonzero(a ^ b); }
inline Mask all_lanes() { return ~Mask{0}; }
inline Word select(Mask mask, Word yes, Word no) { return no ^ (mask & (yes ^ no)); }
inline bool in_lane(Mask mask, std::size_t) { return mask != 0; }
inline Word rotate_lanes(Word x, unsigned) { return x; }

inline Word load_lanes(const std::uint8_t* rows, std::size_t) {
    Word x = 0;
    for (int i = 7; i >= 0; --i) x = x << 8 | rows[i];
    return x;
}
inline void store_lanes(std::uint8_t* rows, std::size_t, Word x) {
    for (int i = 0; i < 8; ++i) rows[i] = static_cast<std::uint8_t>(x >> (8 * i));
}
inline Word swap_bytes(Word x) { return __builtin_bswap64(x); }

struct Fe {
    Word v[5];
};
struct Wide {  // a sum or difference, not yet carried: limbs below 2^63
    Word v[5];
};

constexpr std::uint64_t kMask51 = (std::uint64_t{1} << 51) - 1;

inline Fe carry(const Wide& a) {
    return {{(a.v[0] & kMask51) + 19 * (a.v[4] >> 51), (a.v[1] & kMask51) + (a.v[0] >> 51),
             (a.v[2] & kMask51) + (a.v[1] >> 51), (a.v[3] & kMask51) + (a.v[2] >> 51),
             (a.v[4] & kMask51) + (a.v[3] >> 51)}};
}

using Double = unsigned __int128;

inline Fe narrow(Double c0, Double c1, Double c2, Double c3, Double c4) {
    c1 += static_cast<Word>(c0 >> 51);
    c2 += static_cast<Word>(c1 >> 51);
    c3 += static_cast<Word>(c2 >> 51);
    c4 += static_cast<Word>(c3 >> 51);
    const Word r0 = (static_cast<Word>(c0) & kMask51) + 19 * static_cast<Word>(c4 >> 51);
    return {{r0 & kMask51, (static_cast<Word>(c1) & kMask51) + (r0 >> 51), static_cast<Word>(c2) & kMask51,
             static_cast<Word>(c3) & kMask51, static_cast<Word>(c4) & kMask51}};
}

inline Double product(Word a, Word b) { return static_cast<Double>(a) * b; }

[[gnu::always_inline]] inline Fe multiply_here(const Fe& f, const Fe& g) {
    const Word *a = f.v, *b = g.v;
    const Word b1 = 19 * b[1], b2 = 19 * b[2], b3 = 19 * b[3], b4 = 19 * b[4];
    return narrow(
        product(a[0], b[0]) + product(a[1], b4) + product(a[2], b3) + product(a[3], b2) + product(a[4], b1),
        product(a[0], b[1]) + product(a[1], b[0]) + product(a[2], b4) + product(a[3], b3) + product(a[4], b2),
        product(a[0], b[2]) + product(a[1], b[1]) + product(a[2], b[0]) + product(a[3], b4) + product(a[4], b3),
        product(a[0], b[3]) + product(a[1], b[2]) + product(a[2], b[1]) + product(a[3], b[0]) + product(a[4], b4),
        product(a[0], b[4]) + product(a[1], b[3]) + product(a[2], b[2]) + product(a[3], b[1]) + product(a[4], b[0]));
}

[[gnu::always_inline]] inline Fe square_here(const Fe& f) {
    const Word* a = f.v;
    const Word d0 = 2 * a[0], d1 = 2 * a[1], d2 = 2 * a[2];
    const Word a3 = 19 * a[3], a4 = 19 * a[4];
    return narrow(product(a[0], a[0]) + product(d1, a4) + product(d2, a3),
                  product(d0, a[1]) + product(d2, a4) + product(a[3], a3),
                  product(d0, a[2]) + product(a[1], a[1]) + product(2 * a[3], a4),
                  product(d0, a[3]) + product(d1, a[2]) + product(a[4], a4),
                  product(d0, a[4]) + product(d1, a[3]) + product(a[2], a[2]));
}

inline Wide widen(const Fe& a) { return {{a.v[0], a.v[1], a.v[2], a.v[3], a.v[4]}}; }
inline Wide multiply_wide(const Fe& a, const Fe& b) { return widen(multiply_here(a, b)); }
inline Wide square_wide(const Fe& a) { return widen(square_here(a)); }
// Not inlined: long, and in dozens of places.
[[gnu::noinline]] inline Fe multiply(const Fe& a, const Fe& b) { return multiply_here(a, b); }
[[gnu::noinline]] inline Fe square(const Fe& a) { return square_here(a); }

// a times a number below 2^20.
inline Wide multiply_small(const Fe& a, std::uint64_t factor) {
    return widen(narrow(product(a.v[0], factor), product(a.v[1], factor), product(a.v[2], factor),
                        product(a.v[3], factor), product(a.v[4], factor)));
}

}  // namespace unseen::UNSEEN_ISA
