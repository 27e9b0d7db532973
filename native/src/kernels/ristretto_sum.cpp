// Sums of many products in ristretto255: all points of a block share the doublings (Straus), and every lane adds up its own
// points. Constant time in scalars and elements, so that provers may use it too.
#include "curve/edwards.hpp"
#include "kernels/scratch.hpp"
#include "unseen/curve.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kTable = 8, kDigits = 64;
constexpr std::size_t kBlock = 256 / kLanes;  // groups whose tables lie in the second-level cache: 320 KiB

struct Term {  // one point in each lane
    Cached multiples[kTable];
    Word digits[4];  // scalar + 8 in every place of four bits but the highest: a place less 8 is a signed digit
};

// The scalar's 255 bits, plus 0x0888...8.
void shift_digits(Word (&scalar)[4]) {
    constexpr std::uint64_t kEights = 0x8888888888888888, kTop = 0x0888888888888888;
    scalar[3] = scalar[3] & word(~std::uint64_t{0} >> 1);
    Word carried = word(0);
    for (int k = 0; k < 4; ++k) {
        const std::uint64_t eights = k < 3 ? kEights : kTop;
        // the carry out of x + eights + carry, from the top bits
        const Word sum = scalar[k] + word(eights) + carried;
        carried = shift_right((scalar[k] & word(eights)) | ((scalar[k] | word(eights)) & ~sum), 63);
        scalar[k] = sum;
    }
}

Mask prepare(const std::uint8_t* scalars, const std::uint8_t* elements, std::size_t first, std::size_t count, Term& term) {
    alignas(64) std::uint8_t space[32 * kLanes];
    load_words(group_of(scalars, 32, first, count, space), 32, term.digits);
    shift_digits(term.digits);
    Word w[4];
    load_words(group_of(elements, 32, first, count, space), 32, w);
    Point p;
    const Mask valid = decode(w, p);
    Point multiple = p;
    term.multiples[0] = cache(p);
    for (std::size_t k = 1; k < kTable; ++k) {
        multiple = add_cached(multiple, term.multiples[0]);
        term.multiples[k] = cache(multiple);
    }
    return valid;
}

// The multiple that one place of the scalar stands for; the whole table is read.
Cached chosen(const Term& term, std::size_t place) {
    const Word digit = shift_right(term.digits[place / 16], static_cast<unsigned>(4 * (place % 16))) & word(15);
    const bool top = place + 1 == kDigits;
    const Mask below = top ? Mask{0} : static_cast<Mask>(is_equal(digit & word(8), word(0)));
    const Word size = top ? digit : select(below, word(8) - digit, digit - word(8));
    Cached entry = {small(1), small(1), small(2), small(0)};
    for (std::size_t row = 0; row < kTable; ++row)
        entry = select(is_equal(size, word(row + 1)), term.multiples[row], entry);
    return negate_if(below, entry);
}

Point block_sum(const Term* terms, std::size_t count) {
    Point sum = identity();
    for (std::size_t place = kDigits; place-- > 0;) {
        if (place + 1 < kDigits)
            for (int twice = 0; twice < 4; ++twice) sum = double_point(sum, twice == 3);
        for (std::size_t k = 0; k < count; ++k) sum = add_cached(sum, chosen(terms[k], place));
    }
    return sum;
}

Fe rotate(const Fe& a, unsigned by) {
    Fe r;
    for (int k = 0; k < 5; ++k) r.v[k] = rotate_lanes(a.v[k], by);
    return r;
}

}  // namespace

void ristretto_sum(const std::uint8_t* scalars, const std::uint8_t* elements, std::uint8_t* out, std::uint8_t* flags,
                   std::size_t count) {
    const std::size_t groups = (count + kLanes - 1) / kLanes;
    const Scratch<Term> terms(groups < kBlock ? groups : kBlock);
    Point total = identity();
    for (std::size_t done = 0; done < groups; done += kBlock) {
        const std::size_t some = groups - done < kBlock ? groups - done : kBlock;
        for (std::size_t k = 0; k < some; ++k) {
            const std::size_t first = (done + k) * kLanes;
            store_mask(prepare(scalars, elements, first, count, terms[k]), flags, first, count);
        }
        total = add_cached(total, cache(block_sum(terms.data(), some)));
    }
    for (unsigned by = kLanes / 2; by > 0; by /= 2) {
        const Point other = {rotate(total.x, by), rotate(total.y, by), rotate(total.z, by), rotate(total.t, by)};
        total = add_cached(total, cache(other));
    }
    Word w[4];
    encode(total, w);
    store_group(w, out, 0, 1);
}

}  // namespace unseen::UNSEEN_ISA
