// curve25519 by x alone: the ladder of RFC 7748, and RFC 9380's map and hash to the curve.
#pragma once

#include "curve/field.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kMontgomeryA = 486662, kA24 = 121665;

struct XPoint {  // x = X / Z; Z = 0 is the point at infinity
    Fe x, z;
};

// `scalar` times the point of that x; on the twist as well. Works on bits 254 to 0 of the scalar, all lanes in step.
//
// The two points of the ladder are kept as (double, sum) of the last step. Which one is doubled next depends on the
// secret bit: it is chosen by masks. Their difference is always the input, whichever comes first.
inline XPoint ladder(const Word (&scalar)[4], const Fe& x) {
    Wide double_x = plus(small(1), small(0)), double_z = plus(small(0), small(0));
    Wide sum_x = plus(x, small(0)), sum_z = plus(small(1), small(0));
    Word last = word(0);
    for (int t = 254; t >= 0; --t) {
        const Word bit = shift_right(scalar[t / 64], static_cast<unsigned>(t % 64)) & word(1);
        const Mask take_sum = is_nonzero(bit ^ last);
        last = bit;
        const Fe a = carry(plus(double_x, double_z)), b = carry(minus(double_x, double_z));
        const Fe c = carry(plus(sum_x, sum_z)), d = carry(minus(sum_x, sum_z));
        const Wide ad = multiply_wide(a, d), bc = multiply_wide(b, c);
        const Fe doubled_plus = select(take_sum, c, a), doubled_minus = select(take_sum, d, b);
        sum_x = square_wide(carry(plus(ad, bc)));
        sum_z = multiply_wide(x, carry(square_wide(carry(minus(ad, bc)))));
        const Fe aa = carry(square_wide(doubled_plus)), bb = carry(square_wide(doubled_minus));
        const Fe e = carry(minus(aa, bb));
        double_x = multiply_wide(aa, bb);
        double_z = multiply_wide(e, carry(plus(multiply_small(e, kA24), aa)));
    }
    const Mask take_sum = is_nonzero(last);
    return {select(take_sum, carry(sum_x), carry(double_x)), select(take_sum, carry(sum_z), carry(double_z))};
}

inline XPoint double_point(const XPoint& p) {
    const Fe aa = square(carry(plus(p.x, p.z))), bb = square(carry(minus(p.x, p.z)));
    const Fe e = carry(minus(aa, bb));
    return {multiply(aa, bb), multiply(e, carry(plus(multiply_small(e, kA24), aa)))};
}

// Whether x^3 + A x^2 + x is a square: the twist's points fail.
inline Mask on_curve(const Fe& x) {
    const Fe t = add(x, small(kMontgomeryA));
    return is_square(multiply(x, carry(plus(multiply(x, t), small(1)))));
}

struct Mapped {  // x = xn / xd and y of a point
    Fe xn, xd, y;
};

// map_to_curve_elligator2_curve25519, RFC 9380 appendix G.2.1 step by step (J = A, q = p), for `Count` numbers at once.
template <int Count>
inline void map_to_curve(const Fe (&u)[Count], Mapped (&out)[Count]) {
    const Fe j = small(kMontgomeryA), c3 = constant(kSqrtMinusOne);
    const Fe x1n = negate(j);
    Fe tv1[Count], gxd[Count], gx1[Count], y11[Count], tv3[Count];
    for (int c = 0; c < Count; ++c) {
        tv1[c] = carry(multiply_small(square(u[c]), 2));
        out[c].xd = add(tv1[c], small(1));
        const Fe tv2 = square(out[c].xd);
        gxd[c] = multiply(tv2, out[c].xd);
        gx1[c] = multiply(carry(multiply_small(tv1[c], kMontgomeryA)), x1n);
        gx1[c] = multiply(add(gx1[c], tv2), x1n);
        const Fe square_gxd = square(gxd[c]);
        tv3[c] = multiply(multiply(square_gxd, gxd[c]), gx1[c]);
        y11[c] = multiply(square(square_gxd), tv3[c]);
    }
    power_p58(y11);
    for (int c = 0; c < Count; ++c) {
        y11[c] = multiply(y11[c], tv3[c]);
        const Fe y12 = multiply(y11[c], c3);
        const Fe y1 = select(equal(multiply(square(y11[c]), gxd[c]), gx1[c]), y11[c], y12);
        const Fe x2n = multiply(x1n, tv1[c]);
        const Fe y21 = multiply(multiply(y11[c], u[c]), constant(kEllTwoRoot));
        const Fe y22 = multiply(y21, c3);
        const Fe gx2 = multiply(gx1[c], tv1[c]);
        const Fe y2 = select(equal(multiply(square(y21), gxd[c]), gx2), y21, y22);
        const Mask first = equal(multiply(square(y1), gxd[c]), gx1[c]);
        out[c].xn = select(first, x1n, x2n);
        const Fe y = select(first, y1, y2);
        out[c].y = select(first ^ is_negative(y), negate(y), y);
    }
}

// x of P + Q. Equal points are doubled, opposite ones give infinity; no input branches.
inline XPoint add_points(const Mapped& p, const Mapped& q) {
    const Fe pq = multiply(p.xn, q.xd), qp = multiply(q.xn, p.xd), d = multiply(p.xd, q.xd);
    const Fe dx = subtract(qp, pq), dy = subtract(q.y, p.y);
    const Fe dd = square(d), dx2 = square(dx);
    const Fe slope = multiply(square(dy), multiply(dd, d));
    const Fe rest = carry(plus(plus(multiply_small(d, kMontgomeryA), pq), qp));
    XPoint sum = {subtract(slope, multiply(rest, dx2)), multiply(d, dx2)};
    const Mask same = is_zero(dx) & is_zero(dy);
    const XPoint twice = double_point({p.xn, p.xd});
    return {select(same, twice.x, sum.x), select(same, twice.z, sum.z)};
}

// 48 big-endian bytes as six words, modulo p.
inline Fe from_wide_words(const Word* big) {
    const Word low[4] = {big[5], big[4], big[3], big[2]}, high[4] = {big[1], big[0], word(0), word(0)};
    Fe top = small(0);
    top.v[0] = shift_right(big[2], 63);  // bit 255, which from_words leaves out: 2^255 = 19
    return carry(plus(plus(from_words(low), multiply_small(top, 19)), multiply_small(from_words(high), 38)));
}

// From 96 expanded bytes (twelve big-endian words): both maps, their sum, the cofactor cleared. x only.
inline XPoint hash_to_point(const Word* uniform) {
    const Fe u[2] = {from_wide_words(uniform), from_wide_words(uniform + 6)};
    Mapped mapped[2];
    map_to_curve(u, mapped);
    return double_point(double_point(double_point(add_points(mapped[0], mapped[1]))));
}

// x = X / Z of many points with one inversion, 0 for the point at infinity.
inline void normalise(XPoint* points, Fe* space, std::size_t count, Word (*words)[4]) {
    Fe* z = space + count;
    for (std::size_t k = 0; k < count; ++k) {
        const Mask infinite = is_zero(points[k].z);
        z[k] = select(infinite, small(1), points[k].z);
        points[k].x = select(infinite, small(0), points[k].x);
    }
    invert_all(z, space, count);
    for (std::size_t k = 0; k < count; ++k) to_words(multiply(points[k].x, z[k]), words[k]);
}

}  // namespace unseen::UNSEEN_ISA
