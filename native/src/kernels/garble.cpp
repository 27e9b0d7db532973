// Half gates (Zahur, Rosulek, Evans, EUROCRYPT 2015) with the re-keyed hash of Guo, Katz, Wang, Weng and Yu (CRYPTO 2020).
// Labels are secret: nothing branches or indexes on them. Lanes share keys, so the number of the lane goes into the hash too:
// a wire that is constant by its structure (a ^ b ^ a ^ b) has the same label in every lane, and without that mark the
// rows of two lanes would differ by Delta.
#include "unseen/garble.hpp"

#include "simd/block.hpp"

#ifdef UNSEEN_AVX2
#include "simd/aes_pair.hpp"
#else
#include "simd/aes.hpp"
#endif

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kLabel = 16, kRow = 32;

struct Places {
    std::uint8_t* base;
    std::size_t step;
    std::uint8_t* operator[](std::int32_t slot) const { return base + static_cast<std::size_t>(slot) * step; }
};

struct Operands {
    const std::uint8_t *left, *right;
    std::uint8_t* out;
    std::size_t lanes;
};

#ifdef UNSEEN_AVX2

// The two halves of a gate side by side: the garbler's, which hashes the left label, and the evaluator's, which hashes
// the right one.
using Keys = PairKeys;
inline Pair lane_mark(std::size_t lane) { return make_pair(make_block(lane, 0), make_block(lane, 0)); }
inline Keys keys_of(Block start, std::uint64_t number) {
    return expand(make_pair(start ^ make_block(number, 0), start ^ make_block(number + 1, 0)));
}

inline void garble_and(const Operands& at, Block delta, const Keys& keys, std::uint8_t* table) {
    const Pair other = sigma(make_pair(delta, delta));
    for (std::size_t i = 0; i < at.lanes; ++i) {
        const Block a = load(at.left + kLabel * i);
        const Pair labels = make_pair(a, load(at.right + kLabel * i)), bits = lowest_bits(labels);
        const Pair zero = sigma(labels) ^ lane_mark(i), one = zero ^ other;
        Pair hashed[2] = {zero, one};
        encrypt<2>(keys, hashed);
        const Pair of_zero = hashed[0] ^ zero;
        const Pair only_a = make_pair(zero_block(), a);
        const Pair row = of_zero ^ hashed[1] ^ one ^ make_pair(upper(bits) & delta, a);
        const Pair sum = of_zero ^ (bits & (row ^ only_a));
        store_pair(table + kRow * i, row);
        store(at.out + kLabel * i, lower(sum) ^ upper(sum));
    }
}

inline void evaluate_and(const Operands& at, const Keys& keys, const std::uint8_t* table) {
    for (std::size_t i = 0; i < at.lanes; ++i) {
        const Block a = load(at.left + kLabel * i);
        const Pair labels = make_pair(a, load(at.right + kLabel * i)), in = sigma(labels) ^ lane_mark(i);
        Pair hashed[1] = {in};
        encrypt<1>(keys, hashed);
        const Pair row = load_pair(table + kRow * i) ^ make_pair(zero_block(), a);
        const Pair sum = hashed[0] ^ in ^ (lowest_bits(labels) & row);
        store(at.out + kLabel * i, lower(sum) ^ upper(sum));
    }
}

#else

struct Keys {
    AesKey half[2];
};
inline Keys keys_of(Block start, std::uint64_t number) {
    return {{expand(start ^ make_block(number, 0)), expand(start ^ make_block(number + 1, 0))}};
}

// The orthomorphism before the hash: upper half u, lower half l, to (u + l | u). Linear.
inline Block sigma(Block x) { return make_block(high(x), high(x) ^ low(x)); }

inline Block lowest_bit(Block x) { return mask_block(low(x) & 1); }

inline Block lane_mark(std::size_t lane) { return make_block(lane, 0); }

// out[i] = AES(key, in[i]) ^ in[i]
inline void feed_forward(const AesKey& key, const Block* in, Block* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = in[i];
    encrypt(key, out, count);
    for (std::size_t i = 0; i < count; ++i) out[i] ^= in[i];
}

inline void garble_and(const Operands& at, Block delta, const Keys& keys, std::uint8_t* table) {
    const Block turned = sigma(delta);
    Block in[2][2 * kMostLanes], hashed[2][2 * kMostLanes], a[kMostLanes], b[kMostLanes];
    for (std::size_t i = 0; i < at.lanes; ++i) {
        a[i] = load(at.left + kLabel * i);
        b[i] = load(at.right + kLabel * i);
        in[0][2 * i] = sigma(a[i]) ^ lane_mark(i);
        in[0][2 * i + 1] = in[0][2 * i] ^ turned;
        in[1][2 * i] = sigma(b[i]) ^ lane_mark(i);
        in[1][2 * i + 1] = in[1][2 * i] ^ turned;
    }
    for (int half = 0; half < 2; ++half) feed_forward(keys.half[half], in[half], hashed[half], 2 * at.lanes);
    for (std::size_t i = 0; i < at.lanes; ++i) {
        const Block of_a = lowest_bit(a[i]), of_b = lowest_bit(b[i]);
        const Block garbler = hashed[0][2 * i] ^ hashed[0][2 * i + 1] ^ (of_b & delta);
        const Block evaluator = hashed[1][2 * i] ^ hashed[1][2 * i + 1] ^ a[i];
        store(table + kRow * i, garbler);
        store(table + kRow * i + kLabel, evaluator);
        store(at.out + kLabel * i,
              hashed[0][2 * i] ^ (of_a & garbler) ^ hashed[1][2 * i] ^ (of_b & (evaluator ^ a[i])));
    }
}

inline void evaluate_and(const Operands& at, const Keys& keys, const std::uint8_t* table) {
    Block in[2][kMostLanes], hashed[2][kMostLanes], a[kMostLanes], b[kMostLanes];
    for (std::size_t i = 0; i < at.lanes; ++i) {
        a[i] = load(at.left + kLabel * i);
        b[i] = load(at.right + kLabel * i);
        in[0][i] = sigma(a[i]) ^ lane_mark(i);
        in[1][i] = sigma(b[i]) ^ lane_mark(i);
    }
    for (int half = 0; half < 2; ++half) feed_forward(keys.half[half], in[half], hashed[half], at.lanes);
    for (std::size_t i = 0; i < at.lanes; ++i) {
        const Block garbler = load(table + kRow * i), evaluator = load(table + kRow * i + kLabel);
        store(at.out + kLabel * i, hashed[0][i] ^ (lowest_bit(a[i]) & garbler) ^ hashed[1][i] ^
                                       (lowest_bit(b[i]) & (evaluator ^ a[i])));
    }
}

#endif

// Runs the gates of every group: `inverse` is added by an INV, `conjunction` does an AND.
template <typename Conjunction>
inline void run(const Gates& gates, const Labels& labels, Block inverse, const HashKeys& hash, Conjunction conjunction) {
    const std::size_t lanes = labels.lanes;
    const Block start = load(hash.start);
    for (std::size_t group = 0; group < labels.groups; ++group) {
        const Places at{labels.data + group * labels.slots * lanes * kLabel, lanes * kLabel};
        std::uint64_t number = hash.number + group * hash.stride;
        for (std::size_t i = 0; i < gates.count; ++i) {
            const std::uint8_t *left = at[gates.left[i]], *right = at[gates.right[i]];
            std::uint8_t* out = at[gates.out[i]];
            switch (static_cast<Gate>(gates.kinds[i])) {
                case Gate::conjunction:
                    conjunction(Operands{left, right, out, lanes}, keys_of(start, number));
                    number += 2;
                    break;
                case Gate::exclusive_or:
                    for (std::size_t j = 0; j < kLabel * lanes; j += kLabel)
                        store(out + j, load(left + j) ^ load(right + j));
                    break;
                case Gate::inverse:
                    for (std::size_t j = 0; j < kLabel * lanes; j += kLabel) store(out + j, load(left + j) ^ inverse);
                    break;
            }
        }
    }
}

}  // namespace

void garble(const Gates& gates, const Labels& labels, const std::uint8_t* delta, const HashKeys& keys,
            std::uint8_t* tables) {
    const Block secret = load(delta);
    run(gates, labels, secret, keys, [&](const Operands& at, const Keys& round_keys) {
        garble_and(at, secret, round_keys, tables);
        tables += kRow * labels.lanes;
    });
}

void evaluate(const Gates& gates, const Labels& labels, const HashKeys& keys, const std::uint8_t* tables) {
    run(gates, labels, zero_block(), keys, [&](const Operands& at, const Keys& round_keys) {
        evaluate_and(at, round_keys, tables);
        tables += kRow * labels.lanes;
    });
}

}  // namespace unseen::UNSEEN_ISA
