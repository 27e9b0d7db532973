// Both sides of carries and products agree, every instruction set gives what the portable one gives, and rows come out of a
// network in the order that was asked for.
#include "unseen/isa_names.hpp"
#include "unseen/transfers.hpp"

#include <cstdio>
#include <numeric>
#include <random>
#include <vector>

#include "unseen/network.hpp"

using namespace unseen;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Words = std::vector<std::uint64_t>;

std::mt19937_64 random_words(1);

Bytes noise(std::size_t size) {
    Bytes out(size);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random_words());
    return out;
}

Words words(std::size_t size) {
    Words out(size);
    for (auto& word : out) word = random_words();
    return out;
}

// The receiver's rows for the choices that are `bits` bits from `low` on of each number.
Bytes chosen(const Bytes& rows, const Bytes& delta, const Words& numbers, std::size_t bits, std::size_t low) {
    Bytes out(rows);
    for (std::size_t i = 0; i < numbers.size() * bits; ++i)
        if (numbers[i / bits] >> (low + i % bits) & 1)
            for (std::size_t j = 0; j < 16; ++j) out[16 * i + j] ^= delta[j];
    return out;
}

std::uint64_t lowest(int bits) { return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

struct Case {
    Bytes rows, delta;
    Words mine, theirs;
};

bool products(const Case& c, std::size_t n, std::size_t width, int bits, int ring, Bytes& trace) {
    Bytes offers(n * width * product_bytes(bits, ring));
    Words given(n * width), taken(n * width);
    const Bytes received = chosen(c.rows, c.delta, c.theirs, static_cast<std::size_t>(bits), 0);
    UNSEEN_CHOOSE(product_offer)
    (c.rows.data(), c.delta.data(), c.mine.data(), n, width, bits, ring, offers.data(), given.data());
    UNSEEN_CHOOSE(product_take)(received.data(), c.theirs.data(), n, width, bits, ring, offers.data(), taken.data());
    bool right = true;
    for (std::size_t i = 0; i < n * width; ++i)
        right = right && ((given[i] + taken[i] - c.mine[i] * (c.theirs[i / width] & lowest(bits))) & lowest(ring)) == 0;
    trace.insert(trace.end(), offers.begin(), offers.end());
    return right;
}

bool carries(const Case& c, std::size_t n, std::size_t leaves, Bytes& trace) {
    const std::size_t stride = (n + 63) / 64;
    std::vector<std::uint16_t> offers(n * leaves);
    Words g0(leaves * stride), p0(g0), g1(g0), p1(g0);
    const Bytes received = chosen(c.rows, c.delta, c.theirs, 3 * leaves, 64 - 3 * leaves);
    UNSEEN_CHOOSE(carry_offer)
    (c.rows.data(), c.delta.data(), c.mine.data(), n, leaves, offers.data(), g0.data(), p0.data());
    UNSEEN_CHOOSE(carry_take)(received.data(), c.theirs.data(), n, leaves, offers.data(), g1.data(), p1.data());
    bool right = true;
    for (std::size_t e = 0; e < n; ++e)
        for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
            const std::size_t shift = 64 - 3 * leaves + 3 * leaf, at = leaf * stride + e / 64;
            const std::uint64_t total = (c.mine[e] >> shift & 7) + (c.theirs[e] >> shift & 7);
            right = right && ((g0[at] ^ g1[at]) >> (e % 64) & 1) == (total > 7) &&
                    ((p0[at] ^ p1[at]) >> (e % 64) & 1) == (total == 7);
        }
    for (const auto offer : offers) trace.push_back(static_cast<std::uint8_t>(offer ^ offer >> 8));
    return right;
}

bool route(std::size_t levels) {
    const std::size_t size = std::size_t{1} << levels;
    std::vector<std::int64_t> order(size), rows(size);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = size - 1; i > 0; --i) std::swap(order[i], order[random_words() % (i + 1)]);
    std::iota(rows.begin(), rows.end(), 0);
    Bytes switches((2 * levels - 1) * size / 2);
    std::vector<std::uint32_t> scratch(4 * size);
    UNSEEN_CHOOSE(network_route)(order.data(), levels, switches.data(), scratch.data());
    for (std::size_t column = 0; column < 2 * levels - 1; ++column) {
        const std::size_t back = 2 * levels - 2 - column, apart = size >> (1 + (column < back ? column : back));
        for (std::size_t j = 0; j < size / 2; ++j) {
            const std::size_t upper = j / apart * 2 * apart + j % apart;
            if (switches[column * size / 2 + j]) std::swap(rows[upper], rows[upper + apart]);
        }
    }
    return rows == order;
}

}  // namespace

int main() {
    int failures = 0;
    const auto check = [&](bool right, const char* what, const std::string& set) {
        if (!right) std::printf("%s: %s differs\n", set.c_str(), what), ++failures;
    };
    std::vector<Case> cases;
    for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{65}})
        cases.push_back({noise(16 * 64 * n), noise(16), words(n * 19), words(n)});
    Bytes first;
    for (const auto& name : instruction_sets()) {
        use(name);
        Bytes trace;
        for (const auto& c : cases) {
            const std::size_t n = c.theirs.size();
            for (const auto& [bits, ring] : {std::pair{64, 64}, {1, 20}, {1, 57}, {12, 44}, {31, 31}})
                for (std::size_t width : {1, 2, 19}) check(products(c, n, width, bits, ring, trace), "a product", name);
            for (std::size_t leaves : {1, 5, 21}) check(carries(c, n, leaves, trace), "a carry", name);
            for (std::size_t width : {1, 2, 64}) {
                Words planes(2 * width * n);
                UNSEEN_CHOOSE(hash_planes)(c.rows.data(), 64 * n, c.delta.data(), width, planes.data());
                for (const auto plane : planes) trace.push_back(static_cast<std::uint8_t>(plane ^ plane >> 37));
            }
        }
        for (std::size_t levels = 1; levels < 9; ++levels) check(route(levels), "an order", name);
        if (first.empty()) first = trace;
        check(trace == first, "what the portable kernels give", name);
        std::printf("%s: done\n", name.c_str());
    }
    return failures == 0 ? 0 : 1;
}
