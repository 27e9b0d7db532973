// Additive shares between two holders. Plain loops: the compiler makes vectors of them; without branches on shares.
#include "unseen/additive.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kByte = 8;
constexpr std::uint64_t kHalf = std::uint64_t{1} << 62;

inline std::uint32_t bit(const std::uint8_t* bits, std::size_t i) { return bits[i / kByte] >> (i % kByte) & 1U; }

}  // namespace

void beaver_product(const std::uint64_t* c, const std::uint64_t* a, const std::uint64_t* b, const std::uint64_t* d,
                    const std::uint64_t* e, bool leads, std::uint64_t* out, std::size_t n) {
    const std::uint64_t added = leads ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < n; ++i) out[i] = c[i] + d[i] * (b[i] + (e[i] & added)) + a[i] * e[i];
}

void beaver_and(const std::uint64_t* c, const std::uint64_t* a, const std::uint64_t* b, const std::uint64_t* d,
                const std::uint64_t* e, bool leads, std::uint64_t* out, std::size_t n) {
    const std::uint64_t added = leads ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < n; ++i) out[i] = c[i] ^ (d[i] & (b[i] ^ (e[i] & added))) ^ (a[i] & e[i]);
}

void lifted_bits(const std::uint64_t* dealt, const std::uint8_t* opened, bool leads, std::uint64_t* out, std::size_t n) {
    const std::uint64_t added = leads ? 1 : 0;
    for (std::size_t first = 0; first < n; first += kByte) {
        const std::size_t count = n - first < kByte ? n - first : kByte;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t v = bit(opened, first + i);
            out[first + i] = (dealt[first + i] ^ (0 - v)) + v + added * v;  // -rho where v is set
        }
    }
}

void selected(const std::uint64_t* x, const std::uint64_t* rho, const std::uint64_t* product, const std::uint64_t* e,
              const std::uint8_t* v, std::uint64_t* out, std::size_t n) {
    for (std::size_t first = 0; first < n; first += kByte) {
        const std::size_t count = n - first < kByte ? n - first : kByte;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t j = first + i;
            const std::uint64_t flip = 0 - static_cast<std::uint64_t>(bit(v, j));
            out[j] = ((rho[j] * e[j] + product[j]) ^ flip) - flip + (x[j] & flip);
        }
    }
}

void moved_tops(const std::uint64_t* share, const std::uint64_t* offset, const std::uint8_t* mask, bool leads,
                std::uint64_t* moved, std::uint8_t* hidden, std::size_t n) {
    const std::uint64_t sign = leads ? 1 : ~std::uint64_t{0}, half = leads ? kHalf : 0;
    for (std::size_t first = 0; first < n; first += kByte) {
        const std::size_t count = n - first < kByte ? n - first : kByte;
        std::uint32_t tops = mask[first / kByte];
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t word = share[first + i] + sign * offset[first + i] + half;
            moved[first + i] = word;
            tops ^= static_cast<std::uint32_t>(word >> 63) << i;
        }
        hidden[first / kByte] = static_cast<std::uint8_t>(tops);
    }
}

void without_wrap(const std::uint64_t* moved, int drop, const std::uint32_t* both, const std::uint8_t* own,
                  const std::uint8_t* ours, const std::uint8_t* theirs, bool leads, std::uint64_t* out, std::size_t n) {
    const int weight = 64 - drop;
    const std::uint32_t public_part = leads ? 1 : 0;
    const std::uint64_t shift = leads ? (kHalf >> drop) - 1 : 0;
    for (std::size_t first = 0; first < n; first += kByte) {
        const std::size_t count = n - first < kByte ? n - first : kByte;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t j = first + i;
            const std::uint32_t u = bit(own, j), d = bit(ours, j), e = bit(theirs, j);
            const std::uint32_t signs = 1U - 2U * (d ^ e);
            const std::uint32_t product = signs * both[j] + (1U - 2U * d) * e * u + public_part * d * e;
            const std::uint64_t word = moved[j];
            out[j] = (word >> drop) - (word >> 63 << weight) + (std::uint64_t{product} << weight) - shift;
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
