// Boyle, Chandran, Gilboa, Gupta, Ishai, Kumar, Rathee, "Function Secret Sharing for Mixed-Mode and Fixed-Point Secure
// Computation" (EUROCRYPT 2021), figure 1, for a result of one bit; one block of AES a step, as a child's block carries its
// own bit of the result. Keys go side by side, so that AES has many blocks at a time.
#include "unseen/dcf.hpp"

#include "kernels/fixed_key.hpp"
#include "kernels/ggm_hash.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kBlock = 16, kSide = kBatch / 4;  // keys side by side while keys are made: four children each
constexpr unsigned kLeafBits = 7;

inline Block low_bits(std::uint64_t bits) { return make_block(bits, 0); }
inline Block seed_of(Block a) { return a & make_block(~std::uint64_t{7}, ~std::uint64_t{0}); }
inline std::uint64_t bit(Block a, unsigned place) { return low(a) >> place & 1; }
inline Block chosen(std::uint64_t take, Block one, Block other) { return other ^ (mask_block(take) & (one ^ other)); }

// The 128 bits [j < index].
inline Block below(std::uint64_t index) {
    const std::uint64_t upper = index >> 6 & 1, ones = (std::uint64_t{1} << (index & 63)) - 1;
    return make_block((0 - upper) | ones, (0 - upper) & ones);
}

// Of a block, the bit at a public place.
inline std::uint64_t bit_at(Block a, std::uint64_t place) {
    return (place & 64 ? high(a) : low(a)) >> (place & 63) & 1;
}

struct Path {
    Block seed[2];
    std::uint64_t control[2];
    std::uint64_t value;  // what the two results add up to so far
};

// The correction word of a level, and both parties' next nodes. `child` is [party][side].
inline Block step(Path& at, const Block (&child)[2][2], std::uint64_t a) {
    const Block keep[2] = {chosen(a, child[0][1], child[0][0]), chosen(a, child[1][1], child[1][0])};
    const Block lose = chosen(a, child[0][0] ^ child[1][0], child[0][1] ^ child[1][1]);
    const std::uint64_t left = bit(child[0][0] ^ child[1][0], 0) ^ a ^ 1, right = bit(child[0][1] ^ child[1][1], 0) ^ a;
    const std::uint64_t value = bit(lose, 1) ^ at.value ^ a;
    at.value ^= bit(keep[0] ^ keep[1], 1) ^ value;
    const std::uint64_t kept = left ^ ((left ^ right) & (0 - a));
    const Block seed = seed_of(lose);
    for (int p = 0; p < 2; ++p) {
        const std::uint64_t control = at.control[p];
        at.seed[p] = seed_of(keep[p]) ^ (mask_block(control) & seed);
        at.control[p] = bit(keep[p], 0) ^ (control & kept);
    }
    return seed ^ low_bits(left | right << 1 | value << 2);
}

}  // namespace

void dcf_generate(const DcfShape& shape, const std::uint8_t* roots, const std::uint64_t* thresholds,
                  std::uint8_t* words) {
    const AesKey key = expand(load(kFixedKey));
    const unsigned levels = shape.levels(), leaf = shape.bits < kLeafBits ? shape.bits : kLeafBits;
    const std::size_t row = kBlock * (levels + 1);
    Path path[kSide];
    Block in[kBatch], hashed[kBatch];
    for (std::size_t begin = 0; begin < shape.keys; begin += kSide) {
        const std::size_t count = shape.keys - begin < kSide ? shape.keys - begin : kSide;
        for (std::size_t i = 0; i < count; ++i)
            path[i] = {{seed_of(load(roots + kBlock * (begin + i))),
                        seed_of(load(roots + kBlock * (shape.keys + begin + i)))}, {0, 1}, 0};
        std::uint8_t* out = words + row * begin;
        for (unsigned level = 0; level < levels; ++level) {
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t j = 0; j < 4; ++j) in[4 * i + j] = path[i].seed[j / 2] ^ low_bits(j % 2);
            hash<false>(key, in, hashed, 4 * count, 0);
            for (std::size_t i = 0; i < count; ++i) {
                const Block* h = hashed + 4 * i;
                const Block child[2][2] = {{h[0], h[1]}, {h[2], h[3]}};
                const std::uint64_t a = thresholds[begin + i] >> (shape.bits - 1 - level) & 1;
                store(out + row * i + kBlock * level, step(path[i], child, a));
            }
        }
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t j = 0; j < 2; ++j) in[2 * i + j] = path[i].seed[j] ^ low_bits(2);
        hash<false>(key, in, hashed, 2 * count, 0);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t index = thresholds[begin + i] & ((std::uint64_t{1} << leaf) - 1);
            store(out + row * i + kBlock * levels,
                  hashed[2 * i] ^ hashed[2 * i + 1] ^ mask_block(path[i].value) ^ below(index));
        }
    }
}

void dcf_evaluate(const DcfShape& shape, bool second, const std::uint8_t* roots, const std::uint8_t* words,
                  const std::uint64_t* points, std::size_t rows, std::uint8_t* out) {
    const AesKey key = expand(load(kFixedKey));
    const unsigned levels = shape.levels(), leaf = shape.bits < kLeafBits ? shape.bits : kLeafBits;
    const std::size_t row = kBlock * (levels + 1);
    Block seed[kBatch], hashed[kBatch];
    std::uint64_t control[kBatch], value[kBatch];
    for (std::size_t turn = 0; turn < rows; ++turn, points += shape.keys, out += shape.keys)
        for (std::size_t begin = 0; begin < shape.keys; begin += kBatch) {
            const std::size_t count = shape.keys - begin < kBatch ? shape.keys - begin : kBatch;
            const std::uint8_t* word = words + row * begin;
            const std::uint64_t* point = points + begin;
            for (std::size_t i = 0; i < count; ++i) {
                seed[i] = seed_of(load(roots + kBlock * (begin + i)));
                control[i] = second;
                value[i] = 0;
            }
            for (unsigned level = 0; level < levels; ++level) {
                for (std::size_t i = 0; i < count; ++i)
                    seed[i] ^= low_bits(point[i] >> (shape.bits - 1 - level) & 1);
                hash<false>(key, seed, hashed, count, 0);
                for (std::size_t i = 0; i < count; ++i) {
                    const std::uint64_t side = point[i] >> (shape.bits - 1 - level) & 1;
                    const Block correction = load(word + row * i + kBlock * level);
                    const std::uint64_t own = bit(correction, 0) ^ ((bit(correction, 0) ^ bit(correction, 1)) & (0 - side));
                    const std::uint64_t taken = control[i];
                    seed[i] = seed_of(hashed[i]) ^ (mask_block(taken) & seed_of(correction));
                    value[i] ^= bit(hashed[i], 1) ^ (taken & bit(correction, 2));
                    control[i] = bit(hashed[i], 0) ^ (taken & own);
                }
            }
            for (std::size_t i = 0; i < count; ++i) seed[i] ^= low_bits(2);
            hash<false>(key, seed, hashed, count, 0);
            for (std::size_t i = 0; i < count; ++i) {
                const Block results = hashed[i] ^ (mask_block(control[i]) & load(word + row * i + kBlock * levels));
                const std::uint64_t place = point[i] & ((std::uint64_t{1} << leaf) - 1);
                out[begin + i] = static_cast<std::uint8_t>(value[i] ^ bit_at(results, place));
            }
        }
}

}  // namespace unseen::UNSEEN_ISA
