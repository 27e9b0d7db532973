// Linear combinations over GF(2^128) and GF(2^96) that protocols on trees need. Constant time.
#include "unseen/ggm.hpp"

#include "simd/aes.hpp"
#include "simd/gf128.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kBatch = 32;
constexpr std::uint64_t kFold96 = 0x641;  // x^96 = x^10 + x^9 + x^6 + 1

// a modulo the polynomial of GF(2^96), a of degree below 192.
Block reduce96(Wide a) {
    const std::uint64_t word[3] = {low(a.low), high(a.low), low(a.high)};
    const Block upper = make_block(word[1] >> 32 | word[2] << 32, word[2] >> 32);
    const Block kept = make_block(word[0], word[1] & 0xFFFFFFFF);
    const Block first = multiply_wide(upper, make_block(kFold96, 0)).low;  // of degree below 107
    const Block again = multiply_wide(make_block(high(first) >> 32, 0), make_block(kFold96, 0)).low;
    return kept ^ make_block(low(first), high(first) & 0xFFFFFFFF) ^ again;
}

}  // namespace

void ggm_fold(const std::uint8_t* key, const std::uint8_t* rows, std::size_t count, std::size_t width,
              std::uint8_t* out) {
    const AesKey schedule = expand(load(key));
    Block marked = zero_block();
    const std::size_t columns = width == 0 ? 1 : width;
    Wide sums[3] = {zero_wide(), zero_wide(), zero_wide()};
    for (std::size_t i = 0; i < count; i += kBatch) {
        const std::size_t batch = count - i < kBatch ? count - i : kBatch;
        Block chi[kBatch];
        for (std::size_t j = 0; j < batch; ++j) chi[j] = make_block(i + j, 0);
        encrypt(schedule, chi, batch);
        for (std::size_t j = 0; j < batch; ++j) {
            const std::uint8_t* row = rows + 16 * (i + j) * columns;
            marked ^= chi[j] & mask_block(row[0] & 1);
            for (std::size_t w = 0; w < columns; ++w) sums[w] ^= multiply_wide(chi[j], load(row + 16 * w));
        }
    }
    if (width == 0) store(out, marked);
    for (std::size_t w = 0; w < columns; ++w) store(out + 16 * (w + (width == 0)), reduce(sums[w]));
}

void ggm_pack(const std::uint8_t* rows, std::size_t count, unsigned field, std::uint8_t* out) {
    const Block keep = field == 96 ? make_block(~std::uint64_t{0}, 0xFFFFFFFF) : mask_block(1);
    for (std::size_t i = 0; i < count; ++i) {
        Wide sum = zero_wide();
        for (unsigned j = 0; j < field; ++j) {
            const Block power = j < 64 ? make_block(std::uint64_t{1} << j, 0) : make_block(0, std::uint64_t{1} << (j - 64));
            sum ^= multiply_wide(load(rows + 16 * (i * field + j)) & keep, power);
        }
        store(out + 16 * i, field == 96 ? reduce96(sum) : reduce(sum));
    }
}

}  // namespace unseen::UNSEEN_ISA
