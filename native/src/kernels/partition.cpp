// Counting, then scattering: both passes read rows in order and need no memory but a bucket a row.
#include "unseen/partition.hpp"

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {

void bucket_rows(const std::uint8_t* key, const std::uint8_t* rows, std::size_t count, std::size_t blocks, int bits,
                 std::uint32_t* buckets, std::int64_t* counts) {
    constexpr std::size_t kBatch = 64;
    const AesKey schedule = expand(load(key));
    Block state[kBatch];
    for (std::size_t first = 0; first < count; first += kBatch) {
        const std::size_t here = count - first < kBatch ? count - first : kBatch;
        const std::uint8_t* from = rows + 16 * blocks * first;
        for (std::size_t i = 0; i < here; ++i) state[i] = load(from + 16 * blocks * i);
        encrypt(schedule, state, here);
        for (std::size_t b = 1; b < blocks; ++b) {
            for (std::size_t i = 0; i < here; ++i) state[i] ^= load(from + 16 * (blocks * i + b));
            encrypt(schedule, state, here);
        }
        for (std::size_t i = 0; i < here; ++i) {
            const auto bucket = bits == 0 ? 0u : static_cast<std::uint32_t>(high(state[i]) >> (64 - bits));
            buckets[first + i] = bucket;
            ++counts[bucket];
        }
    }
}

void scatter_rows(const std::uint32_t* buckets, const std::uint8_t* rows, const std::int64_t* numbers,
                  std::int64_t first, std::size_t count, std::size_t blocks, std::int64_t* cursor,
                  std::uint8_t* rows_out, std::int64_t* numbers_out) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto place = static_cast<std::size_t>(cursor[buckets[i]]++);
        for (std::size_t b = 0; b < blocks; ++b)
            store(rows_out + 16 * (blocks * place + b), load(rows + 16 * (blocks * i + b)));
        numbers_out[place] = numbers != nullptr ? numbers[i] : first + static_cast<std::int64_t>(i);
    }
}

}  // namespace unseen::UNSEEN_ISA
