// Tags as numbers.
#pragma once

#include <cstring>

#include "simd/target.hpp"
#include "unseen/tags.hpp"

namespace unseen::UNSEEN_ISA {

__extension__ typedef unsigned __int128 Number;

inline std::uint64_t to_big(std::uint64_t x) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(x);
#else
    return x;
#endif
}

inline std::uint64_t load_big(const std::uint8_t* p) {
    std::uint64_t x;
    std::memcpy(&x, p, 8);
    return to_big(x);
}

inline std::uint64_t load_big_half(const std::uint8_t* p) {
    return static_cast<std::uint64_t>(p[0]) << 24 | static_cast<std::uint64_t>(p[1]) << 16 |
           static_cast<std::uint64_t>(p[2]) << 8 | p[3];
}

// A list of tags, read and written without touching what lies beyond its end.
template <typename Byte>
struct TagList {
    Byte* bytes;
    std::size_t count, width;

    // The tag in the upper bits.
    Number aligned(std::size_t i) const {
        const Byte* p = bytes + i * width;
        std::uint8_t end[16] = {};
        const std::uint8_t* from = p;
        if (i * width + 16 > count * width) {
            std::memcpy(end, p, width);
            from = end;
        }
        const Number both = static_cast<Number>(load_big(from)) << 64 | load_big(from + 8);
        return both >> spare() << spare();
    }

    // Aligned alike; tags are written from the first to the last, for the bytes after each are spoilt.
    void put(std::size_t i, Number aligned) const {
        const std::uint64_t words[2] = {to_big(static_cast<std::uint64_t>(aligned >> 64)),
                                        to_big(static_cast<std::uint64_t>(aligned))};
        std::memcpy(bytes + i * width, words, i * width + 16 > count * width ? width : 16);
    }

    int spare() const { return static_cast<int>(128 - 8 * width); }
};

}  // namespace unseen::UNSEEN_ISA
