// The group ristretto255 (RFC 9496) on the Edwards curve -x^2 + y^2 = 1 + d x^2 y^2, in extended coordinates.
#pragma once

#include "curve/field.hpp"

namespace unseen::UNSEEN_ISA {

struct Point {  // x = X/Z, y = Y/Z, xy = T/Z
    Fe x, y, z, t;
};

struct Cached {  // Y + X, Y - X, 2Z, 2dT: what an addition needs of its second operand
    Fe plus, minus, z2, t2d;
};

inline Point identity() { return {small(0), small(1), small(1), small(0)}; }
inline Point generator() {
    const Fe x = constant(kBaseX), y = constant(kBaseY);
    return {x, y, small(1), multiply(x, y)};
}

inline Cached cache(const Point& p) {
    return {add(p.y, p.x), subtract(p.y, p.x), add(p.z, p.z), multiply(p.t, constant(kTwiceEdwardsD))};
}

inline Cached select(Mask mask, const Cached& yes, const Cached& no) {
    return {select(mask, yes.plus, no.plus), select(mask, yes.minus, no.minus), select(mask, yes.z2, no.z2),
            select(mask, yes.t2d, no.t2d)};
}
inline Cached negate_if(Mask mask, const Cached& p) {
    return {select(mask, p.minus, p.plus), select(mask, p.plus, p.minus), p.z2, select(mask, negate(p.t2d), p.t2d)};
}

// Hisil, Wong, Carter, Dawson, "Twisted Edwards Curves Revisited": complete, so every pair of points is the same work.
inline Point add_cached(const Point& p, const Cached& q) {
    const Wide a = multiply_wide(carry(minus(p.y, p.x)), q.minus), b = multiply_wide(carry(plus(p.y, p.x)), q.plus);
    const Wide c = multiply_wide(p.t, q.t2d), d = multiply_wide(p.z, q.z2);
    const Fe e = carry(minus(b, a)), f = carry(minus(d, c)), g = carry(plus(d, c)), h = carry(plus(b, a));
    return {multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h)};
}

inline Point double_point(const Point& p, bool with_t) {
    const Wide a = square_wide(p.x), b = square_wide(p.y), zz = square_wide(p.z);
    const Wide sum = plus(a, b);
    const Fe h = carry(sum), e = carry(minus(sum, square_wide(carry(plus(p.x, p.y)))));
    const Wide difference = minus(a, b);
    const Fe g = carry(difference), f = carry(plus(plus(zz, zz), difference));
    return {multiply(e, f), multiply(g, h), multiply(f, g), with_t ? multiply(e, h) : small(0)};
}

// Decode 32-byte strings; the mask tells which are canonical encodings of elements.
inline Mask decode(const Word (&w)[4], Point& out) {
    const Fe s = from_words(w);
    Word again[4];
    to_words(s, again);
    Mask valid = is_equal((w[0] ^ again[0]) | (w[1] ^ again[1]) | (w[2] ^ again[2]) | (w[3] ^ again[3]), word(0));
    valid = valid & is_equal(w[0] & word(1), word(0));
    const Fe ss = square(s), u1 = subtract(small(1), ss), u2 = add(ss, small(1)), u2u2 = square(u2);
    const Fe v = carry(minus(carry(minus(small(0), multiply_wide(constant(kEdwardsD), square(u1)))), u2u2));
    Fe root;
    valid = valid & sqrt_ratio(small(1), multiply(v, u2u2), root);
    const Fe den_x = multiply(root, u2), den_y = multiply(multiply(root, den_x), v);
    out.x = absolute(multiply(add(s, s), den_x));
    out.y = multiply(u1, den_y);
    out.z = small(1);
    out.t = multiply(out.x, out.y);
    return valid & ~is_negative(out.t) & ~is_zero(out.y);
}

inline void encode(const Point& p, Word (&w)[4]) {
    const Fe u1 = multiply(add(p.z, p.y), subtract(p.z, p.y)), u2 = multiply(p.x, p.y);
    Fe root;
    sqrt_ratio(small(1), multiply(u1, square(u2)), root);
    const Fe den1 = multiply(root, u1), den2 = multiply(root, u2), z_inv = multiply(multiply(den1, den2), p.t);
    const Fe i = constant(kSqrtMinusOne);
    const Mask rotate = is_negative(multiply(p.t, z_inv));
    const Fe x = select(rotate, multiply(p.y, i), p.x);
    Fe y = select(rotate, multiply(p.x, i), p.y);
    const Fe den = select(rotate, multiply(den1, constant(kInvSqrtAMinusD)), den2);
    y = select(is_negative(multiply(x, z_inv)), negate(y), y);
    to_words(absolute(multiply(den, subtract(p.z, y))), w);
}

// MAP of RFC 9496 section 4.3.4, for one half of the uniform bytes.
inline Point map_to_group(const Fe& t) {
    const Fe one = small(1), d = constant(kEdwardsD);
    const Fe r = multiply(square(t), constant(kSqrtMinusOne));
    const Fe u = multiply(add(r, one), constant(kOneMinusDSquared));
    const Fe v = multiply(subtract(carry(minus(small(0), multiply_wide(r, d))), one), add(r, d));
    Fe s;
    const Mask was_square = sqrt_ratio(u, v, s);
    s = select(was_square, s, negate(absolute(multiply(s, t))));
    const Fe c = select(was_square, negate(one), r);
    const Fe n = carry(minus(multiply_wide(multiply(c, subtract(r, one)), constant(kDMinusOneSquared)), v));
    const Fe w0 = multiply(add(s, s), v), w1 = multiply(n, constant(kSqrtAdMinusOne)), ss = square(s);
    const Fe w2 = subtract(one, ss), w3 = add(one, ss);
    return {multiply(w0, w3), multiply(w2, w1), multiply(w1, w3), multiply(w0, w2)};
}

// `scalar` (below 2^255) times p: signed digits of four bits, a table of 1 to 8 times p read whole at every digit.
inline Point multiply_point(const Word (&scalar)[4], const Point& p) {
    constexpr int kDigits = 64, kTable = 8;
    Cached table[kTable];
    Point multiple = p;
    table[0] = cache(p);
    for (int k = 1; k < kTable; ++k) {
        multiple = add_cached(multiple, table[0]);
        table[k] = cache(multiple);
    }
    // digits in -8 .. 7 but for the last, which may be 8: twice the digit's sign is carried to the next
    Word magnitude[kDigits];
    Mask minus_sign[kDigits];
    Word carried = word(0);
    for (int k = 0; k < kDigits; ++k) {
        const Word digit = (shift_right(scalar[k / 16], static_cast<unsigned>(4 * (k % 16))) & word(15)) + carried;
        carried = k + 1 < kDigits ? shift_right(digit + word(8), 4) : word(0);
        minus_sign[k] = is_nonzero(carried);
        magnitude[k] = select(minus_sign[k], word(16) - digit, digit);
    }
    Point sum = identity();
    for (int k = kDigits - 1; k >= 0; --k) {
        if (k + 1 < kDigits)
            for (int twice = 0; twice < 4; ++twice) sum = double_point(sum, twice == 3);
        Cached entry = {small(1), small(1), small(2), small(0)};
        for (int row = 0; row < kTable; ++row)
            entry = select(is_equal(magnitude[k], word(static_cast<std::uint64_t>(row) + 1)), table[row], entry);
        sum = add_cached(sum, negate_if(minus_sign[k], entry));
    }
    return sum;
}

}  // namespace unseen::UNSEEN_ISA
