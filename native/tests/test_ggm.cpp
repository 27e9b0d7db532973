// Trees: what the receiver computes differs from the full tree at the position alone, on every instruction set alike.
#include <cstdio>
#include <random>
#include <vector>

#include "unseen/ggm.hpp"
#include "unseen/isa_names.hpp"

using namespace unseen;
using Bytes = std::vector<std::uint8_t>;

int main() {
    int failures = 0;
    Bytes baseline;
    for (const auto& name : instruction_sets()) {
        use(name);
        std::mt19937_64 random(1);
        const auto fill = [&](std::size_t blocks) {
            Bytes bytes(16 * blocks + 1);
            for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
            return bytes;
        };
        Bytes everything;
        for (unsigned depth : {1u, 2u, 5u, 6u, 8u})
            for (unsigned width = 0; width <= 2; ++width)
                for (bool tweaked : {false, true}) {
                    const std::size_t trees = 3, leaves = std::size_t{1} << depth, values = width < 2 ? 1 : width;
                    const GgmShape shape{trees, depth, width, tweaked, false};
                    const Bytes keys = fill(3), roots = fill(trees), noise = fill(trees);
                    Bytes delta = fill(1);
                    delta[0] |= 1;
                    Bytes rows(16 * trees * leaves * values), sums(16 * trees * depth), totals(16 * trees * width + 1);
                    UNSEEN_CHOOSE(ggm_expand)(shape, keys.data(), roots.data(), delta.data(), rows.data(), sums.data(), totals.data());
                    std::uint64_t positions[3];
                    for (std::size_t t = 0; t < trees; ++t) {
                        positions[t] = random() % leaves;
                        for (unsigned level = 0; level < depth; ++level)
                            if ((positions[t] >> (depth - 1 - level) & 1) == 0)
                                for (int i = 0; i < 16; ++i) sums[16 * (t * depth + level) + i] ^= delta[i];
                    }
                    const std::size_t stride = width == 0 ? 1 : 1 + width;
                    Bytes punctured(16 * trees * leaves * stride);
                    UNSEEN_CHOOSE(ggm_puncture)(shape, keys.data(), sums.data(), positions, totals.data(), noise.data(), punctured.data());
                    for (std::size_t t = 0; t < trees; ++t)
                        for (std::size_t j = 0; j < leaves; ++j)
                            for (std::size_t w = 0; w < values; ++w)
                                for (int i = 0; i < 16; ++i) {
                                    const std::size_t row = t * leaves + j;
                                    const std::uint8_t theirs = punctured[16 * (row * stride + (width ? 1 : 0) + w) + i];
                                    const std::uint8_t due = width == 0 && j == positions[t] ? delta[i] : 0;
                                    const bool unknown = width != 0 && j == positions[t];
                                    if (!unknown && (theirs ^ rows[16 * (row * values + w) + i]) != due) ++failures;
                                }
                    everything.insert(everything.end(), punctured.begin(), punctured.end());
                }
        const Bytes key = fill(1), rows = fill(203 * 3);
        Bytes folded(48);
        UNSEEN_CHOOSE(ggm_fold)(key.data(), rows.data(), 203, 3, folded.data());
        everything.insert(everything.end(), folded.begin(), folded.end());
        if (baseline.empty()) baseline = everything;
        if (everything != baseline) {
            std::printf("%s: differs from portable\n", name.c_str());
            ++failures;
        }
    }
    std::printf("ggm: %s\n", failures == 0 ? "done" : "failed");
    return failures != 0;
}
