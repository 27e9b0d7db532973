// Radix sort from the highest bits: one pass spreads the tags over buckets of about a thousand, each of which is then
// sorted in the first-level cache. Tags are hashes, so buckets are even; others are sorted too, with more passes.
#include "scratch.hpp"
#include "tags_number.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

// A tag in the upper bits and where it came from, in one number if they fit.
struct Narrow {
    static constexpr std::size_t kBytes = 12;
    Number key;

    static Narrow make(Number tag, std::uint32_t row) { return {tag | row}; }
    Number tag() const { return key >> 32 << 32; }
    std::uint32_t row() const { return static_cast<std::uint32_t>(key); }
    bool before(const Narrow& other) const { return key < other.key; }
};

struct Broad {
    static constexpr std::size_t kBytes = 16;
    Number key;
    std::uint32_t from;

    static Broad make(Number tag, std::uint32_t row) { return {tag, row}; }
    Number tag() const { return key; }
    std::uint32_t row() const { return from; }
    bool before(const Broad& other) const { return key != other.key ? key < other.key : from < other.from; }
};

constexpr int kMostBits = 10;
constexpr std::size_t kFew = 24;

template <typename Item>
void insert(Item* items, std::size_t count) {
    for (std::size_t i = 1; i < count; ++i) {
        const Item item = items[i];
        std::size_t j = i;
        for (; j > 0 && item.before(items[j - 1]); --j) items[j] = items[j - 1];
        items[j] = item;
    }
}

// By the bits from `used` on, down to the tag's last one; what is equal beyond is in the order of rows already.
template <typename Item>
void sort(Item* items, Item* spare, std::size_t count, int used) {
    if (count <= kFew || used >= 128) {  // (all bits used: nothing differs)
        if (used < 128) insert(items, count);
        return;
    }
    int bits = 4;  // about one item a digit
    while (bits < kMostBits && count >> bits > 1) ++bits;
    const int shift = 128 - used - bits > 0 ? 128 - used - bits : 0;
    const std::size_t digits = std::size_t{1} << bits;
    const auto digit = [&](const Item& item) { return static_cast<std::size_t>(item.key >> shift) & (digits - 1); };
    std::uint32_t ends[(std::size_t{1} << kMostBits) + 1];
    std::memset(ends, 0, (digits + 1) * sizeof(std::uint32_t));
    for (std::size_t i = 0; i < count; ++i) ++ends[1 + digit(items[i])];
    for (std::size_t d = 1; d <= digits; ++d) ends[d] += ends[d - 1];
    for (std::size_t i = 0; i < count; ++i) spare[ends[digit(items[i])]++] = items[i];
    std::memcpy(items, spare, count * sizeof(Item));
    std::size_t begin = 0;
    for (std::size_t d = 0; d < digits; ++d) {
        if (ends[d] - begin > kFew) sort(items + begin, spare, ends[d] - begin, used + bits);
        begin = ends[d];
    }
    insert(items, count);  // small ones in one go: nothing moves further than within its own
}

template <typename Item, bool Short>
void sort_all(const std::uint8_t* tags, std::size_t count, std::size_t width, std::uint8_t* out, std::int64_t* order) {
    const int spare_bits = static_cast<int>(128 - 8 * width);
    int bits = 0;  // of the first pass
    while (bits < 11 && count >> (bits + 10) > 0) ++bits;
    const std::size_t buckets = std::size_t{1} << bits;
    const auto bucket = [&](std::size_t i) -> std::size_t {
        const std::uint8_t* p = tags + i * width;
        return (static_cast<std::size_t>(p[0]) << 8 | p[1]) >> (16 - bits);
    };
    Scratch<std::size_t> ends(buckets + 1);
    std::memset(ends.data(), 0, (buckets + 1) * sizeof(std::size_t));
    for (std::size_t i = 0; i < count; ++i) ++ends[bucket(i) + 1];
    std::size_t most = 0;
    for (std::size_t b = 1; b <= buckets; ++b) {
        if (ends[b] > most) most = ends[b];
        ends[b] += ends[b - 1];
    }
    Scratch<Item> items(count), spare(most);
    for (std::size_t i = 0; i < count; ++i)
        items[ends[bucket(i)]++] =
            Item::make(load_tag<Short>(tags + i * width, width) << spare_bits, static_cast<std::uint32_t>(i));
    std::size_t begin = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
        const std::size_t end = ends[b];
        sort(items.data() + begin, spare.data(), end - begin, bits);
        for (; begin < end; ++begin) {
            store_tag<Short>(out + begin * width, width, items[begin].tag() >> spare_bits);
            order[begin] = items[begin].row();
        }
    }
}

}  // namespace

void sort_tags(const std::uint8_t* tags, std::size_t count, std::size_t width, std::uint8_t* out, std::int64_t* order) {
    if (width < 8) return sort_all<Narrow, true>(tags, count, width, out, order);
    if (width <= Narrow::kBytes) return sort_all<Narrow, false>(tags, count, width, out, order);
    sort_all<Broad, false>(tags, count, width, out, order);
}

}  // namespace unseen::UNSEEN_ISA
