// Every instruction set gives the same limbs, below the modulus, for even and odd numbers of limbs and cut segments.
#include "unseen/isa_names.hpp"
#include "unseen/montgomery.hpp"

#include <cstdio>
#include <random>
#include <vector>

using namespace unseen;

namespace {

using Number = std::vector<std::uint64_t>;

bool below(const Number& x, const std::uint64_t* n) {
    for (std::size_t j = x.size(); j-- > 0;)
        if (x[j] != n[j]) return x[j] < n[j];
    return false;
}

// 2 x mod n, limbs of 52 bits.
void twice(Number& x, const Number& n) {
    std::uint64_t carry = 0;
    for (auto& limb : x) {
        limb = 2 * limb + carry;
        carry = limb >> 52;
        limb &= (std::uint64_t{1} << 52) - 1;
    }
    if (below(x, n.data())) return;
    std::uint64_t borrow = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
        const std::uint64_t difference = x[j] - n[j] - borrow;
        borrow = difference >> 63;
        x[j] = difference & ((std::uint64_t{1} << 52) - 1);
    }
}

}  // namespace

int main() {
    int failures = 0;
    std::mt19937_64 words(1);
    for (const std::size_t limbs : {1, 2, 3, 27, 40, 119, 128}) {
        Number n(limbs), table(20 * limbs), square(limbs, 0);
        for (auto* row : {&n, &table})
            for (auto& limb : *row) limb = words() >> 12;
        n[0] |= 1;
        n[limbs - 1] = (std::uint64_t{1} << 49) + 1;
        for (std::size_t i = 0; i < 20; ++i) table[i * limbs + limbs - 1] >>= 3;  // below n
        square[0] = 1;
        for (std::size_t k = 0; k < 52 * limbs; ++k) twice(square, n);
        const Number one = square;
        for (std::size_t k = 0; k < 52 * limbs; ++k) twice(square, n);
        const Montgomery m{n.data(), one.data(), square.data(), limbs};
        std::vector<std::int64_t> order(100), starts{0, 0, 7, 7, 60, 61, 100};
        for (auto& place : order) place = static_cast<std::int64_t>(words() % 20);
        const std::uint64_t exponent[2] = {words(), 5};
        std::vector<Number> due;
        for (const auto& name : instruction_sets()) {
            use(name);
            std::vector<Number> made(4, Number(20 * limbs, 0));
            UNSEEN_CHOOSE(montgomery_products)(m, table.data(), order.data(), starts.data(), 6, made[0].data());
            UNSEEN_CHOOSE(montgomery_multiply)(m, table.data(), table.data() + limbs, limbs, made[1].data(), 19);
            UNSEEN_CHOOSE(montgomery_square)(m, table.data(), 3, made[2].data(), 20);
            UNSEEN_CHOOSE(montgomery_power)(m, table.data(), exponent, 2, made[3].data(), 20);
            if (due.empty()) due = made;
            failures += made != due;
            Number row(limbs);
            for (const auto& rows : made)
                for (std::size_t i = 0; i < 20; ++i) {
                    row.assign(rows.begin() + static_cast<std::ptrdiff_t>(i * limbs),
                               rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * limbs));
                    failures += !below(row, n.data());
                }
            const std::size_t width = (52 * limbs + 63) / 64;
            Number plain(20 * width), again(20 * limbs);
            std::vector<std::uint8_t> flags(20);
            UNSEEN_CHOOSE(montgomery_leave)(m, table.data(), plain.data(), width, 20);
            UNSEEN_CHOOSE(montgomery_enter)(m, plain.data(), width, again.data(), flags.data(), 20);
            failures += again != table;
        }
    }
    if (failures) std::printf("%d failures\n", failures);
    return failures != 0;
}
