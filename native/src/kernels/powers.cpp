// Powers of two by Taylor's series in integers. Plain loops: the compiler makes vectors of them; without branches on numbers.
#include "unseen/powers.hpp"

#include "simd/target.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kEight = 8, kAtOnce = 256;
constexpr int kOne = 30;
constexpr std::int64_t kHalf = std::int64_t{1} << (kOne - 1);
// Powers of log 2 over factorials, 30 fraction bits.
constexpr std::int64_t kTaylor[9] = {1073741824, 744261118, 257941248, 59597083, 10327387, 1431680, 165394, 16377, 1419};

inline std::uint64_t power(std::uint64_t fraction, int bits, int kept) {
    const std::uint64_t whole = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t t = bits > kOne ? (fraction & whole) >> (bits - kOne) : (fraction & whole) << (kOne - bits);
    std::int64_t out = kTaylor[8];
    for (int j = 7; j >= 0; --j) out = ((out * static_cast<std::int64_t>(t) + kHalf) >> kOne) + kTaylor[j];
    const int drop = kOne - kept;
    return static_cast<std::uint64_t>((out + ((std::int64_t{1} << drop) >> 1)) >> drop);
}

}  // namespace

void powers_of_fraction(const std::uint64_t* x, std::size_t n, int bits, int kept, std::uint64_t* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = power(x[i], bits, kept);
}

void power_factors(const std::uint64_t* r, std::size_t n, int bits, int kept, std::uint64_t* out) {
    const std::uint64_t whole = (std::uint64_t{1} << bits) - 1;
    for (std::size_t first = 0; first < n; first += kAtOnce) {
        const std::size_t count = n - first < kAtOnce ? n - first : kAtOnce;
        std::uint64_t inverse[kAtOnce], place[kAtOnce];
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t word = r[first + i];
            // 2^(1 - f), which is 2 where f is 0
            inverse[i] = power(std::uint64_t{0} - word, bits, kept) << static_cast<int>((word & whole) == 0);
            place[i] = word >> bits;
        }
        for (std::uint64_t j = 0; j < kEight; ++j) {
            std::uint64_t *eights = out + j * n + first, *ones = out + (kEight + j) * n + first;
            for (std::size_t i = 0; i < count; ++i) {
                eights[i] = (place[i] >> 3 & 7) == j ? 1 : 0;
                ones[i] = (place[i] & 7) == j ? inverse[i] : 0;
            }
        }
    }
}

void power_products(const std::uint64_t* c, std::size_t n, int bits, int kept, const std::uint64_t* factors,
                    std::uint64_t* whole, std::uint64_t* rest) {
    for (std::size_t first = 0; first < n; first += kAtOnce) {
        const std::size_t count = n - first < kAtOnce ? n - first : kAtOnce;
        std::uint64_t high[kAtOnce] = {}, low[kAtOnce] = {};
        for (std::size_t j = 0; j < kEight; ++j) {
            const std::uint64_t *eights = factors + j * n + first, *ones = factors + (kEight + j) * n + first;
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t place = c[first + i] >> bits;
                const std::uint64_t steps = ((place >> 3) - j) & 7;  // 0 means a value below 8, of which nothing is asked
                high[i] += eights[i] << ((8 * steps - 8) & 63);
                low[i] += ones[i] << (8 + (place & 7) - j);
            }
        }
        for (std::size_t i = 0; i < count; ++i) {
            whole[first + i] = high[i];
            rest[first + i] = low[i] * power(c[first + i], bits, kept);
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
