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

inline void store_big(std::uint8_t* p, std::uint64_t x) {
    x = to_big(x);
    std::memcpy(p, &x, 8);
}

// A tag as a number, and back: two loads or stores, of its first and of its last bytes, which overlap. `Short` is for less
// than 8 bytes.
template <bool Short>
inline Number load_tag(const std::uint8_t* p, std::size_t width) {
    if constexpr (Short)
        return load_big_half(p) >> (64 - 8 * width) << 32 | load_big_half(p + width - 4);
    else {
        const std::uint64_t first = width == 8 ? 0 : load_big(p) >> (128 - 8 * width);
        return static_cast<Number>(first) << 64 | load_big(p + width - 8);
    }
}

template <bool Short>
inline void store_tag(std::uint8_t* p, std::size_t width, Number tag) {
    const auto low = static_cast<std::uint64_t>(tag);
    if constexpr (Short) {
        for (std::size_t i = 0; i < width; ++i) p[i] = static_cast<std::uint8_t>(low >> (8 * (width - 1 - i)));
    } else {
        if (width > 8)  // the upper bytes, then whatever: the rest is overwritten
            store_big(p, static_cast<std::uint64_t>(tag >> 64) << (128 - 8 * width) |
                             (width == 16 ? 0 : low >> (8 * width - 64)));
        store_big(p + width - 8, low);
    }
}

}  // namespace unseen::UNSEEN_ISA
