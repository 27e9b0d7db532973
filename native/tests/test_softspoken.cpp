// Both sides of SoftSpoken agree, and every instruction set gives what the portable one gives.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/softspoken.hpp"

using namespace unseen;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes noise(std::size_t size) {
    Bytes out(size);
    std::uint32_t state = 54321;
    for (auto& byte : out) byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    return out;
}

// The sender's keys: those of the receiver in the order that starts with the missing one.
Bytes punctured(const Bytes& keys, const Bytes& delta, int bits) {
    const std::size_t leaves = std::size_t{1} << bits, trees = 128 / static_cast<std::size_t>(bits);
    Bytes out(keys.size());
    for (std::size_t i = 0; i < trees; ++i) {
        std::size_t digit = 0;
        for (std::size_t j = 0; j < static_cast<std::size_t>(bits); ++j) {
            const std::size_t at = i * static_cast<std::size_t>(bits) + j;
            digit |= static_cast<std::size_t>(delta[at / 8] >> (at % 8) & 1) << j;
        }
        for (std::size_t x = 1; x < leaves; ++x)
            std::memcpy(&out[16 * (i * leaves + x)], &keys[16 * (i * leaves + (x ^ digit))], 16);
    }
    return out;
}

// choices, corrections, rows of the receiver, folded; false in `fits` if the sender's rows are not as they should be.
Bytes both_sides(int bits, std::size_t blocks, bool chosen, bool& fits) {
    const std::size_t trees = 128 / static_cast<std::size_t>(bits);
    const Bytes keys = noise(16 * (trees << bits)), delta = noise(16);
    Bytes choices = noise(16 * blocks), corrections(16 * blocks * (trees - !chosen)), rows(2048 * blocks), sent(rows);
    UNSEEN_CHOOSE(softspoken_receive)(keys.data(), bits, 5, blocks, chosen, choices.data(), corrections.data(), rows.data());
    const Bytes theirs = punctured(keys, delta, bits);
    UNSEEN_CHOOSE(softspoken_send)(theirs.data(), bits, delta.data(), 5, blocks, chosen, corrections.data(), sent.data());
    for (std::size_t i = 0; i < 128 * blocks; ++i)
        for (std::size_t j = 0; j < 16; ++j) {
            const std::uint8_t due = choices[i / 8] >> (i % 8) & 1 ? delta[j] : 0;
            fits = fits && (rows[16 * i + j] ^ sent[16 * i + j]) == due;
        }
    Bytes folded(2048);
    UNSEEN_CHOOSE(softspoken_fold)(delta.data(), 3, rows.data(), blocks, folded.data());
    for (const Bytes* part : {&corrections, &rows, &folded}) choices.insert(choices.end(), part->begin(), part->end());
    return choices;
}

}  // namespace

int main() {
    int failures = 0;
    for (const int bits : {2, 4, 8})
        for (const std::size_t blocks : {1, 7, 66})
            for (const bool chosen : {false, true}) {
                Bytes baseline;
                for (const auto& name : instruction_sets()) {
                    use(name);
                    bool fits = true;
                    const Bytes made = both_sides(bits, blocks, chosen, fits);
                    if (baseline.empty()) baseline = made;
                    if (fits && made == baseline) continue;
                    std::printf("%s: k=%d, %zu blocks: %s\n", name.c_str(), bits, blocks,
                                fits ? "differs from portable" : "the sides do not agree");
                    ++failures;
                }
            }
    std::printf("softspoken: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
