#include "unseen/aes.hpp"

#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {

void aes_ctr(const std::uint8_t* key, std::uint64_t stream, std::uint64_t first, std::uint8_t* out,
             std::size_t blocks) {
    constexpr std::size_t kAtOnce = 64;
    const AesKey schedule = expand(load(key));
    Block batch[kAtOnce];
    for (std::size_t done = 0; done < blocks; done += kAtOnce) {
        const std::size_t count = blocks - done < kAtOnce ? blocks - done : kAtOnce;
        for (std::size_t i = 0; i < count; ++i) batch[i] = make_block(first + done + i, stream);
        encrypt(schedule, batch, count);
        std::memcpy(out + 16 * done, batch, 16 * count);
    }
}

}  // namespace unseen::UNSEEN_ISA
