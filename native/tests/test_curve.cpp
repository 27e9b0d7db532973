// curve25519 and ristretto255: published values, and every instruction set against the portable one. Buffers are exactly
// as long as the kernels may touch, so that the sanitizers see a byte too many.
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "unseen/curve.hpp"
#include "unseen/isa_names.hpp"

using namespace unseen;
using Bytes = std::vector<std::uint8_t>;

namespace {

int failures = 0;

Bytes hex(const char* text) {
    Bytes out;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (; *text != 0; text += 2) out.push_back(static_cast<std::uint8_t>(digit(text[0]) * 16 + digit(text[1])));
    return out;
}

void require(bool holds, const std::string& isa, const char* what) {
    if (holds) return;
    std::printf("%s: %s\n", isa.c_str(), what);
    ++failures;
}

Domain domain(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

void published(const std::string& isa) {
    Bytes out(32);
    // RFC 7748 section 5.2
    UNSEEN_CHOOSE(x25519)(hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4").data(), 32,
                          hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c").data(), out.data(), 1);
    require(out == hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"), isa, "x25519");
    // RFC 9380 appendix J.4.1, message "abc"
    UNSEEN_CHOOSE(hash_to_x)(hex("616263").data(), 3, domain("QUUX-V01-CS02-with-curve25519_XMD:SHA-512_ELL2_RO_"),
                             out.data(), 1);
    require(out == hex("6d52bc6a6b822e43de0bd75d91600a7bcc72ca0a2b69de72588fd4f2f119442b"), isa, "hash_to_x");
    // RFC 9496 appendix A.1: three times the generator
    Bytes three(32);
    three[0] = 3;
    UNSEEN_CHOOSE(ristretto_multiply_base)(three.data(), out.data(), 1);
    require(out == hex("94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259"), isa, "base");
}

// Everything there is, on `count` rows; what comes out, one after another.
Bytes everything(std::size_t count, std::mt19937_64& random) {
    const auto rows = [&](std::size_t width) {
        Bytes out(count * width);
        for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
        return out;
    };
    Bytes all;
    const auto keep = [&](const Bytes& more) { all.insert(all.end(), more.begin(), more.end()); };
    const Bytes scalars = rows(32), points = rows(32), uniform = rows(64), messages = rows(45);
    Bytes one = scalars;
    one.resize(32);
    const std::string tag = "unseen-test";
    Bytes out(32 * count), other(32 * count), flags(count), digests(64 * count), expanded(70 * count);
    UNSEEN_CHOOSE(x25519)(scalars.data(), 32, points.data(), out.data(), count), keep(out);
    UNSEEN_CHOOSE(x25519)(one.data(), 0, points.data(), out.data(), count), keep(out);
    UNSEEN_CHOOSE(hash_to_x)(messages.data(), 45, domain(tag), out.data(), count), keep(out);
    UNSEEN_CHOOSE(x_on_curve)(out.data(), flags.data(), count), keep(flags);
    UNSEEN_CHOOSE(sha512)(one.data(), 20, messages.data(), 45, digests.data(), count), keep(digests);
    UNSEEN_CHOOSE(expand_message)(messages.data(), 45, domain(tag), expanded.data(), 70, count), keep(expanded);
    UNSEEN_CHOOSE(ristretto_map)(uniform.data(), out.data(), count), keep(out);
    UNSEEN_CHOOSE(ristretto_multiply)(scalars.data(), 32, out.data(), other.data(), flags.data(), count);
    keep(other), keep(flags);
    UNSEEN_CHOOSE(ristretto_multiply)(one.data(), 0, out.data(), other.data(), flags.data(), count), keep(other);
    UNSEEN_CHOOSE(ristretto_add)(out.data(), other.data(), true, out.data(), flags.data(), count);
    keep(out), keep(flags);
    UNSEEN_CHOOSE(ristretto_sum)(scalars.data(), other.data(), one.data(), flags.data(), count), keep(one), keep(flags);
    UNSEEN_CHOOSE(ristretto_valid)(points.data(), flags.data(), count), keep(flags);
    return all;
}

}  // namespace

int main() {
    Bytes expected;
    for (const auto& isa : instruction_sets()) {
        use(isa);
        published(isa);
        std::mt19937_64 random(1);
        Bytes all;
        for (const std::size_t count : {0, 1, 7, 8, 9, 31, 530}) {
            const Bytes more = everything(count, random);
            all.insert(all.end(), more.begin(), more.end());
        }
        if (expected.empty()) expected = all;
        require(all == expected, isa, "differs from portable");
    }
    std::printf("curve: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
