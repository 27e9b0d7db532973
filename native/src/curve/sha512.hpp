// SHA-512 (FIPS 180-4), one message per lane, and expand_message_xmd (RFC 9380 section 5.3.1) on top of it.
//
// All lanes hash messages of one length, which is public.
#pragma once

#include "curve/field.hpp"

namespace unseen::UNSEEN_ISA {

constexpr std::uint64_t kRoundConstants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};
constexpr std::uint64_t kInitialHash[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr std::size_t kShaBlock = 128, kShaDigest = 64;

struct ShaState {
    Word h[8];
};

inline ShaState sha_start() {
    ShaState s;
    for (int k = 0; k < 8; ++k) s.h[k] = word(kInitialHash[k]);
    return s;
}

// One block per lane, as sixteen big-endian words.
[[gnu::noinline]] inline void sha_block(ShaState& state, const Word* block) {
    Word w[16];
    for (int k = 0; k < 16; ++k) w[k] = block[k];
    Word a = state.h[0], b = state.h[1], c = state.h[2], d = state.h[3];
    Word e = state.h[4], f = state.h[5], g = state.h[6], h = state.h[7];
    for (int start = 0; start < 80; start += 16) {
#pragma GCC unroll 16
        for (int k = 0; k < 16; ++k) {
            if (start > 0) {
                const Word x = w[(k + 1) & 15], y = w[(k + 14) & 15];
                const Word s0 = rotate_right(x, 1) ^ rotate_right(x, 8) ^ shift_right(x, 7);
                const Word s1 = rotate_right(y, 19) ^ rotate_right(y, 61) ^ shift_right(y, 6);
                w[k] = w[k] + s0 + w[(k + 9) & 15] + s1;
            }
            const Word big1 = rotate_right(e, 14) ^ rotate_right(e, 18) ^ rotate_right(e, 41);
            const Word t1 = h + big1 + (g ^ (e & (f ^ g))) + word(kRoundConstants[start + k]) + w[k];
            const Word big0 = rotate_right(a, 28) ^ rotate_right(a, 34) ^ rotate_right(a, 39);
            const Word t2 = big0 + ((a & b) | (c & (a | b)));
            h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
        }
    }
    const Word out[8] = {a, b, c, d, e, f, g, h};
    for (int k = 0; k < 8; ++k) state.h[k] = state.h[k] + out[k];
}

// A buffer of its own per call: kernels use no standard containers (see CMakeLists.txt).
class Bytes {
  public:
    explicit Bytes(std::size_t size) : data_(new std::uint8_t[size + 1]()) {}
    ~Bytes() { delete[] data_; }
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    std::uint8_t* data() { return data_; }

  private:
    std::uint8_t* data_;
};

inline std::size_t sha_padded(std::size_t size) { return (size + 17 + kShaBlock - 1) / kShaBlock * kShaBlock; }

// What is the same for all messages of a batch: head | message | tail and the padding, of which `skipped` bytes in front
// were hashed before.
class ShaFrame {
  public:
    ShaFrame(const std::uint8_t* head, std::size_t head_size, std::size_t message_size, const std::uint8_t* tail,
             std::size_t tail_size, std::size_t skipped)
        : head_(head_size), message_(message_size), padded_(sha_padded(head_size + message_size + tail_size)),
          lanes_(kLanes * padded_) {
        const std::size_t size = head_size + message_size + tail_size;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            std::uint8_t* p = lanes_.data() + lane * padded_;
            if (head_size) std::memcpy(p, head, head_size);
            if (tail_size) std::memcpy(p + head_size + message_size, tail, tail_size);
            p[size] = 0x80;
            const std::uint64_t bits = 8 * (static_cast<std::uint64_t>(size) + skipped);
            for (int k = 0; k < 8; ++k) p[padded_ - 1 - k] = static_cast<std::uint8_t>(bits >> (8 * k));
        }
    }

    // Continue `state` over one message per lane.
    void hash(ShaState& state, const std::uint8_t* messages) {
        for (std::size_t lane = 0; lane < kLanes && message_; ++lane)
            std::memcpy(lanes_.data() + lane * padded_ + head_, messages + lane * message_, message_);
        for (std::size_t place = 0; place < padded_; place += kShaBlock) {
            Word block[16];
            for (int k = 0; k < 16; ++k)
                block[k] = swap_bytes(load_lanes(lanes_.data() + place + 8 * k, padded_));
            sha_block(state, block);
        }
    }

  private:
    std::size_t head_, message_, padded_;
    Bytes lanes_;
};

// expand_message_xmd for messages of one length, to `blocks` digests each.
class Expander {
  public:
    Expander(std::size_t message_size, const std::uint8_t* domain, std::size_t domain_size, std::size_t length)
        : frame_(nullptr, 0, message_size, tail(domain, domain_size, length), domain_size + 4, kShaBlock) {
        const Word zeros[16] = {word(0), word(0), word(0), word(0), word(0), word(0), word(0), word(0),
                                word(0), word(0), word(0), word(0), word(0), word(0), word(0), word(0)};
        padded_ = sha_start();
        sha_block(padded_, zeros);
        // a further block hashes 64 bytes that vary, the block's number, and the domain: words 8 and up are constant
        std::uint8_t rest[3 * kShaBlock] = {};
        const std::size_t size = kShaDigest + domain_size + 2;
        rest_blocks_ = sha_padded(size) / kShaBlock;
        std::memcpy(rest + kShaDigest + 1, domain, domain_size);
        rest[size - 1] = static_cast<std::uint8_t>(domain_size);
        rest[size] = 0x80;
        rest[rest_blocks_ * kShaBlock - 1] = static_cast<std::uint8_t>(8 * size);
        rest[rest_blocks_ * kShaBlock - 2] = static_cast<std::uint8_t>(8 * size >> 8);
        for (std::size_t k = 0; k < 16 * rest_blocks_; ++k) {
            rest_[k] = 0;
            for (int i = 0; i < 8; ++i) rest_[k] = rest_[k] << 8 | rest[8 * k + i];
        }
    }

    // 8 * blocks words per lane; blocks <= 255
    void expand(const std::uint8_t* messages, Word* out, std::size_t blocks) {
        ShaState first = padded_;
        frame_.hash(first, messages);
        Word mixed[8];
        for (int k = 0; k < 8; ++k) mixed[k] = first.h[k];
        for (std::size_t number = 1; number <= blocks; ++number) {
            ShaState state = sha_start();
            Word block[16];
            for (int k = 0; k < 8; ++k) block[k] = mixed[k];
            for (std::size_t b = 0; b < rest_blocks_; ++b) {
                for (int k = b == 0 ? 8 : 0; k < 16; ++k) block[k] = word(rest_[16 * b + k]);
                if (b == 0) block[8] = block[8] | word(static_cast<std::uint64_t>(number) << 56);
                sha_block(state, block);
            }
            for (int k = 0; k < 8; ++k) {
                out[8 * (number - 1) + k] = state.h[k];
                mixed[k] = first.h[k] ^ state.h[k];
            }
        }
    }

  private:
    // l_i_b_str | 0 | DST | its length; valid until the next call
    const std::uint8_t* tail(const std::uint8_t* domain, std::size_t size, std::size_t length) {
        tail_[0] = static_cast<std::uint8_t>(length >> 8);
        tail_[1] = static_cast<std::uint8_t>(length);
        tail_[2] = 0;
        std::memcpy(tail_ + 3, domain, size);
        tail_[3 + size] = static_cast<std::uint8_t>(size);
        return tail_;
    }

    std::uint8_t tail_[260];
    ShaFrame frame_;
    ShaState padded_;
    std::uint64_t rest_[48];
    std::size_t rest_blocks_;
};

}  // namespace unseen::UNSEEN_ISA
