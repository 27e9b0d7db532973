// Fisher and Yates' shuffle with Lemire's rejection: no order is likelier than another.
//
// The order is a secret of those who draw it; where memory is read depends on it.
#include "unseen/shuffle.hpp"

#include <utility>

namespace unseen::UNSEEN_ISA {
namespace {

__extension__ typedef unsigned __int128 Product;

}  // namespace

bool shuffle_order(const std::uint64_t* words, std::size_t given, std::size_t count, std::int64_t* order) {
    for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::int64_t>(i);
    std::size_t spare = count;
    for (std::size_t i = count; i-- > 1;) {
        const std::uint64_t bound = i + 1;
        Product product = static_cast<Product>(words[i]) * bound;
        if (static_cast<std::uint64_t>(product) < bound) {  // rare: only then is the remainder worth its division
            const std::uint64_t least = (0 - bound) % bound;
            while (static_cast<std::uint64_t>(product) < least) {
                if (spare == given) return false;
                product = static_cast<Product>(words[spare++]) * bound;
            }
        }
        std::swap(order[i], order[static_cast<std::size_t>(product >> 64)]);
    }
    return true;
}

}  // namespace unseen::UNSEEN_ISA
