#include "unseen/blocks.hpp"

#include "kernels/fixed_key.hpp"
#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kAtOnce = 64;

// The orthomorphism that keeps x and its hash's input apart: upper half u, lower half l, to (u + l | u).
inline Block sigma(Block x) { return make_block(high(x), high(x) ^ low(x)); }

inline std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

}  // namespace

void aes_ctr(const std::uint8_t* key, std::uint64_t stream, std::uint64_t first, std::uint8_t* out,
             std::size_t blocks) {
    encrypt_counters(expand(load(key)), first, stream, out, blocks);
}

void hash(const std::uint8_t* in, std::uint8_t* out, std::size_t blocks) {
    const AesKey schedule = expand(load(kFixedKey));
    Block batch[kAtOnce], kept[kAtOnce];
    for (std::size_t done = 0; done < blocks; done += kAtOnce) {
        const std::size_t count = smaller(kAtOnce, blocks - done);
        for (std::size_t i = 0; i < count; ++i) batch[i] = kept[i] = sigma(load(in + 16 * (done + i)));
        encrypt(schedule, batch, count);
        for (std::size_t i = 0; i < count; ++i) store(out + 16 * (done + i), batch[i] ^ kept[i]);
    }
}

void hash_tweaked(const std::uint8_t* in, std::uint64_t first, std::uint8_t* out, std::size_t blocks) {
    const AesKey schedule = expand(load(kFixedKey));
    Block batch[kAtOnce], kept[kAtOnce];
    for (std::size_t done = 0; done < blocks; done += kAtOnce) {
        const std::size_t count = smaller(kAtOnce, blocks - done);
        for (std::size_t i = 0; i < count; ++i) batch[i] = load(in + 16 * (done + i));
        encrypt(schedule, batch, count);
        for (std::size_t i = 0; i < count; ++i) {
            kept[i] = batch[i];
            batch[i] ^= make_block(first + done + i, 0);
        }
        encrypt(schedule, batch, count);
        for (std::size_t i = 0; i < count; ++i) store(out + 16 * (done + i), batch[i] ^ kept[i]);
    }
}

void hash_both(const std::uint8_t* in, const std::uint8_t* delta, bool tweaked, std::uint64_t first, std::uint8_t* out,
               std::size_t blocks) {
    const AesKey schedule = expand(load(kFixedKey));
    const Block other = load(delta);
    constexpr std::size_t kPairs = kAtOnce / 2;
    Block batch[kAtOnce], kept[kAtOnce];
    for (std::size_t done = 0; done < blocks; done += kPairs) {
        const std::size_t count = smaller(kPairs, blocks - done);
        for (std::size_t i = 0; i < count; ++i) {
            const Block x = load(in + 16 * (done + i));
            batch[2 * i] = kept[2 * i] = tweaked ? x : sigma(x);
            batch[2 * i + 1] = kept[2 * i + 1] = tweaked ? x ^ other : sigma(x ^ other);
        }
        encrypt(schedule, batch, 2 * count);
        if (tweaked) {
            for (std::size_t i = 0; i < 2 * count; ++i) {
                kept[i] = batch[i];
                batch[i] ^= make_block(first + done + i / 2, 0);
            }
            encrypt(schedule, batch, 2 * count);
        }
        for (std::size_t i = 0; i < 2 * count; ++i) store(out + 16 * (2 * done + i), batch[i] ^ kept[i]);
    }
}

void hash_rekeyed(const std::uint8_t* in, const std::uint8_t* start, std::uint64_t first, std::size_t per_key,
                  std::uint8_t* out, std::size_t blocks) {
    const Block base = load(start);
    Block batch[kAtOnce], kept[kAtOnce];
    std::uint64_t key = first;
    for (std::size_t begin = 0; begin < blocks; begin += per_key, ++key) {
        const AesKey schedule = expand(base ^ make_block(key, 0));
        const std::size_t end = begin + smaller(per_key, blocks - begin);
        for (std::size_t done = begin; done < end; done += kAtOnce) {
            const std::size_t count = smaller(kAtOnce, end - done);
            for (std::size_t i = 0; i < count; ++i) batch[i] = kept[i] = sigma(load(in + 16 * (done + i)));
            encrypt(schedule, batch, count);
            for (std::size_t i = 0; i < count; ++i) store(out + 16 * (done + i), batch[i] ^ kept[i]);
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
