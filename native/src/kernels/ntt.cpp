// Cooley-Tukey forward, Gentleman-Sande back, two layers at a time, with Harvey's lazy butterflies ("Faster arithmetic for
// number-theoretic transforms", 2014). The last three layers of the forward transform work on blocks of 64: as 8 x 8
// matrices whose columns are what the layers see, and in that order results stay.
#include "unseen/ntt.hpp"

#include <cstring>

#include "ntt_lanes.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kBlock = 64, kSide = 8;

// X + W Y and X - W Y, all below 4 q.
inline void forth(Vec& x, Vec& y, Factor f, const Modulus& m) {
    const Vec a = m.below_twice(x), b = m.times(y, f);
    x = a + b;
    y = a - b + m.twice;
}

// X + Y and W (X - Y), all below 2 q.
inline void back(Vec& x, Vec& y, Factor f, const Modulus& m) {
    const Vec a = x, b = y;
    x = m.below_twice(a + b);
    y = m.times(a - b + m.twice, f);
}

struct Roots {
    const std::uint64_t *w, *quotient;
    Factor at(std::size_t i) const { return {all(w[i]), all(quotient[i])}; }
    Factor row(std::size_t i) const { return {get(w + i), get(quotient + i)}; }
};

// Where the roots of the last three layers stand: those that lane `lane` of block `block` takes as its h-th.
inline std::size_t tail(std::size_t n, std::size_t layer, std::size_t block, std::size_t h) {
    return n / kSide * layer + (block * layer + h) * kSide;
}

#ifdef UNSEEN_AVX512
inline void transpose(Vec (&r)[8]) {
    __m512i a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = _mm512_unpacklo_epi64(raw(r[i]), raw(r[i + 1]));
        a[i + 1] = _mm512_unpackhi_epi64(raw(r[i]), raw(r[i + 1]));
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; ++j) {
            b[i + j] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0x88);
            b[i + j + 2] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0xDD);
        }
    for (int j = 0; j < 2; ++j) {
        r[j] = vec(_mm512_shuffle_i64x2(b[j], b[j + 4], 0x88));
        r[j + 4] = vec(_mm512_shuffle_i64x2(b[j], b[j + 4], 0xDD));
        r[j + 2] = vec(_mm512_shuffle_i64x2(b[j + 2], b[j + 6], 0x88));
        r[j + 6] = vec(_mm512_shuffle_i64x2(b[j + 2], b[j + 6], 0xDD));
    }
}
inline void load_columns(const std::uint64_t* from, Vec (&r)[8], std::size_t) {
    for (std::size_t k = 0; k < kSide; ++k) r[k] = get(from + kSide * k);
    transpose(r);
}
inline void store_columns(std::uint64_t* to, Vec (&r)[8], std::size_t) {
    transpose(r);
    for (std::size_t k = 0; k < kSide; ++k) put(to + kSide * k, r[k]);
}
inline void load_same(const std::uint64_t* from, Vec (&r)[8]) {
    for (std::size_t k = 0; k < kSide; ++k) r[k] = all(from[k]);
}
#else
inline void load_columns(const std::uint64_t* from, Vec (&r)[8], std::size_t lane) {
    for (std::size_t k = 0; k < kSide; ++k) r[k] = from[kSide * lane + k];
}
inline void store_columns(std::uint64_t* to, Vec (&r)[8], std::size_t lane) {
    for (std::size_t k = 0; k < kSide; ++k) to[kSide * lane + k] = r[k];
}
inline void load_same(const std::uint64_t* from, Vec (&r)[8]) {
    for (std::size_t k = 0; k < kSide; ++k) r[k] = from[k];
}
#endif

// The last three layers on the columns of one block, `lane` on.
inline void last_layers(Vec (&r)[8], const Roots& roots, std::size_t n, std::size_t block, std::size_t lane,
                        const Modulus& m) {
    const Factor first = roots.row(tail(n, 1, block, 0) + lane);
    for (std::size_t k = 0; k < 4; ++k) forth(r[k], r[k + 4], first, m);
    for (std::size_t h = 0; h < 2; ++h) {
        const Factor second = roots.row(tail(n, 2, block, h) + lane);
        for (std::size_t k = 0; k < 2; ++k) forth(r[4 * h + k], r[4 * h + k + 2], second, m);
    }
    for (std::size_t h = 0; h < 4; ++h) {
        const Factor third = roots.row(tail(n, 4, block, h) + lane);
        forth(r[2 * h], r[2 * h + 1], third, m);
    }
}

inline void first_layers_back(Vec (&r)[8], const Roots& roots, std::size_t n, std::size_t block, std::size_t lane,
                              const Modulus& m) {
    for (std::size_t h = 0; h < 4; ++h)
        back(r[2 * h], r[2 * h + 1], roots.row(tail(n, 4, block, h) + lane), m);
    for (std::size_t h = 0; h < 2; ++h) {
        const Factor second = roots.row(tail(n, 2, block, h) + lane);
        for (std::size_t k = 0; k < 2; ++k) back(r[4 * h + k], r[4 * h + k + 2], second, m);
    }
    const Factor third = roots.row(tail(n, 1, block, 0) + lane);
    for (std::size_t k = 0; k < 4; ++k) back(r[k], r[k + 4], third, m);
}

// One layer: `groups` groups of 2 t coefficients each.
void layer_forth(const std::uint64_t* in, std::uint64_t* out, const Roots& roots, std::size_t groups, std::size_t t,
                 const Modulus& m) {
    for (std::size_t i = 0; i < groups; ++i) {
        const Factor f = roots.at(groups + i);
        for (std::size_t j = 2 * i * t; j < (2 * i + 1) * t; j += kWide) {
            Vec x = get(in + j), y = get(in + j + t);
            forth(x, y, f, m);
            put(out + j, x);
            put(out + j + t, y);
        }
    }
}

// Two layers: `groups` groups of 4 t, then twice as many of 2 t.
void layers_forth(const std::uint64_t* in, std::uint64_t* out, const Roots& roots, std::size_t groups, std::size_t t,
                  const Modulus& m) {
    for (std::size_t i = 0; i < groups; ++i) {
        const Factor f = roots.at(groups + i), g = roots.at(2 * (groups + i)), h = roots.at(2 * (groups + i) + 1);
        for (std::size_t j = 4 * i * t; j < (4 * i + 1) * t; j += kWide) {
            Vec a = get(in + j), b = get(in + j + t), c = get(in + j + 2 * t), d = get(in + j + 3 * t);
            forth(a, c, f, m);
            forth(b, d, f, m);
            forth(a, b, g, m);
            forth(c, d, h, m);
            put(out + j, a);
            put(out + j + t, b);
            put(out + j + 2 * t, c);
            put(out + j + 3 * t, d);
        }
    }
}

void layer_back(std::uint64_t* x, const Roots& roots, std::size_t groups, std::size_t t, const Modulus& m) {
    for (std::size_t i = 0; i < groups; ++i) {
        const Factor f = roots.at(groups + i);
        for (std::size_t j = 2 * i * t; j < (2 * i + 1) * t; j += kWide) {
            Vec a = get(x + j), b = get(x + j + t);
            back(a, b, f, m);
            put(x + j, a);
            put(x + j + t, b);
        }
    }
}

void layers_back(std::uint64_t* x, const Roots& roots, std::size_t groups, std::size_t t, const Modulus& m) {
    for (std::size_t i = 0; i < groups; ++i) {
        const Factor f = roots.at(groups + i), g = roots.at(2 * (groups + i)), h = roots.at(2 * (groups + i) + 1);
        for (std::size_t j = 4 * i * t; j < (4 * i + 1) * t; j += kWide) {
            Vec a = get(x + j), b = get(x + j + t), c = get(x + j + 2 * t), d = get(x + j + 3 * t);
            back(a, b, g, m);
            back(c, d, h, m);
            back(a, c, f, m);
            back(b, d, f, m);
            put(x + j, a);
            put(x + j + t, b);
            put(x + j + 2 * t, c);
            put(x + j + 3 * t, d);
        }
    }
}

}  // namespace

void ntt_forward(const std::uint64_t* table, std::uint64_t q, const std::uint64_t* in, std::size_t len,
                 std::uint64_t* out, std::size_t n) {
    const Modulus m(q);
    const Roots roots{table, table + n};
    if (len == kSide) {
        for (std::size_t block = 0; block < n / kBlock; ++block)
            for (std::size_t lane = 0; lane < kSide; lane += kWide) {
                Vec r[8];
                load_same(in, r);
                last_layers(r, roots, n, block, lane, m);
                for (std::size_t k = 0; k < kSide; ++k) put(out + kBlock * block + kSide * k + lane, m.below(r[k]));
            }
        return;
    }
    // With zeros from `len` on, each layer down to that size only copies.
    const std::uint64_t* from = in;
    if (len < n) {
        for (std::size_t i = 0; i < n; i += len) std::memcpy(out + i, in, len * sizeof *in);
        from = out;
    }
    std::size_t t = len;  // groups of this size are next
    for (; t >= 4 * kSide; t /= 4, from = out) layers_forth(from, out, roots, n / t, t / 4, m);
    if (t == 2 * kSide) layer_forth(from, out, roots, n / t, t / 2, m);
    for (std::size_t block = 0; block < n / kBlock; ++block) {
        std::uint64_t* const here = out + kBlock * block;
#ifdef UNSEEN_AVX512
        Vec r[8];
        load_columns(here, r, 0);
        last_layers(r, roots, n, block, 0, m);
        for (std::size_t k = 0; k < kSide; ++k) put(here + kSide * k, m.below(r[k]));
#else
        std::uint64_t done[kBlock];
        for (std::size_t lane = 0; lane < kSide; ++lane) {
            Vec r[8];
            load_columns(here, r, lane);
            last_layers(r, roots, n, block, lane, m);
            for (std::size_t k = 0; k < kSide; ++k) done[kSide * k + lane] = m.below(r[k]);
        }
        std::memcpy(here, done, sizeof done);
#endif
    }
}

void ntt_inverse(const std::uint64_t* table, std::uint64_t q, const std::uint64_t* in, std::uint64_t* out,
                 std::size_t n) {
    const Modulus m(q);
    const Roots roots{table + 2 * n, table + 3 * n};
    for (std::size_t block = 0; block < n / kBlock; ++block) {
        std::uint64_t done[kBlock];
        for (std::size_t lane = 0; lane < kSide; lane += kWide) {
            Vec r[8];
            for (std::size_t k = 0; k < kSide; ++k) r[k] = get(in + kBlock * block + kSide * k + lane);
            first_layers_back(r, roots, n, block, lane, m);
            store_columns(done, r, lane);
        }
        std::memcpy(out + kBlock * block, done, sizeof done);
    }
    std::size_t t = kSide;
    for (; 8 * t <= n; t *= 4) layers_back(out, roots, n / (4 * t), t, m);
    if (4 * t == n) {
        layer_back(out, roots, 2, t, m);
        t *= 2;
    }
    const Factor whole = roots.at(0), half = roots.at(1);  // the last layer, with the division by n
    for (std::size_t j = 0; j < n / 2; j += kWide) {
        const Vec a = get(out + j), b = get(out + j + n / 2);
        put(out + j, m.below(m.times(a + b, whole)));
        put(out + j + n / 2, m.below(m.times(a - b + m.twice, half)));
    }
}

void ntt_inner(std::uint64_t q, const std::uint64_t* left, std::size_t left_stride, const std::uint64_t* right,
               std::size_t right_stride, std::size_t terms, const std::uint64_t* add, std::uint64_t* out,
               std::size_t n) {
    constexpr std::size_t kTogether = 8;
    const Modulus m(q);
    for (std::size_t j = 0; j < n; j += kWide * kTogether) {
        Sum sum[kTogether];
        for (auto& s : sum) s = nothing();
        for (std::size_t t = 0; t < terms; ++t) {
            const std::uint64_t *a = left + t * left_stride + j, *b = right + t * right_stride + j;
            for (std::size_t i = 0; i < kTogether; ++i) accumulate(sum[i], get(a + kWide * i), get(b + kWide * i));
        }
        for (std::size_t i = 0; i < kTogether; ++i) {
            const Vec high = m.below_twice(m.fold(sum[i].high)), low = m.below_twice(m.fold(sum[i].low));
            Vec x = m.below_twice(m.times(high, m.at52) + low);
            if (add != nullptr) x = m.below_twice(x + get(add + j + kWide * i));
            put(out + j + kWide * i, m.below(x));
        }
    }
}

void ntt_residues(std::uint64_t q, const std::int64_t* small, const std::uint64_t* message, std::uint64_t factor,
                  std::uint64_t* out, std::size_t n) {
    const Modulus m(q);
    // small + 2^63 is not negative
    const Vec top = all(std::uint64_t{1} << 63), less = all(q - (std::uint64_t{1} << 63) % q);
    const Factor f = m.factor(factor);
    for (std::size_t j = 0; j < n; j += kWide) {
        Vec x = m.below_twice(m.fold(get(reinterpret_cast<const std::uint64_t*>(small) + j) + top));
        x = m.below_twice(x + less);
        if (message != nullptr) x = x + m.times(m.fold(get(message + j)), f);
        put(out + j, m.below(x));
    }
}

}  // namespace unseen::UNSEEN_ISA
