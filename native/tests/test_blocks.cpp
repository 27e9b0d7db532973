// AES against FIPS 197, and every instruction set against the portable one.
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "unseen/blocks.hpp"
#include "unseen/isa_names.hpp"

using namespace unseen;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes noise(std::size_t size) {
    Bytes out(size);
    std::uint32_t state = 12345;
    for (auto& byte : out) byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    return out;
}

// What every kernel makes of the same input, one after another.
Bytes everything() {
    constexpr std::size_t kBlocks = 203;
    const Bytes a = noise(128 * kBlocks), b = noise(16 * kBlocks + 1), key = noise(16);
    Bytes out(16 * (9 * kBlocks + 2) + 2 * a.size() + 3 * 640);
    std::uint8_t* to = out.data();
    const auto next = [&](std::size_t bytes) { return std::exchange(to, to + bytes); };
    UNSEEN_CHOOSE(aes_ctr)(key.data(), 7, ~std::uint64_t{0} - 100, next(16 * kBlocks), kBlocks);
    UNSEEN_CHOOSE(hash)(a.data(), next(16 * kBlocks), kBlocks);
    UNSEEN_CHOOSE(hash_tweaked)(a.data(), 5, next(16 * kBlocks), kBlocks);
    for (const bool tweaked : {false, true})
        UNSEEN_CHOOSE(hash_both)(a.data(), key.data(), tweaked, 5, next(32 * kBlocks), kBlocks);
    UNSEEN_CHOOSE(hash_rekeyed)(a.data(), key.data(), 9, 8, next(16 * kBlocks), kBlocks);
    UNSEEN_CHOOSE(gf_multiply)(a.data(), b.data() + 1, false, next(16 * kBlocks), kBlocks);
    UNSEEN_CHOOSE(gf_inner)(a.data(), b.data() + 1, next(16), kBlocks);
    UNSEEN_CHOOSE(gf_combine)(key.data(), 3, a.data(), next(16), kBlocks);
    UNSEEN_CHOOSE(transpose)(a.data(), 128, 8 * kBlocks, next(a.size()));
    UNSEEN_CHOOSE(transpose)(a.data(), 8 * kBlocks, 128, next(a.size()));
    UNSEEN_CHOOSE(transpose)(a.data(), 40, 128, next(640));
    UNSEEN_CHOOSE(transpose)(a.data() + 1, 16, 320, next(640));
    UNSEEN_CHOOSE(transpose)(a.data(), 320, 16, next(640));
    return out;
}

}  // namespace

int main() {
    int failures = 0;
    const auto complain = [&](const std::string& name, const char* what) {
        std::printf("%s: %s\n", name.c_str(), what);
        ++failures;
    };
    // FIPS 197 appendix C.1: the plaintext read as the counter.
    std::uint8_t key[16], expected[16] = {0x69, 0xC4, 0xE0, 0xD8, 0x6A, 0x7B, 0x04, 0x30,
                                          0xD8, 0xCD, 0xB7, 0x80, 0x70, 0xB4, 0xC5, 0x5A};
    for (int i = 0; i < 16; ++i) key[i] = static_cast<std::uint8_t>(i);
    Bytes baseline;
    for (const auto& name : instruction_sets()) {
        use(name);
        std::uint8_t block[16];
        UNSEEN_CHOOSE(aes_ctr)(key, 0xFFEEDDCCBBAA9988, 0x7766554433221100, block, 1);
        if (std::memcmp(block, expected, 16) != 0) complain(name, "not FIPS 197");
        const Bytes made = everything();
        if (baseline.empty()) baseline = made;
        if (made != baseline) complain(name, "differs from portable");
    }
    std::printf("blocks: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
