// Orders are orders, alike on every instruction set, and words that would make one likelier are replaced.
#include "unseen/shuffle.hpp"

#include <cstdio>
#include <random>
#include <vector>

using namespace unseen;

int main() {
    int failures = 0;
    std::mt19937_64 random_words(1);
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
        std::vector<std::uint64_t> words(count + 4);
        for (auto& word : words) word = random_words();
        if (count > 2) words[2] = 0;  // 0 is below 2^64 mod 3 = 1
        std::vector<std::int64_t> order(count), same(count);
        if (!UNSEEN_CHOOSE(shuffle_order)(words.data(), words.size(), count, order.data())) ++failures;
        if (!portable::shuffle_order(words.data(), words.size(), count, same.data()) || order != same) ++failures;
        std::vector<bool> seen(count, false);
        for (const auto row : order) seen[static_cast<std::size_t>(row)] = true;
        for (std::size_t j = 0; j < count; ++j) failures += !seen[j];
        if (count > 2 && UNSEEN_CHOOSE(shuffle_order)(words.data(), count, count, order.data())) ++failures;
    }
    if (failures) std::printf("%d failures\n", failures);
    return failures != 0;
}
