// Pads and products of replicated shares: the pad is made in the first-level cache and used at once.
#include "unseen/shares.hpp"

#include "kernels/pads.hpp"

namespace unseen::UNSEEN_ISA {
void pad(const std::uint8_t* key, std::uint64_t use, std::uint64_t* out, std::size_t n) {
    Pad stream(key, use);
    alignas(64) std::uint64_t words[kWords];
    std::size_t done = 0;
    for (; done + kWords <= n; done += kWords) stream.next(out + done);
    if (done < n) {
        stream.next(words);
        for (std::size_t i = 0; done + i < n; ++i) out[done + i] = words[i];
    }
}

void multiply_shares(const std::uint64_t* x0, const std::uint64_t* x1, const std::uint64_t* y0,
                     const std::uint64_t* y1, const std::uint8_t* mine, const std::uint8_t* theirs, std::uint64_t use,
                     std::uint64_t* out, std::size_t n) {
    Pad plus(mine, use), minus(theirs, use);
    alignas(64) std::uint64_t a[kWords], b[kWords];
    for (std::size_t done = 0; done < n; done += kWords) {
        plus.next(a);
        minus.next(b);
        const std::size_t count = smaller(kWords, n - done);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t j = done + i;
            out[j] = x0[j] * (y0[j] + y1[j]) + x1[j] * y0[j] + (a[i] - b[i]);
        }
    }
}

void conjoin_shares(const std::uint64_t* x0, const std::uint64_t* x1, const std::uint64_t* y0,
                    const std::uint64_t* y1, const std::uint8_t* mine, const std::uint8_t* theirs, std::uint64_t use,
                    std::uint64_t* out, std::size_t n) {
    Pad plus(mine, use), minus(theirs, use);
    alignas(64) std::uint64_t a[kWords], b[kWords];
    for (std::size_t done = 0; done < n; done += kWords) {
        plus.next(a);
        minus.next(b);
        const std::size_t count = smaller(kWords, n - done);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t j = done + i;
            out[j] = (x0[j] & (y0[j] ^ y1[j])) ^ (x1[j] & y0[j]) ^ a[i] ^ b[i];
        }
    }
}

}  // namespace unseen::UNSEEN_ISA
