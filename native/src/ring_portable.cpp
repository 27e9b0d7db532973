#include "ring_block.hpp"
#include "unseen/ring.hpp"

namespace unseen {

void matmul_portable(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n, std::size_t k,
                     std::size_t m) {
    multiply<4, 4>(a, b, c, n, k, m);
}

}  // namespace unseen
