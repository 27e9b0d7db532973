// Codes: linear, and the same on every instruction set.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/lpn.hpp"

using namespace unseen;

int main() {
    int failures = 0;
    std::vector<std::uint8_t> baseline;
    for (const auto& name : instruction_sets()) {
        use(name);
        std::mt19937_64 random(1);
        std::vector<std::uint8_t> everything;
        for (unsigned bits : {6u, 7u})
            for (unsigned width = 1; width <= 3; ++width)
                for (bool gf96 : {false, true}) {
                    const DualShape shape{4, bits, width, gf96};
                    const std::size_t rows = shape.chunks << bits, bytes = 16 * rows * width, count = rows / 2 - 5;
                    auto* in = static_cast<std::uint8_t*>(std::aligned_alloc(64, 3 * bytes));
                    std::uint8_t* scratch = in + bytes;
                    std::uint8_t key[16];
                    for (auto& byte : key) byte = static_cast<std::uint8_t>(random());
                    std::vector<std::uint8_t> one(bytes), other(bytes), out[3];
                    for (int which = 0; which < 3; ++which) {
                        for (std::size_t i = 0; i < bytes; ++i) {
                            if (which == 0) one[i] = i % 16 < 12 ? static_cast<std::uint8_t>(random()) : 0;
                            if (which == 1) other[i] = i % 16 < 12 ? static_cast<std::uint8_t>(random()) : 0;
                            in[i] = which == 0 ? one[i] : which == 1 ? other[i] : one[i] ^ other[i];
                        }
                        out[which].resize(16 * count * width);
                        UNSEEN_CHOOSE(lpn_dual)(shape, key, in, scratch, count, out[which].data());
                    }
                    for (std::size_t i = 0; i < out[0].size(); ++i)
                        if ((out[0][i] ^ out[1][i]) != out[2][i]) ++failures;
                    everything.insert(everything.end(), out[0].begin(), out[0].end());
                    std::free(in);
                }
        std::vector<std::uint8_t> table(16 << 9), rows(16 * 203), marks(203);
        for (auto& byte : table) byte = static_cast<std::uint8_t>(random());
        for (auto& byte : rows) byte = static_cast<std::uint8_t>(random());
        UNSEEN_CHOOSE(lpn_primal)({203, 9, 64}, table.data(), table.data(), rows.data(), rows.data(), marks.data());
        everything.insert(everything.end(), rows.begin(), rows.end());
        if (baseline.empty()) baseline = everything;
        if (everything != baseline) {
            std::printf("%s: differs from portable\n", name.c_str());
            ++failures;
        }
    }
    std::printf("lpn: %s\n", failures == 0 ? "done" : "failed");
    return failures != 0;
}
