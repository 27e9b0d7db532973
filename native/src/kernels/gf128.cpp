#include "simd/aes.hpp"
#include "simd/gf128_lanes.hpp"
#include "unseen/blocks.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

// Adds the products of `blocks` pairs to `sum`; what does not fill the lanes goes to `rest`.
inline void add_products(const std::uint8_t* a, const std::uint8_t* b, std::size_t blocks, WideLanes& sum, Wide& rest) {
    std::size_t i = 0;
    for (; i + kLaneBlocks <= blocks; i += kLaneBlocks) multiply_add(sum, load_lanes(a + 16 * i), load_lanes(b + 16 * i));
    for (; i < blocks; ++i) rest ^= multiply_wide(load(a + 16 * i), load(b + 16 * i));
}

}  // namespace

void gf_multiply(const std::uint8_t* a, const std::uint8_t* b, bool one, std::uint8_t* out, std::size_t blocks) {
    const std::size_t step = one ? 0 : 16;
    const Lanes fixed = broadcast(blocks == 0 ? zero_block() : load(b));
    std::size_t i = 0;
    for (; i + kLaneBlocks <= blocks; i += kLaneBlocks) {
        WideLanes product = zero_wide_lanes();
        multiply_add(product, load_lanes(a + 16 * i), one ? fixed : load_lanes(b + 16 * i));
        store_lanes(out + 16 * i, reduce(product));
    }
    for (; i < blocks; ++i) store(out + 16 * i, multiply(load(a + 16 * i), load(b + step * i)));
}

void gf_inner(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::size_t blocks) {
    WideLanes sum = zero_wide_lanes();
    Wide rest = zero_wide();
    add_products(a, b, blocks, sum, rest);
    store(out, sum_lanes(reduce(sum)) ^ reduce(rest));
}

void gf_combine(const std::uint8_t* seed, std::uint64_t first, const std::uint8_t* a, std::uint8_t* out,
                std::size_t blocks) {
    constexpr std::size_t kAtOnce = 64;
    const AesKey schedule = expand(load(seed));
    std::uint8_t coefficients[16 * kAtOnce];
    WideLanes sum = zero_wide_lanes();
    Wide rest = zero_wide();
    for (std::size_t done = 0; done < blocks; done += kAtOnce) {
        const std::size_t count = blocks - done < kAtOnce ? blocks - done : kAtOnce;
        encrypt_counters(schedule, first + done, 0, coefficients, count);
        add_products(a + 16 * done, coefficients, count, sum, rest);
    }
    store(out, sum_lanes(reduce(sum)) ^ reduce(rest));
}

}  // namespace unseen::UNSEEN_ISA
