// AES against FIPS 197, and every instruction set against the portable one.
#include <cstdio>
#include <cstring>
#include <vector>

#include "unseen/aes.hpp"

using namespace unseen;

int main() {
    int failures = 0;
    // FIPS 197 appendix C.1: the plaintext read as the counter.
    std::uint8_t key[16], expected[16] = {0x69, 0xC4, 0xE0, 0xD8, 0x6A, 0x7B, 0x04, 0x30,
                                          0xD8, 0xCD, 0xB7, 0x80, 0x70, 0xB4, 0xC5, 0x5A};
    for (int i = 0; i < 16; ++i) key[i] = static_cast<std::uint8_t>(i);
    std::vector<std::uint8_t> baseline;
    for (const auto& name : instruction_sets()) {
        use(name);
        std::uint8_t block[16];
        UNSEEN_CHOOSE(aes_ctr)(key, 0xFFEEDDCCBBAA9988, 0x7766554433221100, block, 1);
        if (std::memcmp(block, expected, 16) != 0) {
            std::printf("%s: not FIPS 197\n", name.c_str());
            ++failures;
        }
        std::vector<std::uint8_t> stream(16 * 203);
        UNSEEN_CHOOSE(aes_ctr)(key, 7, ~std::uint64_t{0} - 100, stream.data(), 203);
        if (baseline.empty()) baseline = stream;
        if (stream != baseline) {
            std::printf("%s: differs from portable\n", name.c_str());
            ++failures;
        }
    }
    std::printf("aes: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
