// Digests of rows: messages are laid out padded, one lane each, and hashed as many at a time as the vectors have lanes.
// A row too long for its lane is hashed alone.
#include "unseen/rows.hpp"

#include <cstring>

#include "sha256.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kBlock = 64, kMostBlocks = 8;
constexpr std::size_t kSlack = 128;  // writing whole vectors runs over the end of a message
constexpr std::size_t kLane = kBlock * kMostBlocks + kSlack;

std::size_t blocks_of(std::size_t message) { return (message + 1 + 8 + kBlock - 1) / kBlock; }

void store_length(std::uint8_t* to, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
}

// Copies, and may write up to 64 bytes further.
inline void copy_over(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
#ifdef UNSEEN_AVX512
    while (size >= 64) {
        _mm512_storeu_si512(to, _mm512_loadu_si512(from));
        to += 64;
        from += 64;
        size -= 64;
    }
    _mm512_storeu_si512(to, _mm512_maskz_loadu_epi8((std::uint64_t{1} << size) - 1, from));
#else
    if (size > 0) std::memcpy(to, from, size);
#endif
}

// One message after another through a block, for rows of any length.
class Stream {
  public:
    Stream() { start(state_); }

    void update(const std::uint8_t* from, std::size_t size) {
        total_ += size;
        while (size > 0) {
            const std::size_t part = size < kBlock - filled_ ? size : kBlock - filled_;
            std::memcpy(block_ + filled_, from, part);
            filled_ += part;
            from += part;
            size -= part;
            if (filled_ == kBlock) flush();
        }
    }

    void finish(std::uint8_t (*out)[32]) {
        block_[filled_++] = 0x80;
        if (filled_ > kBlock - 8) {
            std::memset(block_ + filled_, 0, kBlock - filled_);
            flush();
        }
        std::memset(block_ + filled_, 0, kBlock - 8 - filled_);
        store_length(block_ + kBlock - 8, 8 * std::uint64_t{total_}, 8);
        flush();
        store_state(state_, out);
    }

  private:
    void flush() {
        std::uint32_t words[16];
        load_words(block_, kBlock, words);
        compress(state_, words);
        filled_ = 0;
    }

    std::uint32_t state_[8];
    std::uint8_t block_[kBlock];
    std::size_t filled_ = 0, total_ = 0;
};

struct Rows {
    const std::uint8_t* domain;
    std::size_t domain_size;
    const RowColumn* columns;
    std::size_t count;

    std::size_t size(std::size_t row) const {
        std::size_t total = domain_size;
        for (std::size_t c = 0; c < count; ++c) total += 4 + columns[c].offset(row + 1) - columns[c].offset(row);
        return total;
    }

    // The padded message, `blocks` blocks long.
    void pack(std::size_t row, std::size_t blocks, std::uint8_t* to) const {
        std::uint8_t* p = to;
        copy_over(p, domain, domain_size);
        p += domain_size;
        for (std::size_t c = 0; c < count; ++c) {
            const std::size_t begin = columns[c].offset(row), size = columns[c].offset(row + 1) - begin;
            store_length(p, size, 4);
            copy_over(p + 4, columns[c].bytes + begin, size);
            p += 4 + size;
        }
        std::memset(p, 0, kBlock + 8);  // of constant length: at most 72 bytes are left of the last block or two
        *p = 0x80;
        store_length(to + blocks * kBlock - 8, 8 * static_cast<std::uint64_t>(p - to), 8);
    }

    void alone(std::size_t row, std::uint8_t* out) const {
        Stream stream;
        stream.update(domain, domain_size);
        for (std::size_t c = 0; c < count; ++c) {
            const std::size_t begin = columns[c].offset(row), size = columns[c].offset(row + 1) - begin;
            std::uint8_t length[4];
            store_length(length, size, 4);
            stream.update(length, 4);
            stream.update(columns[c].bytes + begin, size);
        }
        stream.finish(reinterpret_cast<std::uint8_t(*)[32]>(out));
    }
};

}  // namespace

void digest_rows(const std::uint8_t* domain, std::size_t domain_size, const RowColumn* columns, std::size_t count,
                 std::size_t rows, std::uint8_t* out) {
    const Rows all{domain, domain_size, columns, count};
    alignas(64) std::uint8_t lanes[kWordLanes * kLane] = {};
    alignas(64) std::uint8_t digests[kWordLanes][32];
    for (std::size_t first = 0; first < rows; first += kWordLanes) {
        const std::size_t here = rows - first < kWordLanes ? rows - first : kWordLanes;
        std::size_t blocks[kWordLanes] = {}, most = 0;
        for (std::size_t lane = 0; lane < here; ++lane) {
            const std::size_t needed = blocks_of(all.size(first + lane));
            if (needed > kMostBlocks) continue;
            all.pack(first + lane, needed, lanes + lane * kLane);
            blocks[lane] = needed;
            if (needed > most) most = needed;
        }
        WordLanes state[8];
        start(state);
        for (std::size_t b = 0; b < most; ++b) {
            std::uint32_t busy = 0;
            for (std::size_t lane = 0; lane < kWordLanes; ++lane) busy |= std::uint32_t{blocks[lane] > b} << lane;
            WordLanes words[16], next[8];
            load_words(lanes + b * kBlock, kLane, words);
            for (int i = 0; i < 8; ++i) next[i] = state[i];
            compress(next, words);
            for (int i = 0; i < 8; ++i) state[i] = select(busy, next[i], state[i]);
        }
        store_state(state, digests);
        std::memcpy(out + 32 * first, digests, 32 * here);
        for (std::size_t lane = 0; lane < here; ++lane)
            if (blocks[lane] == 0) all.alone(first + lane, out + 32 * (first + lane));
    }
}

bool is_ascii(const std::uint8_t* bytes, std::size_t size) {
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes + i, 8);
        seen |= word;
    }
    for (; i < size; ++i) seen |= bytes[i];
    return (seen & 0x8080808080808080) == 0;
}

void trim_rows(const RowColumn& column, std::size_t rows, std::int64_t* offsets, std::uint8_t* out) {
    const auto blank = [](std::uint8_t c) { return (c >= 9 && c <= 13) || (c >= 28 && c <= 32); };
    std::size_t written = 0;
    offsets[0] = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        std::size_t begin = column.offset(row), end = column.offset(row + 1);
        while (begin < end && blank(column.bytes[begin])) ++begin;
        while (begin < end && blank(column.bytes[end - 1])) --end;
        if (end > begin) std::memcpy(out + written, column.bytes + begin, end - begin);
        written += end - begin;
        offsets[row + 1] = static_cast<std::int64_t>(written);
    }
}

}  // namespace unseen::UNSEEN_ISA
