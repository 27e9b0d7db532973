#include "simd/transpose.hpp"
#include "unseen/blocks.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

// Any shape of whole bytes, from byte column `begin` to `end`, tile by tile.
void transpose_tilewise(const std::uint8_t* in, std::size_t rows, std::size_t columns, std::size_t begin,
                        std::size_t end, std::uint8_t* out) {
    const std::size_t from = columns / 8, to = rows / 8;
    for (std::size_t byte = begin; byte < end; ++byte)
        for (std::size_t row = 0; row < to; ++row) {
            std::uint64_t tile = 0;
            for (int i = 7; i >= 0; --i) tile = tile << 8 | in[(8 * row + static_cast<std::size_t>(i)) * from + byte];
            tile = transpose_tile(tile);
            for (std::size_t i = 0; i < 8; ++i)
                out[(8 * byte + i) * to + row] = static_cast<std::uint8_t>(tile >> (8 * i));
        }
}

}  // namespace

void transpose(const std::uint8_t* in, std::size_t rows, std::size_t columns, std::uint8_t* out) {
    constexpr std::size_t kBits = 128 * kLaneBlocks;
    std::size_t done = 0;
    if (rows == kSide)
        for (; done + kBits <= columns; done += kBits) planes_to_rows(in + done / 8, columns / 8, out + 16 * done);
    if (columns == kSide && rows % kBits == 0) {
        alignas(64) Lanes planes[kSide];
        for (std::size_t row = 0; row < rows; row += kBits) {
            rows_to_planes(in + 16 * row, planes);
            for (std::size_t i = 0; i < kSide; ++i) store_lanes(out + i * (rows / 8) + row / 8, planes[i]);
        }
        return;
    }
    transpose_tilewise(in, rows, columns, done / 8, columns / 8, out);
}

}  // namespace unseen::UNSEEN_ISA
