// Two keys add up to [x < threshold] at every point of a small domain and around thresholds of a large one, alike on every
// instruction set.
#include "unseen/dcf.hpp"

#include <cstdio>
#include <random>
#include <vector>

using namespace unseen;

int main() {
    int failures = 0;
    std::mt19937_64 random_words(1);
    for (const unsigned bits : {1U, 6U, 7U, 8U, 10U, 63U, 64U}) {
        const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
        const DcfShape shape{37, bits};
        std::vector<std::uint8_t> roots(2 * shape.keys * 16);
        for (auto& byte : roots) byte = static_cast<std::uint8_t>(random_words());
        std::vector<std::uint64_t> thresholds(shape.keys);
        for (auto& threshold : thresholds) threshold = random_words() & mask;
        thresholds[0] = 0;
        thresholds[1] = mask;
        const std::size_t rows = bits <= 10 ? mask + 1 : 6;
        std::vector<std::uint64_t> points(rows * shape.keys);
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t i = 0; i < shape.keys; ++i)
                points[row * shape.keys + i] = bits <= 10 ? row : (row < 5 ? thresholds[i] + row - 2 : random_words()) & mask;
        std::vector<std::uint8_t> words(shape.keys * (shape.levels() + 1) * 16), same(words.size());
        UNSEEN_CHOOSE(dcf_generate)(shape, roots.data(), thresholds.data(), words.data());
        portable::dcf_generate(shape, roots.data(), thresholds.data(), same.data());
        failures += words != same;
        std::vector<std::uint8_t> first(points.size()), second(points.size());
        UNSEEN_CHOOSE(dcf_evaluate)(shape, false, roots.data(), words.data(), points.data(), rows, first.data());
        UNSEEN_CHOOSE(dcf_evaluate)
        (shape, true, roots.data() + 16 * shape.keys, words.data(), points.data(), rows, second.data());
        for (std::size_t i = 0; i < points.size(); ++i)
            failures += (first[i] ^ second[i]) != (points[i] < thresholds[i % shape.keys]);
    }
    if (failures) std::printf("%d failures\n", failures);
    return failures != 0;
}
