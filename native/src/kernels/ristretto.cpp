#include "unseen/curve.hpp"

#include "curve/edwards.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

void load_group(const std::uint8_t* rows, std::size_t stride, std::size_t first, std::size_t count, Word (&w)[4]) {
    alignas(64) std::uint8_t space[64 * kLanes];
    load_words(group_of(rows, stride, first, count, space), stride, w);
}

void load_scalars(const std::uint8_t* scalars, std::size_t stride, std::size_t first, std::size_t count,
                  Word (&scalar)[4]) {
    load_group(scalars, stride, first, count, scalar);
    scalar[3] = scalar[3] & word(~std::uint64_t{0} >> 1);
}

}  // namespace

void ristretto_map(const std::uint8_t* uniform, std::uint8_t* out, std::size_t count) {
    constexpr std::size_t kUniform = 64;
    for (std::size_t first = 0; first < count; first += kLanes) {
        alignas(64) std::uint8_t space[kUniform * kLanes];
        const std::uint8_t* rows = group_of(uniform, kUniform, first, count, space);
        Word low[4], high[4], w[4];
        load_words(rows, kUniform, low);
        load_words(rows + 32, kUniform, high);
        encode(add_cached(map_to_group(from_words(low)), cache(map_to_group(from_words(high)))), w);
        store_group(w, out, first, count);
    }
}

void ristretto_multiply(const std::uint8_t* scalars, std::size_t stride, const std::uint8_t* elements,
                        std::uint8_t* out, std::uint8_t* flags, std::size_t count) {
    for (std::size_t first = 0; first < count; first += kLanes) {
        Word scalar[4], w[4];
        load_scalars(scalars, stride, first, count, scalar);
        load_group(elements, 32, first, count, w);
        Point p;
        store_mask(decode(w, p), flags, first, count);
        encode(multiply_point(scalar, p), w);
        store_group(w, out, first, count);
    }
}

void ristretto_multiply_base(const std::uint8_t* scalars, std::uint8_t* out, std::size_t count) {
    const Point base = generator();
    for (std::size_t first = 0; first < count; first += kLanes) {
        Word scalar[4], w[4];
        load_scalars(scalars, 32, first, count, scalar);
        encode(multiply_point(scalar, base), w);
        store_group(w, out, first, count);
    }
}

void ristretto_add(const std::uint8_t* left, const std::uint8_t* right, bool minus, std::uint8_t* out,
                   std::uint8_t* flags, std::size_t count) {
    for (std::size_t first = 0; first < count; first += kLanes) {
        Word w[4], v[4];
        load_group(left, 32, first, count, w);
        load_group(right, 32, first, count, v);
        Point p, q;
        const Mask left_valid = decode(w, p), right_valid = decode(v, q);
        store_mask(left_valid & right_valid, flags, first, count);
        encode(add_cached(p, negate_if(minus ? all_lanes() : Mask{0}, cache(q))), w);
        store_group(w, out, first, count);
    }
}

void ristretto_valid(const std::uint8_t* elements, std::uint8_t* flags, std::size_t count) {
    for (std::size_t first = 0; first < count; first += kLanes) {
        Word w[4];
        load_group(elements, 32, first, count, w);
        Point p;
        store_mask(decode(w, p), flags, first, count);
    }
}

}  // namespace unseen::UNSEEN_ISA
