// Local (ten-sparse) linear code: every output row adds ten pseudo-random rows of a table. What is read depends on the
// public key alone.
#include "unseen/lpn.hpp"

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kTerms = 10, kBatch = 64, kBlocks = kBatch * kTerms / 4;

inline void touch(const std::uint8_t* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 2);
#else
    (void)p;
#endif
}

// The places in the table for kBatch rows from row `first` on (a multiple of kBatch): words of 32 bits of AES of
// counters, the lower `bits` of each.
void places(const AesKey& key, std::uint64_t first, std::uint32_t mask, std::uint32_t* place) {
    Block stream[kBlocks];
    for (std::size_t i = 0; i < kBlocks; ++i) stream[i] = make_block(first / kBatch * kBlocks + i, 0);
    encrypt(key, stream, kBlocks);
    for (std::size_t i = 0; i < kBlocks; ++i) {
        const std::uint64_t l = low(stream[i]), h = high(stream[i]);
        place[4 * i] = static_cast<std::uint32_t>(l) & mask;
        place[4 * i + 1] = static_cast<std::uint32_t>(l >> 32) & mask;
        place[4 * i + 2] = static_cast<std::uint32_t>(h) & mask;
        place[4 * i + 3] = static_cast<std::uint32_t>(h >> 32) & mask;
    }
}

}  // namespace

void lpn_primal(const PrimalShape& shape, const std::uint8_t* key, const std::uint8_t* table, std::uint8_t* rows) {
    const AesKey schedule = expand(load(key));
    const std::uint32_t mask = (std::uint32_t{1} << shape.bits) - 1;
    std::uint32_t place[2][kBatch * kTerms];  // of this batch and of the next, whose rows are already on their way
    places(schedule, 0, mask, place[0]);
    for (std::size_t i = 0; i < shape.count; i += kBatch) {
        std::uint32_t* here = place[i / kBatch % 2];
        std::uint32_t* next = place[(i / kBatch + 1) % 2];
        places(schedule, i + kBatch, mask, next);
        const std::size_t batch = shape.count - i < kBatch ? shape.count - i : kBatch;
        for (std::size_t j = 0; j < batch; ++j) {
            Block sum = load(rows + 16 * (i + j));
            for (std::size_t d = 0; d < kTerms; ++d) {
                touch(table + 16 * std::size_t{next[j * kTerms + d]});
                sum ^= load(table + 16 * std::size_t{here[j * kTerms + d]});
            }
            store(rows + 16 * (i + j), sum);
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
