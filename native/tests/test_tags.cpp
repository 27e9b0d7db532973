// Sorting, coding and matching of tags on every instruction set; and a bounded run of mutated codes against the decoder
// (buffers are exactly as long as they say, so that the sanitizers see a step too far).
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/tags.hpp"

using namespace unseen;
using Bytes = std::vector<std::uint8_t>;

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
    if (holds) return;
    std::printf("%s\n", what);
    ++failures;
}

Bytes sorted_tags(std::mt19937_64& random, std::size_t count, std::size_t width, std::uint8_t mask) {
    Bytes tags(count * width), sorted(count * width);
    for (auto& byte : tags) byte = static_cast<std::uint8_t>(random()) & mask;
    std::vector<std::int64_t> order(count);
    UNSEEN_CHOOSE(sort_tags)(tags.data(), count, width, sorted.data(), order.data());
    for (std::size_t i = 0; i < count; ++i) {
        expect(std::memcmp(&sorted[i * width], &tags[static_cast<std::size_t>(order[i]) * width], width) == 0, "order");
        if (i > 0) {
            const int sign = std::memcmp(&sorted[(i - 1) * width], &sorted[i * width], width);
            expect(sign < 0 || (sign == 0 && order[i - 1] < order[i]), "not sorted");
        }
    }
    return sorted;
}

Bytes encode(const Bytes& tags, std::size_t count, std::size_t width) {
    Bytes code(tag_code_most(count, width));
    const std::size_t size = UNSEEN_CHOOSE(encode_tags)(tags.data(), count, width, code.data());
    expect(size <= code.size(), "code too long");
    code.resize(std::min(size, code.size()));
    code.shrink_to_fit();
    return code;
}

void fuzz(std::mt19937_64& random, const Bytes& code, std::size_t count, std::size_t width) {
    for (int round = 0; round < 300; ++round) {
        Bytes mutant = code;
        for (std::size_t edits = random() % 4; edits-- > 0 && !mutant.empty();) {
            const std::size_t place = random() % mutant.size();
            switch (random() % 4) {
                case 0: mutant[place] ^= static_cast<std::uint8_t>(1u << random() % 8); break;
                case 1: mutant[place] = static_cast<std::uint8_t>(random()); break;
                case 2: mutant.resize(place); break;
                default: mutant.insert(mutant.begin() + static_cast<std::ptrdiff_t>(place), static_cast<std::uint8_t>(random()));
            }
        }
        const std::size_t claimed = count + random() % 3 - (count > 0 ? 1 : 0);
        if (mutant.size() < tag_code_least(claimed, width) || mutant.size() > tag_code_most(claimed, width)) continue;
        mutant.shrink_to_fit();
        Bytes tags(claimed * width);
        if (UNSEEN_CHOOSE(decode_tags)(mutant.data(), mutant.size(), claimed, width, tags.data()) != nullptr) continue;
        expect(encode(tags, claimed, width) == mutant, "a second code of the same tags was taken");
    }
}

}  // namespace

int main() {
    for (const auto& name : instruction_sets()) {
        use(name);
        std::mt19937_64 random(7);
        for (std::size_t width = kTagLeast; width <= kTagMost; ++width)
            for (const std::size_t count : {0, 1, 2, 7, 64, 1500})
                for (const std::uint8_t mask : {0xFF, 0x01}) {
                    const Bytes a = sorted_tags(random, count, width, mask), b = sorted_tags(random, count / 2 + 1, width, mask);
                    const Bytes code = encode(a, count, width);
                    Bytes back(a.size());
                    expect(UNSEEN_CHOOSE(decode_tags)(code.data(), code.size(), count, width, back.data()) == nullptr && back == a,
                           "decodes to something else");
                    if (count < 100) fuzz(random, code, count, width);
                    const std::size_t room = std::min(count, count / 2 + 1) + 4;
                    std::vector<std::int64_t> left(room), right(room);
                    const std::size_t found = UNSEEN_CHOOSE(match_tags)(a.data(), count, b.data(), count / 2 + 1, width,
                                                                        left.data(), right.data());
                    for (std::size_t k = 0; k < found; ++k)
                        expect(std::memcmp(&a[static_cast<std::size_t>(left[k]) * width],
                                           &b[static_cast<std::size_t>(right[k]) * width], width) == 0, "no match");
                }
    }
    std::printf("tags: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
