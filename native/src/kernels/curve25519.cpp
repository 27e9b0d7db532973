#include "unseen/curve.hpp"

#include "curve/montgomery.hpp"
#include "curve/sha512.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kGroups = 64;  // groups of lanes that share one inversion

// Points of `produce(first)` for every group of rows, normalised and written as rows of 32 bytes.
template <typename Produce>
void write_points(std::uint8_t* out, std::size_t count, const Produce& produce) {
    XPoint points[kGroups];
    Fe space[2 * kGroups];
    Word words[kGroups][4];
    for (std::size_t first = 0; first < count; first += kGroups * kLanes) {
        std::size_t groups = 0;
        for (; groups < kGroups && first + groups * kLanes < count; ++groups)
            points[groups] = produce(first + groups * kLanes);
        normalise(points, space, groups, words);
        for (std::size_t group = 0; group < groups; ++group)
            store_group(words[group], out, first + group * kLanes, count);
    }
}

}  // namespace

void x25519(const std::uint8_t* scalars, std::size_t stride, const std::uint8_t* points, std::uint8_t* out,
            std::size_t count) {
    write_points(out, count, [&](std::size_t first) {
        alignas(64) std::uint8_t space[32 * kLanes];
        Word scalar[4], x[4];
        load_words(group_of(scalars, stride, first, count, space), stride, scalar);
        scalar[0] = scalar[0] & word(~std::uint64_t{7});
        scalar[3] = (scalar[3] & word(~std::uint64_t{0} >> 1)) | word(std::uint64_t{1} << 62);
        load_words(group_of(points, 32, first, count, space), 32, x);
        return ladder(scalar, from_words(x));
    });
}

void x_on_curve(const std::uint8_t* points, std::uint8_t* flags, std::size_t count) {
    for (std::size_t first = 0; first < count; first += kLanes) {
        alignas(64) std::uint8_t space[32 * kLanes];
        Word w[4], again[4];
        load_words(group_of(points, 32, first, count, space), 32, w);
        const Fe x = from_words(w);
        to_words(x, again);
        const Word changed = (w[0] ^ again[0]) | (w[1] ^ again[1]) | (w[2] ^ again[2]) | (w[3] ^ again[3]);
        store_mask(on_curve(x) & is_equal(changed, word(0)), flags, first, count);
    }
}

void hash_to_x(const std::uint8_t* messages, std::size_t size, Domain domain, std::uint8_t* out, std::size_t count) {
    constexpr std::size_t kUniform = 96, kBlocks = 2;
    Expander expander(size, domain.data, domain.size, kUniform);
    Bytes space(size * kLanes);
    write_points(out, count, [&](std::size_t first) {
        Word uniform[8 * kBlocks];
        expander.expand(group_of(messages, size, first, count, space.data()), uniform, kBlocks);
        return hash_to_point(uniform);
    });
}

void sha512(const std::uint8_t* head, std::size_t head_size, const std::uint8_t* messages, std::size_t size,
            std::uint8_t* out, std::size_t count) {
    ShaFrame frame(head, head_size, size, nullptr, 0, 0);
    Bytes space(size * kLanes);
    for (std::size_t first = 0; first < count; first += kLanes) {
        ShaState state = sha_start();
        frame.hash(state, group_of(messages, size, first, count, space.data()));
        alignas(64) std::uint8_t digests[kShaDigest * kLanes];
        for (int k = 0; k < 8; ++k) store_lanes(digests + 8 * k, kShaDigest, swap_bytes(state.h[k]));
        const std::size_t rows = count - first < kLanes ? count - first : kLanes;
        std::memcpy(out + kShaDigest * first, digests, kShaDigest * rows);
    }
}

void expand_message(const std::uint8_t* messages, std::size_t size, Domain domain, std::uint8_t* out,
                    std::size_t length, std::size_t count) {
    const std::size_t blocks = (length + kShaDigest - 1) / kShaDigest, whole = blocks * kShaDigest;
    Expander expander(size, domain.data, domain.size, length);
    Bytes space(size * kLanes), rows(whole * kLanes);
    constexpr std::size_t kMostBlocks = 255;
    Word words[8 * kMostBlocks];
    for (std::size_t first = 0; first < count; first += kLanes) {
        expander.expand(group_of(messages, size, first, count, space.data()), words, blocks);
        for (std::size_t k = 0; k < 8 * blocks; ++k) store_lanes(rows.data() + 8 * k, whole, swap_bytes(words[k]));
        for (std::size_t lane = 0; lane < kLanes && first + lane < count; ++lane)
            std::memcpy(out + (first + lane) * length, rows.data() + lane * whole, length);
    }
}

}  // namespace unseen::UNSEEN_ISA
