// Gilboa's products: a number's bits choose, one transfer each, between a pad and the pad plus the other side's word.
//
// Lanes are elements where each word has its own number, and the words of one number where it has many. Of a lane's
// offers, that of bit i has ring - i bits; they follow one another without gaps, and the last one is made longer to end
// with a whole byte.
#include "kernels/transfers_hash.hpp"
#include "unseen/transfers.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

constexpr std::size_t kBeside = 16;
using Words = std::uint64_t[kBeside];

inline std::uint64_t lowest(int bits) { return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

inline int field(int i, int bits, int ring) {
    if (i < bits - 1) return ring - i;
    const int total = bits * ring - bits * (bits - 1) / 2;
    return ring - i + (8 - total % 8) % 8;
}

inline void put(std::uint8_t* to, std::uint64_t word, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) to[i] = static_cast<std::uint8_t>(word >> (8 * i));
}

inline std::uint64_t get(const std::uint8_t* from, std::size_t bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes; ++i) word |= std::uint64_t{from[i]} << (8 * i);
    return word;
}

// Fields of all lanes in turn to streams `stride` bytes apart; all lanes are at the same bit.
class Writer {
   public:
    Writer(std::uint8_t* out, std::size_t stride, std::size_t lanes) : out_(out), stride_(stride), lanes_(lanes) {}

    void field(const Words& value, int width) {
        for (std::size_t l = 0; l < kBeside; ++l) word_[l] |= value[l] << fill_;
        fill_ += width;
        if (fill_ < 64) return;
        flush(8);
        fill_ -= 64;
        const int kept = width - fill_;  // bits of the value that went out
        for (std::size_t l = 0; l < kBeside; ++l) word_[l] = kept == 64 ? 0 : value[l] >> kept;
    }

    void end() { flush(static_cast<std::size_t>(fill_) / 8); }

   private:
    void flush(std::size_t bytes) {
        for (std::size_t l = 0; l < lanes_; ++l) {
            std::uint8_t* to = out_ + l * stride_ + at_;
            if (bytes == 8) put(to, word_[l], 8);
            else put(to, word_[l], bytes);
        }
        at_ += bytes;
    }

    std::uint8_t* out_;
    std::size_t stride_, lanes_, at_ = 0;
    int fill_ = 0;
    Words word_ = {};
};

class Reader {
   public:
    Reader(const std::uint8_t* in, std::size_t stride, std::size_t lanes) : in_(in), stride_(stride), lanes_(lanes) {}

    void field(Words& value, int width) {
        const int left = 64 - used_;  // bits of the present words
        for (std::size_t l = 0; l < kBeside; ++l) value[l] = left == 0 ? 0 : word_[l] >> used_;
        used_ += width;
        if (width > left) {
            fetch();
            for (std::size_t l = 0; l < kBeside; ++l) value[l] |= word_[l] << left;
            used_ -= 64;
        }
        for (std::size_t l = 0; l < kBeside; ++l) value[l] &= lowest(width);
    }

   private:
    void fetch() {
        const std::size_t bytes = stride_ - at_ < 8 ? stride_ - at_ : 8;
        for (std::size_t l = 0; l < lanes_; ++l) {
            const std::uint8_t* from = in_ + l * stride_ + at_;
            word_[l] = bytes == 8 ? get(from, 8) : get(from, bytes);
        }
        at_ += bytes;
    }

    const std::uint8_t* in_;
    std::size_t stride_, lanes_, at_ = 0;
    int used_ = 64;
    Words word_ = {};
};

// Pads of lanes that are elements: rows `apart` rows from one another.
template <bool Both>
inline void pads_of_elements(const AesKey& schedule, const std::uint8_t* rows, std::size_t apart, std::size_t lanes,
                             Block other, Words& zero, Words& one) {
    Block batch[(Both ? 2 : 1) * kBeside];
    for (std::size_t l = 0; l < kBeside; ++l) {
        const Block row = l < lanes ? load(rows + 16 * apart * l) : zero_block();
        batch[l] = row;
        if (Both) batch[kBeside + l] = row ^ other;
    }
    hash_in_place<(Both ? 2 : 1) * kBeside>(schedule, batch);
    for (std::size_t l = 0; l < kBeside; ++l) {
        zero[l] = low(batch[l]);
        if (Both) one[l] = low(batch[kBeside + l]);
    }
}

// Pads of lanes that are words of one number, from word `first` on: the row's hash is a key, half a block each.
inline void stretch(const AesKey& schedule, Block row, std::size_t first, Words& pads) {
    Block key = sigma(row), batch[kBeside / 2];
    const Block kept = key;
    encrypt(schedule, &key, 1);
    key ^= kept;
    for (std::size_t i = 0; i < kBeside / 2; ++i) batch[i] = key ^ make_block(first / 2 + i + 1, 0);
    hash_in_place<kBeside / 2>(schedule, batch);
    for (std::size_t i = 0; i < kBeside / 2; ++i) {
        pads[2 * i] = low(batch[i]);
        pads[2 * i + 1] = high(batch[i]);
    }
}

inline std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// Both sides' frame: the lanes that are worked on together (first row, rows apart, first stream, how many lanes).
template <typename Work>
inline void by_lanes(std::size_t n, std::size_t width, int bits, const Work& work) {
    const auto rows = static_cast<std::size_t>(bits);
    if (width == 1) {
        for (std::size_t e = 0; e < n; e += kBeside) work(e, std::size_t{0}, e * rows, e, smaller(kBeside, n - e));
        return;
    }
    for (std::size_t e = 0; e < n; ++e)
        for (std::size_t j = 0; j < width; j += kBeside)
            work(e, j, e * rows, e * width + j, smaller(kBeside, width - j));
}

}  // namespace

void product_offer(const std::uint8_t* rows, const std::uint8_t* delta, const std::uint64_t* words, std::size_t n,
                   std::size_t width, int bits, int ring, std::uint8_t* offers, std::uint64_t* share) {
    const AesKey schedule = expand(load(kPadKey));
    const Block other = load(delta);
    const std::size_t bytes = product_bytes(bits, ring);
    const auto apart = static_cast<std::size_t>(bits);
    by_lanes(n, width, bits, [&](std::size_t, std::size_t first, std::size_t row, std::size_t stream, std::size_t lanes) {
        Writer writer(offers + stream * bytes, bytes, lanes);
        Words word = {}, sum = {}, zero, one, value;
        for (std::size_t l = 0; l < lanes; ++l) word[l] = words[stream + l];
        for (int i = 0; i < bits; ++i) {
            const std::uint8_t* at = rows + 16 * (row + static_cast<std::size_t>(i));
            if (width == 1) {
                pads_of_elements<true>(schedule, at, apart, lanes, other, zero, one);
            } else {
                stretch(schedule, load(at), first, zero);
                stretch(schedule, load(at) ^ other, first, one);
            }
            const int size = field(i, bits, ring);
            const std::uint64_t mask = lowest(size);
            for (std::size_t l = 0; l < kBeside; ++l) {
                sum[l] -= zero[l] << i;
                value[l] = (zero[l] + word[l] - one[l]) & mask;
            }
            writer.field(value, size);
        }
        writer.end();
        for (std::size_t l = 0; l < lanes; ++l) share[stream + l] = sum[l] & lowest(ring);
    });
}

void product_take(const std::uint8_t* rows, const std::uint64_t* numbers, std::size_t n, std::size_t width, int bits,
                  int ring, const std::uint8_t* offers, std::uint64_t* share) {
    const AesKey schedule = expand(load(kPadKey));
    const std::size_t bytes = product_bytes(bits, ring);
    const auto apart = static_cast<std::size_t>(bits);
    by_lanes(n, width, bits, [&](std::size_t e, std::size_t first, std::size_t row, std::size_t stream, std::size_t lanes) {
        Reader reader(offers + stream * bytes, bytes, lanes);
        Words number = {}, sum = {}, pad, value;
        for (std::size_t l = 0; l < lanes; ++l) number[l] = numbers[width == 1 ? e + l : e];
        for (int i = 0; i < bits; ++i) {
            const std::uint8_t* at = rows + 16 * (row + static_cast<std::size_t>(i));
            if (width == 1)
                pads_of_elements<false>(schedule, at, apart, lanes, zero_block(), pad, pad);
            else
                stretch(schedule, load(at), first, pad);
            reader.field(value, field(i, bits, ring));
            for (std::size_t l = 0; l < kBeside; ++l) sum[l] += (pad[l] + (value[l] & (0 - (number[l] >> i & 1)))) << i;
        }
        for (std::size_t l = 0; l < lanes; ++l) share[stream + l] = sum[l] & lowest(ring);
    });
}

}  // namespace unseen::UNSEEN_ISA
