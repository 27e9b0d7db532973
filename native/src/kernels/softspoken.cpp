#include "unseen/softspoken.hpp"

#include <new>

#include "kernels/softspoken_tree.hpp"
#include "simd/gf128_lanes.hpp"
#include "simd/transpose.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

// A chunk's 128 planes stay in the second-level cache between the trees and the transposition.
constexpr std::size_t kChunk = 64;                    // blocks of 128 transfers
constexpr std::size_t kStride = 16 * kChunk + 64;     // bytes of a plane; planes must not all fall on the same cache sets
static_assert(kChunk % kStepBlocks == 0 && kChunk % kLaneBlocks == 0);

struct alignas(64) Chunk {
    std::uint8_t plane[kSide * kStride];
    std::uint8_t choices[16 * kChunk];
    std::uint8_t correction[16 * kChunk];
    std::uint8_t rows[kSide * kLaneBytes];
};

template <typename T>
class Owned {  // aligned memory for one call; overwritten before it is given back
public:
    explicit Owned(std::size_t count)
        : bytes_(count * sizeof(T)), data_(static_cast<T*>(::operator new(bytes_, std::align_val_t{64}))) {}
    ~Owned() {
        std::memset(static_cast<void*>(data_), 0, bytes_);
        __asm__ __volatile__("" : : "r"(data_) : "memory");
        ::operator delete(data_, std::align_val_t{64});
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    T* get() { return data_; }

private:
    std::size_t bytes_;
    T* data_;
};

inline std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// Both sides' frame: expand the keys once, then chunk by chunk all trees (`tree(number, keys, at, count)`) and the rows.
template <typename Tree>
inline void by_chunks(const std::uint8_t* keys, int bits, std::size_t blocks, std::uint8_t* rows, Chunk& chunk,
                      const Tree& tree) {
    const std::size_t leaves = std::size_t{1} << bits, trees = kSide / static_cast<std::size_t>(bits);
    Owned<AesKey> schedules(trees * leaves);
    for (std::size_t i = 0; i < trees * leaves; ++i) schedules.get()[i] = expand(load(keys + 16 * i));
    for (std::size_t at = 0; at < blocks; at += kChunk) {
        const std::size_t count = smaller(kChunk, blocks - at);
        for (std::size_t i = 0; i < trees; ++i) tree(i, schedules.get() + i * leaves, at, count);
        std::uint8_t* to = rows + 16 * kSide * at;
        std::size_t done = 0;
        for (; done + kLaneBlocks <= count; done += kLaneBlocks)
            planes_to_rows(chunk.plane + 16 * done, kStride, to + 16 * kSide * done);
        if (done == count) continue;
        planes_to_rows(chunk.plane + 16 * done, kStride, chunk.rows);
        std::memcpy(to + 16 * kSide * done, chunk.rows, 16 * kSide * (count - done));
    }
}

}  // namespace

void softspoken_receive(const std::uint8_t* keys, int bits, std::uint64_t first, std::size_t blocks, bool chosen,
                        std::uint8_t* choices, std::uint8_t* corrections, std::uint8_t* rows) {
    Owned<Chunk> owned(1);
    Chunk& chunk = *owned.get();
    TreeStep step;
    by_chunks(keys, bits, blocks, rows, chunk, [&](std::size_t i, const AesKey* tree, std::size_t at, std::size_t count) {
        if (i == 0 && chosen) std::memcpy(chunk.choices, choices + 16 * at, 16 * count);
        std::uint8_t* correction = i == 0 && !chosen ? chunk.choices : chunk.correction;
        std::uint8_t* plane = chunk.plane + i * static_cast<std::size_t>(bits) * kStride;
        for (std::size_t b = 0; b < count; b += kStepBlocks) {
            tree_step(tree, bits, first + at + b, step);
            for (std::size_t c = 0; c < kCells; ++c) {
                const std::size_t place = 16 * (b + c * kCellBlocks);
                for (int j = 0; j < bits; ++j) store_cell(plane + j * kStride + place, step.plane[j][c]);
                const bool plain = i == 0 && !chosen;
                store_cell(correction + place, plain ? step.sum[c] : step.sum[c] ^ load_cell(chunk.choices + place));
            }
        }
        if (i == 0 && !chosen)
            std::memcpy(choices + 16 * at, chunk.choices, 16 * count);
        else
            std::memcpy(corrections + 16 * ((chosen ? i : i - 1) * blocks + at), correction, 16 * count);
    });
}

void softspoken_send(const std::uint8_t* keys, int bits, const std::uint8_t* delta, std::uint64_t first,
                     std::size_t blocks, bool chosen, const std::uint8_t* corrections, std::uint8_t* rows) {
    Owned<Chunk> owned(1);
    Chunk& chunk = *owned.get();
    TreeStep step;
    by_chunks(keys, bits, blocks, rows, chunk, [&](std::size_t i, const AesKey* tree, std::size_t at, std::size_t count) {
        const bool corrected = i > 0 || chosen;
        if (corrected) std::memcpy(chunk.correction, corrections + 16 * ((chosen ? i : i - 1) * blocks + at), 16 * count);
        const std::size_t base = i * static_cast<std::size_t>(bits);
        Cell mask[kMostBits];
        for (std::size_t j = 0; j < static_cast<std::size_t>(bits); ++j)
            mask[j] = fill(mask_block(corrected ? delta[(base + j) / 8] >> ((base + j) % 8) & 1u : 0u));
        for (std::size_t b = 0; b < count; b += kStepBlocks) {
            tree_step(tree, bits, first + at + b, step);
            for (std::size_t c = 0; c < kCells; ++c) {
                const std::size_t place = 16 * (b + c * kCellBlocks);
                const Cell correction = load_cell(chunk.correction + place);
                for (int j = 0; j < bits; ++j)
                    store_cell(chunk.plane + (base + static_cast<std::size_t>(j)) * kStride + place,
                               step.plane[j][c] ^ (mask[j] & correction));
            }
        }
    });
}

void softspoken_fold(const std::uint8_t* seed, std::uint64_t first, const std::uint8_t* rows, std::size_t blocks,
                     std::uint8_t* out) {
    constexpr std::size_t kWide = 4, kAtOnce = kWide * kLaneBlocks;
    const AesKey schedule = expand(load(seed));
    alignas(64) Lanes planes[kWide][kSide];
    alignas(64) std::uint8_t coefficients[16 * kAtOnce];
    alignas(64) std::uint8_t rest[16 * kSide * kLaneBlocks];
    Block sums[kSide];
    for (Block& sum : sums) sum = zero_block();
    for (std::size_t at = 0; at < blocks; at += kAtOnce) {
        const std::size_t count = smaller(kAtOnce, blocks - at);
        encrypt_counters(schedule, first + at, 0, coefficients, kAtOnce);
        std::size_t wide = 0;
        for (; wide * kLaneBlocks < count; ++wide) {
            const std::uint8_t* from = rows + 16 * kSide * (at + wide * kLaneBlocks);
            const std::size_t left = count - wide * kLaneBlocks;
            if (left < kLaneBlocks) {
                std::memset(rest, 0, sizeof rest);
                std::memcpy(rest, from, 16 * kSide * left);
                from = rest;
            }
            rows_to_planes(from, planes[wide]);
        }
        for (std::size_t c = 0; c < kSide; ++c) {
            WideLanes sum = zero_wide_lanes();
            for (std::size_t w = 0; w < wide; ++w)
                multiply_add(sum, planes[w][c], load_lanes(coefficients + w * kLaneBytes));
            sums[c] ^= sum_lanes(reduce(sum));
        }
    }
    for (std::size_t c = 0; c < kSide; ++c) store(out + 16 * c, sums[c]);
}

}  // namespace unseen::UNSEEN_ISA
