// Every instruction set spreads rows alike, and a scatter by the counts fills each place once.
#include <cstdio>
#include <random>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/partition.hpp"

using namespace unseen;

int main() {
    int failures = 0;
    for (const std::size_t blocks : {1, 2})
        for (const std::size_t count : {0, 1, 63, 64, 65, 1000})
            for (const int bits : {0, 1, 8}) {
                std::mt19937_64 random(count);
                std::vector<std::uint8_t> key(16, 5), rows(16 * blocks * count);
                for (auto& byte : rows) byte = static_cast<std::uint8_t>(random());
                std::vector<std::uint32_t> first;
                for (const auto& name : instruction_sets()) {
                    use(name);
                    std::vector<std::uint32_t> buckets(count);
                    std::vector<std::int64_t> counts(std::size_t{1} << bits), numbers(count, -1);
                    UNSEEN_CHOOSE(bucket_rows)
                    (key.data(), rows.data(), count, blocks, bits, buckets.data(), counts.data());
                    if (first.empty()) first = buckets;
                    std::int64_t sum = 0;
                    for (auto& c : counts) {
                        const std::int64_t here = c;
                        c = sum;
                        sum += here;
                    }
                    std::vector<std::uint8_t> out(rows.size());
                    UNSEEN_CHOOSE(scatter_rows)
                    (buckets.data(), rows.data(), nullptr, 0, count, blocks, counts.data(), out.data(), numbers.data());
                    bool right = first == buckets && sum == static_cast<std::int64_t>(count);
                    for (std::size_t i = 0; i < count; ++i)
                        for (std::size_t b = 0; b < 16 * blocks; ++b)
                            right = right && out[16 * blocks * i + b] == rows[16 * blocks * static_cast<std::size_t>(numbers[i]) + b];
                    if (!right) {
                        std::printf("%s: wrong at %zu rows of %zu blocks, %d bits\n", name.c_str(), count, blocks, bits);
                        ++failures;
                    }
                }
            }
    std::printf("partition: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
