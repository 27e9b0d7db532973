// The dual code in three sweeps over memory. Each chunk of a sweep stays in the L2 cache while its rows are gathered in
// another order; four chunks at a time are then written so that every cache line leaves complete, past the cache:
//
//   1  running sums; order within the chunk; chunk-wise transposition
//   2  order within the chunk; weights; running sums; order within the chunk; transposition
//   3  order within the chunk; weights; groups of 64 rows to 32
//
// Nothing but public data decides which memory is read: order, weights and matrices come from the public key.
#include "unseen/lpn.hpp"

#include <bit>

#include "lpn_row.hpp"
#include "simd/aes.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

static_assert(std::endian::native == std::endian::little, "rows of bytes are read as blocks");

constexpr std::size_t kTogether = 4, kGroup = 64, kHalf = kGroup / 2;
enum Purpose : std::uint64_t { kWriteFirst, kReadFirst, kWriteSecond, kReadSecond, kWeightFirst, kWeightSecond, kMatrix };

template <typename T>
struct Buffer {
    explicit Buffer(std::size_t count) : data(new T[count]) {}
    ~Buffer() { delete[] data; }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    T* data;
};

// Public pseudo-random words: AES of (counter, purpose), from block `first` on.
void words(const AesKey& key, Purpose purpose, std::uint64_t first, std::uint64_t* out, std::size_t blocks) {
    constexpr std::size_t kBatch = 32;
    Block batch[kBatch];
    for (std::size_t i = 0; i < blocks; i += kBatch) {
        const std::size_t count = blocks - i < kBatch ? blocks - i : kBatch;
        for (std::size_t j = 0; j < count; ++j) batch[j] = make_block(first + i + j, purpose);
        encrypt(key, batch, count);
        for (std::size_t j = 0; j < count; ++j) {
            out[2 * (i + j)] = low(batch[j]);
            out[2 * (i + j) + 1] = high(batch[j]);
        }
    }
}

// The order of a chunk: a permutation of 2^bits numbers from four keyed rounds of multiply, add, shift and XOR.
void order(const AesKey& key, Purpose purpose, std::size_t chunk, unsigned bits, std::uint16_t* index) {
    std::uint64_t rounds[4];
    words(key, purpose, 2 * chunk, rounds, 2);
    const std::uint32_t mask = (1u << bits) - 1;
    const unsigned half = (bits + 1) / 2;
    std::uint32_t factor[4], summand[4];
    for (int r = 0; r < 4; ++r) {
        factor[r] = static_cast<std::uint32_t>(rounds[r]) | 1;
        summand[r] = static_cast<std::uint32_t>(rounds[r] >> 32);
    }
    for (std::uint32_t i = 0; i <= mask; ++i) {
        std::uint32_t x = i;
        for (int r = 0; r < 4; ++r) {
            x = (x * factor[r] + summand[r]) & mask;
            x ^= x >> half;
        }
        index[i] = static_cast<std::uint16_t>(x);
    }
}

inline void ahead(const Block* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 2);
#else
    (void)p;
#endif
}

template <unsigned W, bool Gf96>
class Encoder {
  public:
    Encoder(const DualShape& shape, const std::uint8_t* key)
        : chunks_(shape.chunks), bits_(shape.bits), size_(std::size_t{1} << shape.bits), key_(expand(load(key))),
          held_(kTogether * size_ * W + 4), index_(kTogether * size_), weights_(size_ + 8) {
        for (int i = 0; i < 8; ++i) weights_.data[size_ + i] = 0;
    }

    void first(const Block* in, Block* out) {
        auto carry = Rows<W>::nothing();
        for (std::size_t chunk = 0; chunk < chunks_; chunk += kTogether) {
            const Block* from = in + chunk * size_ * W;
            for (std::size_t i = 0; i < kTogether * size_; i += Rows<W>::kCount)
                Rows<W>::load(from + i * W).summed(carry).save(held_.data + i * W);
            scatter(kWriteFirst, chunk, out);
        }
    }

    void second(const Block* in, Block* out) {
        auto carry = Rows<W>::nothing();
        for (std::size_t chunk = 0; chunk < chunks_; chunk += kTogether) {
            for (std::size_t k = 0; k < kTogether; ++k) {
                order(key_, kReadFirst, chunk + k, bits_, index_.data);
                words(key_, kWeightFirst, (chunk + k) * size_ / 2, weights_.data, size_ / 2);
                const Block* from = in + (chunk + k) * size_ * W;
                Block* to = held_.data + k * size_ * W;
                for (std::size_t i = 0; i < size_; i += Rows<W>::kCount) {
                    ahead(from + (size_ + i) * W);
                    Rows<W>::gather(from, index_.data + i)
                        .template weighed<Gf96>(weights_.data + i)
                        .summed(carry)
                        .save(to + i * W);
                }
            }
            scatter(kWriteSecond, chunk, out);
        }
    }

    void third(const Block* in, std::size_t count, std::uint8_t* out) {
        for (std::size_t chunk = 0; chunk < chunks_; ++chunk) {
            order(key_, kReadSecond, chunk, bits_, index_.data);
            words(key_, kWeightSecond, chunk * size_ / 2, weights_.data, size_ / 2);
            const Block* from = in + chunk * size_ * W;
            for (std::size_t i = 0; i < size_; i += Rows<W>::kCount) {
                ahead(from + (size_ + i) * W);
                Rows<W>::gather(from, index_.data + i).template weighed<Gf96>(weights_.data + i).save(held_.data + i * W);
            }
            words(key_, kMatrix, chunk * size_ / kGroup * 8, weights_.data, size_ / kGroup * 8);
            for (std::size_t g = 0; g < size_ / kGroup; ++g) {
                const std::size_t at = (chunk * size_ / kGroup + g) * kHalf;
                if (at < count) compress(held_.data + g * kGroup * W, weights_.data + 16 * g, at, count, out);
            }
        }
    }

  private:
    // Rows of the four chunks from `chunk` on, each in its own order, to the columns of the transposed array.
    void scatter(Purpose purpose, std::size_t chunk, Block* out) {
        for (std::size_t k = 0; k < kTogether; ++k) order(key_, purpose, chunk + k, bits_, index_.data + k * size_);
        const Block* held = held_.data;
        const std::uint16_t* index = index_.data;
        for (std::size_t p = 0; p < size_; ++p) {
            Block* to = out + (p * chunks_ + chunk) * W;
#ifdef UNSEEN_AVX512
            alignas(64) Block line[kTogether * W];
            for (std::size_t k = 0; k < kTogether; ++k)
                for (unsigned w = 0; w < W; ++w) line[k * W + w] = held[(k * size_ + index[k * size_ + p]) * W + w];
            for (unsigned v = 0; v < W; ++v)
                _mm512_stream_si512(reinterpret_cast<__m512i*>(to + 4 * v), _mm512_load_si512(line + 4 * v));
#else
            for (std::size_t k = 0; k < kTogether; ++k)
                for (unsigned w = 0; w < W; ++w) to[k * W + w] = held[(k * size_ + index[k * size_ + p]) * W + w];
#endif
        }
#ifdef UNSEEN_AVX512
        _mm_sfence();
#endif
    }

    // Row k of a group plus those of its second half that bits k of the matrix name: by tables of all sums of four.
    static void compress(const Block* group, const std::uint64_t* matrix, std::size_t at, std::size_t count,
                         std::uint8_t* out) {
        Block table[kHalf / 4][16][W];
        for (std::size_t q = 0; q < kHalf / 4; ++q) {
            for (unsigned w = 0; w < W; ++w) table[q][0][w] = zero_block();
            for (unsigned bit = 0; bit < 4; ++bit)
                for (unsigned lower = 0; lower < 1u << bit; ++lower)
                    for (unsigned w = 0; w < W; ++w)
                        table[q][lower | 1u << bit][w] = table[q][lower][w] ^ group[(kHalf + 4 * q + bit) * W + w];
        }
        const std::size_t rows = count - at < kHalf ? count - at : kHalf;
        for (std::size_t k = 0; k < rows; ++k) {
            const auto row = static_cast<std::uint32_t>(matrix[k / 2] >> (32 * (k % 2)));
            Block sum[W];
            for (unsigned w = 0; w < W; ++w) sum[w] = group[k * W + w];
            for (std::size_t q = 0; q < kHalf / 4; ++q)
                for (unsigned w = 0; w < W; ++w) sum[w] ^= table[q][row >> (4 * q) & 15][w];
            for (unsigned w = 0; w < W; ++w) store(out + 16 * (w * count + at + k), sum[w]);
        }
    }

    std::size_t chunks_;
    unsigned bits_;
    std::size_t size_;
    AesKey key_;
    Buffer<Block> held_;
    Buffer<std::uint16_t> index_;
    Buffer<std::uint64_t> weights_;
};

template <unsigned W, bool Gf96>
void encode(const DualShape& shape, const std::uint8_t* key, std::uint8_t* rows, std::uint8_t* scratch,
            std::size_t count, std::uint8_t* out) {
    Encoder<W, Gf96> encoder(shape, key);
    auto* here = reinterpret_cast<Block*>(rows);
    auto* there = reinterpret_cast<Block*>(scratch);
    encoder.first(here, there);
    encoder.second(there, here);
    encoder.third(here, count, out);
}

}  // namespace

void lpn_dual(const DualShape& shape, const std::uint8_t* key, std::uint8_t* rows, std::uint8_t* scratch,
              std::size_t count, std::uint8_t* out) {
    const auto run = shape.gf96 ? (shape.width == 1   ? encode<1, true>
                                   : shape.width == 2 ? encode<2, true>
                                                      : encode<3, true>)
                                : (shape.width == 1   ? encode<1, false>
                                   : shape.width == 2 ? encode<2, false>
                                                      : encode<3, false>);
    run(shape, key, rows, scratch, count, out);
}

}  // namespace unseen::UNSEEN_ISA
