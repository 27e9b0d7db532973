// Every instruction set makes the same table, and each key lies in one of its places.
#include <cstdio>
#include <random>
#include <vector>

#include "unseen/cuckoo.hpp"
#include "unseen/isa_names.hpp"

using namespace unseen;

int main() {
    int failures = 0;
    for (const std::size_t count : {0, 1, 63, 64, 65, 5000}) {
        const std::size_t bins = count * 131 / 100 + 105;
        std::mt19937_64 random(count);
        std::vector<std::uint8_t> seed(16, 5), keys(16 * count);
        for (auto& byte : keys) byte = static_cast<std::uint8_t>(random());
        std::vector<std::int64_t> first;
        for (const auto& name : instruction_sets()) {
            use(name);
            std::vector<std::uint32_t> places(3 * count), scratch(5 * bins);
            std::vector<std::int64_t> table(bins);
            UNSEEN_CHOOSE(cuckoo_places)(seed.data(), keys.data(), count, bins, places.data());
            bool right = UNSEEN_CHOOSE(cuckoo_fill)(places.data(), count, bins, table.data(), scratch.data());
            if (first.empty()) first = table;
            std::size_t met = 0;
            for (std::size_t b = 0; b < bins; ++b)
                if (table[b] >= 0) {
                    right = right && places[static_cast<std::size_t>(table[b])] == b;
                    ++met;
                }
            if (!right || met != count || table != first) {
                std::printf("%s: wrong at %zu keys\n", name.c_str(), count);
                ++failures;
            }
        }
    }
    std::printf("cuckoo: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
