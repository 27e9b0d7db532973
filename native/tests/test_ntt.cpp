// Every instruction set gives what the first gives; a transform and back is the identity; packed words come back.
#include <cstdio>
#include <random>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/ntt.hpp"

using namespace unseen;
using Words = std::vector<std::uint64_t>;

namespace {

constexpr std::uint64_t kPrime = 0x3FFFFFFFFC001;

std::uint64_t power(std::uint64_t base, std::uint64_t exponent) {
    std::uint64_t result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) result = static_cast<std::uint64_t>(static_cast<unsigned __int128>(result) * base % kPrime);
        base = static_cast<std::uint64_t>(static_cast<unsigned __int128>(base) * base % kPrime);
    }
    return result;
}

// The four rows of a table, as unseen.kernels.ntt lays them out.
Words table_of(std::size_t n) {
    std::uint64_t psi = 0;
    for (std::uint64_t g = 2; psi == 0 || power(psi, n) != kPrime - 1; ++g) psi = power(g, (kPrime - 1) / (2 * n));
    Words table(4 * n);
    for (int back = 0; back < 2; ++back) {
        Words roots(n);
        for (std::size_t i = 0; i < n; ++i) {
            std::size_t r = 0;
            for (std::size_t bit = 1, value = i; bit < n; bit *= 2, value /= 2) r = 2 * r + value % 2;
            roots[i] = power(back ? power(psi, kPrime - 2) : psi, r);
        }
        if (back) {
            roots[0] = power(n, kPrime - 2);
            roots[1] = static_cast<std::uint64_t>(static_cast<unsigned __int128>(roots[1]) * roots[0] % kPrime);
        }
        std::uint64_t* row = table.data() + 2 * back * n;
        for (std::size_t i = 0; i < n; ++i) {
            std::size_t to = i;
            for (std::size_t layer = 2; layer <= 4; layer *= 2)
                if (i >= n / 8 * layer && i < n / 4 * layer) {
                    const std::size_t at = i - n / 8 * layer;
                    to = n / 8 * layer + (at / (8 * layer) * layer + at % layer) * 8 + at / layer % 8;
                }
            row[to] = roots[i];
            row[n + to] = static_cast<std::uint64_t>((static_cast<unsigned __int128>(roots[i]) << 52) / kPrime);
        }
    }
    return table;
}

}  // namespace

int main() {
    std::mt19937_64 random(1);
    int failures = 0;
    const auto expect = [&](bool holds, const char* what, const std::string& set) {
        if (holds) return;
        std::printf("%s: %s\n", set.c_str(), what);
        ++failures;
    };
    for (std::size_t n : {64, 128, 256, 8192}) {
        const Words table = table_of(n);
        for (std::size_t len = 8; len <= n; len *= 2) {
            Words x(len), first;
            for (auto& value : x) value = random() % kPrime;
            for (const auto& set : instruction_sets()) {
                use(set);
                Words values(n), back(n);
                UNSEEN_CHOOSE(ntt_forward)(table.data(), kPrime, x.data(), len, values.data(), n);
                UNSEEN_CHOOSE(ntt_inverse)(table.data(), kPrime, values.data(), back.data(), n);
                if (first.empty()) first = values;
                expect(values == first, "transforms differ", set);
                back.resize(len);
                expect(back == x, "not the inverse", set);
            }
        }
    }
    const std::uint8_t key[16] = {1, 2, 3};
    for (std::size_t n : {8, 24, 8192}) {
        Words words(n), first;
        for (auto& word : words) word = random();
        for (const auto& set : instruction_sets()) {
            use(set);
            std::vector<std::int64_t> noise(n), ternary(n);
            UNSEEN_CHOOSE(ntt_noise)(words.data(), noise.data(), n);
            UNSEEN_CHOOSE(ntt_ternary)(words.data(), ternary.data(), n);
            Words residues(n), drawn(n), high(n), low(n), all;
            UNSEEN_CHOOSE(ntt_residues)(kPrime, noise.data(), words.data(), 12345, residues.data(), n);
            UNSEEN_CHOOSE(ntt_uniform)(kPrime, key, 7, drawn.data(), n);
            const std::uint64_t one = 1, weights[3] = {1, 2, 3};
            UNSEEN_CHOOSE(ntt_fraction)
            (&kPrime, 1, &one, weights, residues.data(), ternary.data(), high.data(), low.data(), n);
            for (const auto& part : {residues, drawn, high, low}) all.insert(all.end(), part.begin(), part.end());
            if (first.empty()) first = all;
            expect(all == first, "words differ", set);
            for (unsigned bits : {1u, 8u, 50u, 56u}) {
                std::vector<std::uint8_t> packed((n * bits + 7) / 8);
                Words back(n);
                UNSEEN_CHOOSE(ntt_pack)(words.data(), n, bits, packed.data());
                UNSEEN_CHOOSE(ntt_unpack)(packed.data(), n, bits, back.data());
                for (std::size_t i = 0; i < n; ++i)
                    expect(back[i] == (words[i] & ((std::uint64_t{1} << bits) - 1)), "packed words differ", set);
            }
        }
    }
    if (failures == 0) std::printf("done\n");
    return failures == 0 ? 0 : 1;
}
