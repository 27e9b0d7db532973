// Sines and cosines of multiples of an angle in integers, so that every instruction set gives the same bits.
//
// An angle is 32 bits of a full turn. Within an eighth of a turn around the nearest quarter, sine and cosine are
// polynomials; multiples follow by turning. Numbers have 30 fraction bits.
#include "simd/target.hpp"
#include "unseen/shares.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kAtOnce = 64;
constexpr int kOne = 30;
constexpr std::int64_t kHalf = std::int64_t{1} << (kOne - 1);

// sin(u pi/2) / u and cos(u pi/2) in powers of u^2, |u| <= 1/2, Taylor.
constexpr std::int64_t kSine[5] = {1686629713, -693598668, 85569306, -5026995, 172272};
constexpr std::int64_t kCosine[6] = {1073741824, -1324675879, 272375560, -22401992, 987048, -27060};

inline std::int64_t times(std::int64_t a, std::int64_t b) { return (a * b + kHalf) >> kOne; }

struct Turn {
    std::int64_t cosine[kAtOnce], sine[kAtOnce];
};

inline void first_turn(const std::uint64_t* x, std::size_t n, int period_bits, Turn& out) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
        const std::uint64_t word = i < n ? x[i] : 0;
        const auto angle = static_cast<std::uint32_t>((word << (64 - period_bits)) >> 32);
        const std::uint32_t quarter = (angle + (1U << 29)) >> 30;
        const std::int64_t u = static_cast<std::int32_t>(angle - (quarter << 30));
        const std::int64_t square = times(u, u);
        std::int64_t s = kSine[4], c = kCosine[5];
        for (int j = 3; j >= 0; --j) s = times(s, square) + kSine[j];
        for (int j = 4; j >= 0; --j) c = times(c, square) + kCosine[j];
        s = times(s, u);
        // A quarter turn makes (c, s) to (-s, c); a half turn changes both signs.
        const std::int64_t odd = -static_cast<std::int64_t>(quarter & 1);
        const std::int64_t flip_c = -static_cast<std::int64_t>((quarter ^ quarter >> 1) & 1);
        const std::int64_t flip_s = -static_cast<std::int64_t>(quarter >> 1 & 1);
        const std::int64_t swapped = (c ^ s) & odd;
        out.cosine[i] = ((c ^ swapped) ^ flip_c) - flip_c;
        out.sine[i] = ((s ^ swapped) ^ flip_s) - flip_s;
    }
}

inline void next_turn(const Turn& by, Turn& turn) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
        const std::int64_t c = turn.cosine[i], s = turn.sine[i];
        turn.cosine[i] = (c * by.cosine[i] - s * by.sine[i] + kHalf) >> kOne;
        turn.sine[i] = (s * by.cosine[i] + c * by.sine[i] + kHalf) >> kOne;
    }
}

// A number times a weight (both 30 bits), with `bits` bits.
inline std::uint64_t weighted(std::int64_t value, std::int64_t weight, int bits) {
    const int drop = 2 * kOne - bits;
    return static_cast<std::uint64_t>((value * weight + (std::int64_t{1} << (drop - 1))) >> drop);
}

}  // namespace

void waves(const std::uint64_t* x, std::size_t n, int period_bits, const std::int64_t* weights, std::size_t degrees,
           int bits, std::uint64_t* sines, std::uint64_t* cosines) {
    for (std::size_t done = 0; done < n; done += kAtOnce) {
        const std::size_t count = n - done < kAtOnce ? n - done : kAtOnce;
        Turn first, turn;
        first_turn(x + done, count, period_bits, first);
        turn = first;
        std::size_t row = 0;
        for (std::size_t k = 0; k < degrees; ++k) {
            if (k > 0) next_turn(first, turn);
            if (weights[k] == 0) continue;
            for (std::size_t i = 0; i < count; ++i) {
                sines[row * n + done + i] = weighted(turn.sine[i], weights[k], bits);
                cosines[row * n + done + i] = weighted(turn.cosine[i], weights[k], bits);
            }
            ++row;
        }
    }
}

void wave_products(const std::uint64_t* x, std::size_t n, int period_bits, const std::int64_t* weights,
                   std::size_t degrees, int bits, const std::uint64_t* sines, const std::uint64_t* cosines,
                   std::uint64_t* out) {
    for (std::size_t done = 0; done < n; done += kAtOnce) {
        const std::size_t count = n - done < kAtOnce ? n - done : kAtOnce;
        Turn first, turn;
        std::uint64_t sum[kAtOnce] = {};
        first_turn(x + done, count, period_bits, first);
        turn = first;
        std::size_t row = 0;
        for (std::size_t k = 0; k < degrees; ++k) {
            if (k > 0) next_turn(first, turn);
            if (weights[k] == 0) continue;
            for (std::size_t i = 0; i < count; ++i)
                sum[i] += sines[row * n + done + i] * weighted(turn.cosine[i], weights[k], bits) +
                          cosines[row * n + done + i] * weighted(turn.sine[i], weights[k], bits);
            ++row;
        }
        for (std::size_t i = 0; i < count; ++i) out[done + i] = sum[i];
    }
}

}  // namespace unseen::UNSEEN_ISA
