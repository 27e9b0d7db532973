// SHA-256 of rows: a vector of FIPS 180-4, and every instruction set against the portable one.
#include <cstdio>
#include <cstring>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/rows.hpp"

using namespace unseen;

int main() {
    int failures = 0;
    // SHA-256("abc" || 00 00 00 00), by the definition of a row that is empty after the domain "abc".
    const std::uint8_t expected[32] = {0xcf, 0x2d, 0xb1, 0xac, 0x98, 0x67, 0xde, 0xbd, 0xf8, 0xce, 0x91,
                                       0xf9, 0x9f, 0x14, 0x1e, 0x55, 0x44, 0xbf, 0x26, 0xca, 0x36, 0xb3,
                                       0xfd, 0x4f, 0x8e, 0x40, 0x35, 0xee, 0xc4, 0x2c, 0xab, 0x0d};
    std::vector<std::uint8_t> baseline;
    for (const auto& name : instruction_sets()) {
        use(name);
        const std::int32_t none[2] = {0, 0};
        const RowColumn empty{nullptr, none, nullptr};
        std::uint8_t digest[32];
        UNSEEN_CHOOSE(digest_rows)(reinterpret_cast<const std::uint8_t*>("abc"), 3, &empty, 1, 1, digest);
        if (std::memcmp(digest, expected, 32) != 0) {
            std::printf("%s: not FIPS 180-4\n", name.c_str());
            ++failures;
        }
        // Rows of 0 to 600 bytes, each buffer exactly as long as needed so that reading over its end is found.
        constexpr int kRows = 601;
        std::vector<std::int64_t> offsets{0};
        for (int i = 0; i < kRows; ++i) offsets.push_back(offsets.back() + i);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(offsets.back()));
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 % 120 + 9);
        const RowColumn column{offsets.data(), nullptr, bytes.data()};
        std::vector<std::uint8_t> out(32 * kRows), trimmed(bytes.size());
        UNSEEN_CHOOSE(digest_rows)(nullptr, 0, &column, 1, kRows, out.data());
        std::vector<std::int64_t> ends(kRows + 1);
        UNSEEN_CHOOSE(trim_rows)(column, kRows, ends.data(), trimmed.data());
        out.insert(out.end(), trimmed.begin(), trimmed.begin() + ends.back());
        if (baseline.empty()) baseline = out;
        if (out != baseline) {
            std::printf("%s: differs from portable\n", name.c_str());
            ++failures;
        }
    }
    std::printf("rows: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
