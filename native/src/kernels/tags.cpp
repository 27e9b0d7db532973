// Coding and matching of sorted tags; sorting is in tags_sort.cpp.
#include "tags_number.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kFailed = ~std::size_t{0};

std::uint64_t load_little(const std::uint8_t* p, std::size_t bytes) {
    std::uint64_t x = 0;
    for (std::size_t i = 0; i < bytes; ++i) x |= static_cast<std::uint64_t>(p[i]) << (8 * i);
    return x;
}

// Packs numbers of up to 120 bits one after another, writing nothing from `end` on.
class LowBits {
  public:
    LowBits(std::uint8_t* out, std::uint8_t* end, std::size_t bits) : out_(out), end_(end), bits_(bits) {}

    void put(Number value) {
        const Number joined = value << filled_ | carry_;
        std::uint64_t words[2];
        for (int half = 0; half < 2; ++half)
            words[half] = to_big(__builtin_bswap64(static_cast<std::uint64_t>(joined >> (64 * half))));
        if (end_ - out_ >= 16)
            std::memcpy(out_, words, 16);
        else
            std::memcpy(out_, words, static_cast<std::size_t>(end_ - out_));
        const std::size_t total = filled_ + bits_;
        out_ += total / 8;
        filled_ = total % 8;
        carry_ = filled_ == 0 ? 0 : static_cast<std::uint64_t>(joined >> (total - filled_));
    }

  private:
    std::uint8_t *out_, *end_;
    std::size_t bits_, filled_ = 0;
    std::uint64_t carry_ = 0;
};

// A number in unary after another: `value` zeros, then a one.
class Unary {
  public:
    explicit Unary(std::uint8_t* out) : out_(out) {}

    void put(std::size_t value) {
        place_ += value;
        while (place_ - flushed_ >= 64) flush();
        word_ |= std::uint64_t{1} << (place_ - flushed_);
        ++place_;
    }

    std::size_t finish() {  // how many bytes
        const std::size_t bytes = (place_ - flushed_ + 7) / 8;
        for (std::size_t i = 0; i < bytes; ++i) *out_++ = static_cast<std::uint8_t>(word_ >> (8 * i));
        return flushed_ / 8 + bytes;
    }

  private:
    void flush() {
        const std::uint64_t word = to_big(__builtin_bswap64(word_));
        std::memcpy(out_, &word, 8);
        out_ += 8;
        flushed_ += 64;
        word_ = 0;
    }

    std::uint8_t* out_;
    std::uint64_t word_ = 0;
    std::size_t place_ = 0, flushed_ = 0;
};

// The same backwards; reads nothing beyond `end`.
Number low_bits(const std::uint8_t* code, const std::uint8_t* end, std::size_t place, std::size_t bits) {
    const std::uint8_t* p = code + place / 8;
    std::uint8_t last[16] = {};
    if (end - p < 16) {
        std::memcpy(last, p, static_cast<std::size_t>(end - p));
        p = last;
    }
    std::uint64_t words[2];
    std::memcpy(words, p, 16);
    for (std::uint64_t& word : words) word = to_big(__builtin_bswap64(word));  // little-endian on every machine
    const Number both = static_cast<Number>(words[1]) << 64 | words[0];
    return both >> (place % 8) & ((static_cast<Number>(1) << bits) - 1);
}

}  // namespace

namespace {

template <bool Short>
std::size_t encode(const std::uint8_t* tags, std::size_t count, std::size_t width, std::uint8_t* out) {
    const std::size_t bits = tag_low_bits(count, width), low = tag_low_bytes(count, width);
    const Number mask = (static_cast<Number>(1) << bits) - 1;
    LowBits packed(out, out + low, bits);
    Unary unary(out + low);
    Number before = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Number tag = load_tag<Short>(tags + i * width, width);
        if (tag < before) return kFailed;
        packed.put((tag - before) & mask);
        unary.put(static_cast<std::size_t>((tag - before) >> bits));
        before = tag;
    }
    return low + unary.finish();
}

template <bool Short>
const char* decode(const std::uint8_t* code, std::size_t size, std::size_t count, std::size_t width, std::uint8_t* out) {
    const std::size_t bits = tag_low_bits(count, width), low = tag_low_bytes(count, width);
    const std::size_t most = tag_quotients(count, width) - 1;  // the quotient of the largest difference there can be
    if (const std::size_t used = count * bits % 8; used != 0 && code[low - 1] >> used != 0) return "padding is not zero";
    const std::uint8_t* unary = code + low;
    const std::size_t unary_size = size - low;
    Number tag = 0;
    std::size_t i = 0, next = 0;  // the number of the tag, and the place after the last one-bit
    for (std::size_t byte = 0; byte < unary_size; byte += 8) {
        const std::size_t here = unary_size - byte < 8 ? unary_size - byte : 8;
        for (std::uint64_t word = load_little(unary + byte, here); word != 0; word &= word - 1) {
            if (i == count) return "more tags than agreed";
            const std::size_t place = 8 * byte + static_cast<std::size_t>(__builtin_ctzll(word));
            const std::size_t quotient = place - next;
            if (quotient > most) return "a tag is too large";
            next = place + 1;
            const Number step = static_cast<Number>(quotient) << bits | low_bits(code, code + low, i * bits, bits);
            const Number sum = tag + step;
            if (sum < tag || (width < kTagMost && sum >> (8 * width) != 0)) return "a tag is too large";
            tag = sum;
            store_tag<Short>(out + width * i++, width, tag);
        }
    }
    if (i < count) return "fewer tags than agreed";
    return (next + 7) / 8 == unary_size ? nullptr : "bytes are left over";
}

}  // namespace

std::size_t encode_tags(const std::uint8_t* tags, std::size_t count, std::size_t width, std::uint8_t* out) {
    if (count == 0) return 0;
    return width < 8 ? encode<true>(tags, count, width, out) : encode<false>(tags, count, width, out);
}

const char* decode_tags(const std::uint8_t* code, std::size_t size, std::size_t count, std::size_t width,
                        std::uint8_t* out) {
    if (count == 0) return size == 0 ? nullptr : "bytes are left over";
    return width < 8 ? decode<true>(code, size, count, width, out) : decode<false>(code, size, count, width, out);
}

namespace {

// Two words that compare as the tag does: its first bytes and its last, overlapping.
template <bool Short>
Number comparable(const std::uint8_t* p, std::size_t width) {
    if constexpr (Short) return static_cast<Number>(load_big_half(p)) << 32 | load_big_half(p + width - 4);
    return static_cast<Number>(load_big(p)) << 64 | load_big(p + width - 8);
}

template <bool Short>
class Merge {
  public:
    Merge(const std::uint8_t* a, const std::uint8_t* b, std::size_t width) : a_(a), b_(b), width_(width) {}

    // The merge is a chain of dependent steps, each waiting for the loads of the one before: four parts of the lists are
    // merged in turn, so that four chains run at a time.
    std::size_t run(std::size_t a_count, std::size_t b_count, std::int64_t* left, std::int64_t* right) {
        constexpr int kParts = 4;
        Part parts[kParts];
        std::size_t i = 0, j = 0, room = 0;
        for (int p = 0; p < kParts; ++p) {
            Part& part = parts[p];
            part.i = i;
            part.j = j;
            if (p + 1 < kParts && a_count > 0) {
                const Number pivot = comparable<Short>(a_ + (p + 1) * (a_count / kParts) * width_, width_);
                i = lower(a_, i, a_count, pivot);
                j = lower(b_, j, b_count, pivot);
            } else if (p + 1 == kParts) {
                i = a_count;
                j = b_count;
            }
            part.i_end = i;
            part.j_end = j;
            part.begin = part.end = room;
            room += (i - part.i < j - part.j ? i - part.i : j - part.j) + 1;  // a step writes before it knows
        }
        while (parts[0].busy() && parts[1].busy() && parts[2].busy() && parts[3].busy())
            for (Part& part : parts) step(part, left, right);
        std::size_t total = 0;
        for (Part& part : parts) {
            while (part.busy()) step(part, left, right);
            const std::size_t found = part.end - part.begin;
            std::memmove(left + total, left + part.begin, found * sizeof(std::int64_t));
            std::memmove(right + total, right + part.begin, found * sizeof(std::int64_t));
            total += found;
        }
        return total;
    }

  private:
    struct Part {
        std::size_t i, i_end, j, j_end, begin, end;
        bool busy() const { return i < i_end && j < j_end; }
    };

    void step(Part& part, std::int64_t* left, std::int64_t* right) const {
        const Number a = comparable<Short>(a_ + part.i * width_, width_);
        const Number b = comparable<Short>(b_ + part.j * width_, width_);
        const bool less = a < b, greater = b < a;
        left[part.end] = static_cast<std::int64_t>(part.i);
        right[part.end] = static_cast<std::int64_t>(part.j);
        part.end += !less & !greater;
        part.i += !greater;
        part.j += !less;
    }

    // The first from `from` on that is not below the pivot.
    std::size_t lower(const std::uint8_t* list, std::size_t from, std::size_t to, Number pivot) const {
        while (from < to) {
            const std::size_t middle = from + (to - from) / 2;
            if (comparable<Short>(list + middle * width_, width_) < pivot)
                from = middle + 1;
            else
                to = middle;
        }
        return from;
    }

    const std::uint8_t *a_, *b_;
    std::size_t width_;
};

}  // namespace

std::size_t match_tags(const std::uint8_t* a, std::size_t a_count, const std::uint8_t* b, std::size_t b_count,
                       std::size_t width, std::int64_t* left, std::int64_t* right) {
    if (width < 8) return Merge<true>(a, b, width).run(a_count, b_count, left, right);
    return Merge<false>(a, b, width).run(a_count, b_count, left, right);
}

}  // namespace unseen::UNSEEN_ISA
