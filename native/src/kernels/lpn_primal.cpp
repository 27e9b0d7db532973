// Local (ten-sparse) linear code: every output row adds ten pseudo-random rows of a table. What is read depends on the
// public key alone.
#include "unseen/lpn.hpp"

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kTerms = 10, kBatch = 64, kBlocks = kBatch * kTerms / 4;
constexpr unsigned kLarge = 19;  // a table of 8 MiB

inline void touch(const std::uint8_t* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 2);
#else
    (void)p;
#endif
}

// The places in the table for kBatch rows from row `first` on (a multiple of kBatch): words of 32 bits of AES of
// counters, the lower bits of each.
void places(const AesKey& key, std::uint64_t first, std::uint32_t mask, std::uint32_t* place) {
    Block stream[kBlocks];
    for (std::size_t i = 0; i < kBlocks; ++i) stream[i] = make_block(first / kBatch * kBlocks + i, 0);
    encrypt(key, stream, kBlocks);
    for (std::size_t i = 0; i < kBlocks; ++i) {
        const std::uint64_t halves[2] = {low(stream[i]), high(stream[i])};
        for (int j = 0; j < 4; ++j) place[4 * i + j] = static_cast<std::uint32_t>(halves[j / 2] >> (32 * (j % 2))) & mask;
    }
}

// Tables beyond the second-level cache are asked for a batch ahead; for smaller ones asking costs more than it saves.
template <bool Ahead>
void add(const PrimalShape& shape, const AesKey& key, const std::uint8_t* table, const std::uint8_t* rows,
         std::uint8_t* out, std::uint8_t* marks) {
    const std::uint32_t mask = (std::uint32_t{1} << shape.bits) - 1;
    std::uint32_t place[2][kBatch * kTerms];  // of this batch and of the next
    places(key, shape.first, mask, place[0]);
    for (std::size_t i = 0; i < shape.count; i += kBatch) {
        const std::uint32_t* here = place[i / kBatch % 2];
        std::uint32_t* next = place[(i / kBatch + 1) % 2];
        places(key, shape.first + i + kBatch, mask, next);
        const std::size_t batch = shape.count - i < kBatch ? shape.count - i : kBatch;
        for (std::size_t j = 0; j < batch; ++j) {
            Block sum = load(rows + 16 * (i + j)), other = zero_block();
            for (std::size_t d = j * kTerms; d < (j + 1) * kTerms; d += 2) {
                if constexpr (Ahead) touch(table + 16 * std::size_t{next[d]});
                if constexpr (Ahead) touch(table + 16 * std::size_t{next[d + 1]});
                sum ^= load(table + 16 * std::size_t{here[d]});
                other ^= load(table + 16 * std::size_t{here[d + 1]});
            }
            store(out + 16 * (i + j), sum ^ other);
            marks[i + j] = out[16 * (i + j)] & 1;
        }
    }
}

}  // namespace

void lpn_primal(const PrimalShape& shape, const std::uint8_t* key, const std::uint8_t* table,
                const std::uint8_t* rows, std::uint8_t* out, std::uint8_t* marks) {
    const AesKey schedule = expand(load(key));
    if (shape.bits >= kLarge)
        add<true>(shape, schedule, table, rows, out, marks);
    else
        add<false>(shape, schedule, table, rows, out, marks);
}

}  // namespace unseen::UNSEEN_ISA
