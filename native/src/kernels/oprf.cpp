#include "unseen/oprf.hpp"

#include "simd/gf96.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

template <typename Field>
void one_value(const std::uint8_t* base, const std::uint8_t* factors, const std::uint8_t* scalar, std::size_t rows,
               std::uint8_t* out) {
    const Block fixed = load(scalar);
    const Lanes spread = broadcast(fixed);
    std::size_t i = 0;
    for (; i + kLaneBlocks <= rows; i += kLaneBlocks)
        store_lanes(out + 16 * i,
                    load_lanes(base + 16 * i) ^ product_lanes<Field>(load_lanes(factors + 16 * i), spread));
    for (; i < rows; ++i)
        store(out + 16 * i, load(base + 16 * i) ^ product<Field>(load(factors + 16 * i), fixed));
}

template <typename Field>
void any_values(const std::uint8_t* base, const std::uint8_t* factors, const std::uint8_t* scalar, std::size_t values,
                std::size_t rows, std::uint8_t* out) {
    if (values == 1) return one_value<Field>(base, factors, scalar, rows, out);
    for (std::size_t i = 0; i < rows; ++i) {
        const Block factor = load(factors + 16 * i);
        for (std::size_t v = 0; v < values; ++v) {
            const std::size_t at = 16 * (i * values + v);
            store(out + at, load(base + at) ^ product<Field>(factor, load(scalar + 16 * v)));
        }
    }
}

}  // namespace

void add_scaled(bool gf96, const std::uint8_t* base, const std::uint8_t* factors, const std::uint8_t* scalar,
                std::size_t values, std::size_t rows, std::uint8_t* out) {
    if (gf96) return any_values<Gf96>(base, factors, scalar, values, rows, out);
    any_values<Gf128>(base, factors, scalar, values, rows, out);
}

}  // namespace unseen::UNSEEN_ISA
