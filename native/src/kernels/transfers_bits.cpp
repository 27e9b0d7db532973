// Pads of single bits, and carries of three places by one transfer of eight.
#include "kernels/transfers_hash.hpp"
#include "unseen/transfers.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kWord = 64, kPlaces = 3, kAtOnce = 48;

// Bit `place` of 64 words.
inline std::uint64_t gather(const std::uint64_t* words, std::size_t place) {
    std::uint64_t out = 0;
#ifdef UNSEEN_AVX512
    const __m512i bit = _mm512_set1_epi64(static_cast<long long>(std::uint64_t{1} << place));
    for (std::size_t i = 0; i < 8; ++i)
        out |= std::uint64_t{_mm512_test_epi64_mask(_mm512_loadu_si512(words + 8 * i), bit)} << (8 * i);
#else
    for (std::size_t i = 0; i < kWord; ++i) out |= (words[i] >> place & 1) << i;
#endif
    return out;
}

inline void planes_of(const std::uint8_t* rows, Block other, const AesKey& schedule, std::size_t width,
                      std::size_t stride, std::uint64_t* planes) {
    Block batch[kWord];
    alignas(64) std::uint64_t pads[kWord];
    for (std::size_t i = 0; i < kWord; ++i) batch[i] = load(rows + 16 * i) ^ other;
    hash_in_place<kWord>(schedule, batch);
    for (std::size_t i = 0; i < kWord; ++i) pads[i] = low(batch[i]);
    for (std::size_t j = 0; j < width; ++j) planes[j * stride] = gather(pads, j);
}

// Bit j of both halves: which of the 8 values have bit t set.
constexpr std::uint32_t kHas[kPlaces] = {0xAAAA, 0xCCCC, 0xF0F0};

// For each value j of the other side: a carry out of a + j (bit j), all ones (bit 8 + j).
inline std::uint32_t table(std::uint32_t a) { return (0x100U - (1U << (8 - a))) | 1U << (15 - a); }

inline std::uint32_t digit(std::uint64_t word, std::size_t leaves, std::size_t leaf) {
    return static_cast<std::uint32_t>(word >> (64 - kPlaces * (leaves - leaf))) & 7;
}

inline void clear(std::uint64_t* planes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) planes[i] = 0;
}

}  // namespace

void hash_planes(const std::uint8_t* rows, std::size_t n, const std::uint8_t* delta, std::size_t width,
                 std::uint64_t* planes) {
    const AesKey schedule = expand(load(kPadKey));
    const std::size_t words = n / kWord;
    for (std::size_t w = 0; w < words; ++w) {
        planes_of(rows + 16 * kWord * w, zero_block(), schedule, width, words, planes + w);
        if (delta) planes_of(rows + 16 * kWord * w, load(delta), schedule, width, words, planes + width * words + w);
    }
}

void carry_offer(const std::uint8_t* rows, const std::uint8_t* delta, const std::uint64_t* words, std::size_t n,
                 std::size_t leaves, std::uint16_t* offers, std::uint64_t* generate, std::uint64_t* propagate) {
    const AesKey schedule = expand(load(kPadKey));
    const Block other = load(delta);
    const std::size_t stride = (n + kWord - 1) / kWord, pairs = n * leaves;
    clear(generate, leaves * stride);
    clear(propagate, leaves * stride);
    constexpr std::size_t kLeaves = kAtOnce / (2 * kPlaces);
    for (std::size_t done = 0; done < pairs; done += kLeaves) {
        const std::size_t count = pairs - done < kLeaves ? pairs - done : kLeaves;
        Block batch[kAtOnce];
        for (std::size_t i = 0; i < kAtOnce / 2; ++i) {
            const Block row = i < kPlaces * count ? load(rows + 16 * (kPlaces * done + i)) : zero_block();
            batch[2 * i] = row;
            batch[2 * i + 1] = row ^ other;
        }
        hash_in_place<kAtOnce>(schedule, batch);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t element = (done + i) / leaves, leaf = (done + i) % leaves;
            std::uint32_t pad = 0;
            for (std::size_t t = 0; t < kPlaces; ++t) {
                const auto zero = static_cast<std::uint32_t>(low(batch[2 * (kPlaces * i + t)]));
                const auto one = static_cast<std::uint32_t>(low(batch[2 * (kPlaces * i + t) + 1]));
                pad ^= (zero & ~kHas[t]) | (one & kHas[t]);
            }
            // The other side knows one of the two, so their sum's further bits are this side's alone.
            const std::uint64_t own = (low(batch[2 * kPlaces * i]) ^ low(batch[2 * kPlaces * i + 1])) >> 32;
            const std::uint64_t g = own & 1, p = own >> 1 & 1;
            const std::uint32_t hidden = (0U - static_cast<std::uint32_t>(g)) & 0xFF;
            const std::uint32_t passed = (0U - static_cast<std::uint32_t>(p)) & 0xFF00;
            offers[done + i] = static_cast<std::uint16_t>(table(digit(words[element], leaves, leaf)) ^ pad ^ hidden ^ passed);
            generate[leaf * stride + element / kWord] |= g << (element % kWord);
            propagate[leaf * stride + element / kWord] |= p << (element % kWord);
        }
    }
}

void carry_take(const std::uint8_t* rows, const std::uint64_t* words, std::size_t n, std::size_t leaves,
                const std::uint16_t* offers, std::uint64_t* generate, std::uint64_t* propagate) {
    const AesKey schedule = expand(load(kPadKey));
    const std::size_t stride = (n + kWord - 1) / kWord, pairs = n * leaves;
    clear(generate, leaves * stride);
    clear(propagate, leaves * stride);
    constexpr std::size_t kLeaves = kAtOnce / kPlaces;
    for (std::size_t done = 0; done < pairs; done += kLeaves) {
        const std::size_t count = pairs - done < kLeaves ? pairs - done : kLeaves;
        Block batch[kAtOnce];
        for (std::size_t i = 0; i < kAtOnce; ++i)
            batch[i] = i < kPlaces * count ? load(rows + 16 * (kPlaces * done + i)) : zero_block();
        hash_in_place<kAtOnce>(schedule, batch);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t element = (done + i) / leaves, leaf = (done + i) % leaves;
            std::uint32_t made = offers[done + i];
            for (std::size_t t = 0; t < kPlaces; ++t) made ^= static_cast<std::uint32_t>(low(batch[kPlaces * i + t]));
            made >>= digit(words[element], leaves, leaf);
            generate[leaf * stride + element / kWord] |= std::uint64_t{made & 1} << (element % kWord);
            propagate[leaf * stride + element / kWord] |= std::uint64_t{made >> 8 & 1} << (element % kWord);
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
