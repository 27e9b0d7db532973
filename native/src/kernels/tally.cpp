// Sums by code: rows in blocks, so that a block's numbers stay in the cache while all columns add them. Where memory is
// written tells the codes: they are those of the party that runs it.
#include "unseen/tally.hpp"

#include <algorithm>

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kBlock = 1024;

template <std::size_t kCount>
bool add(const std::uint16_t* codes, std::size_t rows, const std::uint64_t* values, std::size_t count,
         std::uint64_t* sums, std::size_t width) {
    const std::size_t each = kCount ? kCount : count;
    for (std::size_t row = 0; row < rows; ++row) {
        if (codes[row] >= width) return false;
        std::uint64_t* sum = sums + codes[row] * each;
        const std::uint64_t* value = values + row * each;
        for (std::size_t place = 0; place < each; ++place) sum[place] += value[place];
    }
    return true;
}

}  // namespace

bool tally(const std::uint16_t* codes, std::size_t columns, std::size_t rows, const std::uint64_t* values,
           std::size_t count, std::uint64_t* sums, std::size_t width) {
    std::fill(sums, sums + width * count, 0);
    const auto block = count == 1   ? &add<1>
                       : count == 2 ? &add<2>
                       : count == 4 ? &add<4>
                       : count == 8 ? &add<8>
                                    : &add<0>;
    for (std::size_t first = 0; first < rows; first += kBlock) {
        const std::size_t taken = std::min(kBlock, rows - first);
        for (std::size_t column = 0; column < columns; ++column)
            if (!block(codes + column * rows + first, taken, values + first * count, count, sums, width))
                return false;
    }
    return true;
}

}  // namespace unseen::UNSEEN_ISA
