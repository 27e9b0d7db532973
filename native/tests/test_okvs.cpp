// Encoding and decoding on every instruction set: round trips, gaps, failures, and equal results.
#include <cstdio>
#include <random>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/okvs.hpp"

using namespace unseen;
using Bytes = std::vector<std::uint8_t>;

namespace {

int failures = 0;

void expect(bool holds, const char* isa, const char* what) {
    if (holds) return;
    std::printf("%s: %s\n", isa, what);
    ++failures;
}

Bytes random_blocks(std::mt19937_64& random, std::size_t count, bool gf96) {
    Bytes out(16 * count);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = gf96 && i % 16 >= 12 ? std::uint8_t{0} : static_cast<std::uint8_t>(random());
    return out;
}

void round_trip(const char* isa, const OkvsShape& shape, std::size_t count, bool must_succeed, Bytes& trace) {
    std::mt19937_64 random(count);
    const Bytes seed = random_blocks(random, 1, false), randomness = random_blocks(random, 1, false);
    const Bytes keys = random_blocks(random, count, false), values = random_blocks(random, count, shape.gf96);
    Bytes encoding(16 * shape.slots()), decoded(16 * count);
    const bool done = UNSEEN_CHOOSE(okvs_encode)(shape, seed.data(), keys.data(), values.data(), count, randomness.data(),
                                                 encoding.data());
    expect(done || !must_succeed, isa, "no encoding");
    if (!done) return;
    UNSEEN_CHOOSE(okvs_decode)(shape, seed.data(), encoding.data(), 1, keys.data(), count, decoded.data());
    expect(decoded == values, isa, "decodes to something else");
    trace.insert(trace.end(), encoding.begin(), encoding.end());
    Bytes both(2 * encoding.size()), pairs(32 * count);
    for (std::size_t i = 0; i < encoding.size(); ++i) both[32 * (i / 16) + 16 + i % 16] = encoding[i];
    UNSEEN_CHOOSE(okvs_decode)(shape, seed.data(), both.data(), 2, keys.data(), count, pairs.data());
    for (std::size_t i = 0; i < 16 * count; ++i)
        expect(pairs[32 * (i / 16) + 16 + i % 16] == values[i] && pairs[32 * (i / 16) + i % 16] == 0, isa, "two a slot");
}

}  // namespace

int main() {
    Bytes first;
    for (const auto& name : instruction_sets()) {
        use(name);
        Bytes trace;
        for (const bool gf96 : {false, true}) {
            for (std::size_t n : {0, 1, 2, 63, 64, 65, 300}) round_trip(name.c_str(), {1, 0, n + 40, gf96}, n, true, trace);
            for (std::size_t n : {3, 65, 512, 1000}) round_trip(name.c_str(), {1, 2 * n, 4, gf96}, n, false, trace);
            for (std::size_t n : {100, 2001}) round_trip(name.c_str(), {3, n, 3, gf96}, n, true, trace);
            for (std::size_t n = 50; n < 58; ++n) round_trip(name.c_str(), {1, 55, 9, gf96}, n, false, trace);  // gaps
            round_trip(name.c_str(), {1, 3, 1, gf96}, 400, false, trace);  // far more than 255 rows in a column
        }
        if (first.empty()) first = trace;
        expect(trace == first, name.c_str(), "differs from portable");
    }
    std::printf("okvs: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
