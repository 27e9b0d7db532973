// Encoding works through the clusters one at a time, each small enough for the second-level cache; decoding takes keys as
// they come, with the columns of the next batch on their way.
#include "unseen/okvs.hpp"

#include "okvs_hash.hpp"
#include "okvs_peel.hpp"
#include "okvs_solve.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

// The keys' numbers, cluster by cluster and ascending within each; and where each cluster begins.
struct Order {
    Scratch<std::uint32_t> rows;
    Scratch<std::size_t> begin;

    Order(const OkvsShape& shape, const OkvsKeys& made, const std::uint8_t* keys, std::size_t count)
        : rows(count), begin(shape.clusters + 2) {
        Scratch<std::uint32_t> cluster(count);
        std::size_t* next = begin.data() + 1;  // of cluster c at [c + 1] while filling, its end afterwards
        for (std::size_t c = 0; c < shape.clusters + 2; ++c) begin[c] = 0;
        Block hashes[kOkvsBatch];
        Place places[kOkvsBatch];
        for (std::size_t first = 0; first < count; first += kOkvsBatch) {
            const std::size_t here = count - first < kOkvsBatch ? count - first : kOkvsBatch;
            std::memcpy(hashes, keys + 16 * first, 16 * here);
            encrypt(made.place, hashes, here);
            to_places(shape, hashes, places, here);
            for (std::size_t i = 0; i < here; ++i) {
                cluster[first + i] = places[i].cluster;
                ++begin[places[i].cluster + 2];
            }
        }
        for (std::size_t c = 2; c < shape.clusters + 2; ++c) begin[c] += begin[c - 1];
        for (std::size_t i = 0; i < count; ++i) rows[next[cluster[i]]++] = static_cast<std::uint32_t>(i);
    }
};

template <typename Field>
class Encoder {
  public:
    Encoder(const OkvsShape& shape, const OkvsKeys& keys, std::size_t most)
        : shape_(shape), made_(keys), peeling_(most, shape.sparse, shape.dense), places_(most), x_(most), values_(most) {}

    // One cluster: the keys with numbers rows[0 .. count), or the first `count` if there is but one cluster.
    bool encode(const std::uint32_t* rows, std::size_t count, const std::uint8_t* keys, const std::uint8_t* values,
                std::uint8_t* slots) {
        gather(rows, count, keys, x_.data());
        hash(count);
        if (!peeling_.peel(places_.data(), count)) return false;
        gather(rows, count, values, values_.data());
        if (peeling_.gaps() > 0 &&
            !solve_gaps<Field>(shape_, peeling_, places_.data(), x_.data(), values_.data(), slots))
            return false;
        subtract_dense(count, slots);
        for (std::size_t i = peeling_.steps(); i-- > 0;) {
            const Step& ahead = peeling_.step(i > kAhead ? i - kAhead : 0);
            for (const std::uint32_t c : places_[ahead.row].column) prefetch(slots + 16 * c);
            prefetch(&values_[ahead.row]);
            prefetch(&places_[peeling_.step(i > 2 * kAhead ? i - 2 * kAhead : 0).row]);
            const Step& step = peeling_.step(i);
            const Place& place = places_[step.row];
            std::uint8_t* own = slots + 16 * step.column;
            // The column's old content is in the sum of three too.
            store(own, values_[step.row] ^ load(own) ^ load(slots + 16 * place.column[0]) ^
                           load(slots + 16 * place.column[1]) ^ load(slots + 16 * place.column[2]));
        }
        return true;
    }

  private:
    static constexpr std::size_t kAhead = 12;

    static void gather(const std::uint32_t* rows, std::size_t count, const std::uint8_t* from, Block* to) {
        if (rows == nullptr) {
            std::memcpy(to, from, 16 * count);
            return;
        }
        for (std::size_t i = 0; i < count; ++i) {
            prefetch(from + 16 * std::size_t{rows[i + 32 < count ? i + 32 : i]});
            to[i] = load(from + 16 * std::size_t{rows[i]});
        }
    }

    // From keys in x_ to places and x.
    void hash(std::size_t count) {
        Block batch[kOkvsBatch];
        for (std::size_t first = 0; first < count; first += kOkvsBatch) {
            const std::size_t here = count - first < kOkvsBatch ? count - first : kOkvsBatch;
            Block* x = x_.data() + first;
            std::memcpy(batch, x, 16 * here);
            encrypt(made_.place, batch, here);
            to_places(shape_, batch, places_.data() + first, here);
            encrypt(made_.dense, x, here);
            for (std::size_t i = 0; i < here; ++i) x[i] = Field::element(x[i]);
        }
    }

    // From each value what the dense columns give its key.
    void subtract_dense(std::size_t count, const std::uint8_t* slots) {
        const std::uint8_t* dense = slots + 16 * shape_.sparse;
        std::size_t i = 0;
        for (; i + kLaneBlocks <= count; i += kLaneBlocks) {
            auto* at = reinterpret_cast<std::uint8_t*>(&values_[i]);
            const Lanes x = load_lanes(reinterpret_cast<const std::uint8_t*>(&x_[i]));
            Lanes sum = broadcast(zero_block());
            for (std::size_t j = shape_.dense; j-- > 0;)
                sum = product_lanes<Field>(sum ^ broadcast(load(dense + 16 * j)), x);
            store_lanes(at, load_lanes(at) ^ sum);
        }
        for (; i < count; ++i) {
            Block sum = zero_block();
            for (std::size_t j = shape_.dense; j-- > 0;) sum = product<Field>(sum ^ load(dense + 16 * j), x_[i]);
            values_[i] ^= sum;
        }
    }

    const OkvsShape& shape_;
    const OkvsKeys& made_;
    Peeling peeling_;
    Scratch<Place> places_;
    Scratch<Block> x_, values_;
};

// Every slot random: what no key determines stays so.
template <typename Field>
void fill(const std::uint8_t* randomness, std::uint8_t* out, std::size_t slots) {
    const AesKey key = expand(load(randomness));
    Block batch[kOkvsBatch];
    for (std::size_t first = 0; first < slots; first += kOkvsBatch) {
        const std::size_t here = slots - first < kOkvsBatch ? slots - first : kOkvsBatch;
        for (std::size_t i = 0; i < here; ++i) batch[i] = make_block(first + i, 0);
        encrypt(key, batch, here);
        for (std::size_t i = 0; i < here; ++i) store(out + 16 * (first + i), Field::element(batch[i]));
    }
}

template <typename Field>
bool encode(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* keys, const std::uint8_t* values,
            std::size_t count, const std::uint8_t* randomness, std::uint8_t* out) {
    const OkvsKeys made(seed);
    fill<Field>(randomness, out, shape.slots());
    if (shape.sparse == 0) return encode_binary(shape, made, keys, values, count, out);
    if (shape.clusters == 1) {
        if (count > kOkvsMost) return false;
        Encoder<Field> encoder(shape, made, count);
        return encoder.encode(nullptr, count, keys, values, out);
    }
    const Order order(shape, made, keys, count);
    std::size_t most = 0;
    for (std::size_t c = 0; c < shape.clusters; ++c) {
        const std::size_t here = order.begin[c + 1] - order.begin[c];
        if (here > most) most = here;
    }
    if (most > kOkvsMost) return false;
    Encoder<Field> encoder(shape, made, most);
    for (std::size_t c = 0; c < shape.clusters; ++c)
        if (!encoder.encode(order.rows.data() + order.begin[c], order.begin[c + 1] - order.begin[c], keys, values,
                            out + 16 * c * shape.width()))
            return false;
    return true;
}

inline Lanes join(const Block* blocks) {
#if defined(UNSEEN_AVX512)
    const __m256i l = _mm256_set_m128i(blocks[1].v, blocks[0].v), h = _mm256_set_m128i(blocks[3].v, blocks[2].v);
    return {_mm512_inserti64x4(_mm512_castsi256_si512(l), h, 1)};
#elif defined(UNSEEN_AVX2)
    return {_mm256_set_m128i(blocks[1].v, blocks[0].v)};
#else
    return blocks[0];
#endif
}

struct Batch {
    Block x[kOkvsBatch];
    Place places[kOkvsBatch];
    std::size_t count;
};

template <typename Field, std::size_t Values>
class Decoder {
  public:
    Decoder(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* encoding)
        : shape_(shape), made_(seed), encoding_(encoding) {}

    void decode(const std::uint8_t* keys, std::size_t count, std::uint8_t* out) {
        Batch batch[2];
        prepare(keys, count < kOkvsBatch ? count : kOkvsBatch, batch[0]);
        for (std::size_t first = 0, turn = 0; first < count; first += kOkvsBatch, turn ^= 1) {
            const std::size_t next = first + kOkvsBatch;
            if (next < count)
                prepare(keys + 16 * next, count - next < kOkvsBatch ? count - next : kOkvsBatch, batch[turn ^ 1]);
            finish(batch[turn], out + 16 * Values * first);
        }
    }

  private:
    static constexpr std::size_t kSlot = 16 * Values;

    const std::uint8_t* cluster(const Place& place) const {
        return encoding_ + kSlot * place.cluster * shape_.width();
    }

    void prepare(const std::uint8_t* keys, std::size_t count, Batch& batch) const {
        Block hashes[kOkvsBatch];
        batch.count = count;
        std::memcpy(hashes, keys, 16 * count);
        std::memcpy(batch.x, keys, 16 * count);
        encrypt(made_.place, hashes, count);
        to_places(shape_, hashes, batch.places, count);
        for (std::size_t i = 0; i < count; ++i)
            for (const std::uint32_t c : batch.places[i].column) {
                const std::uint8_t* slot = cluster(batch.places[i]) + kSlot * c;
                prefetch(slot);
                if (Values > 1) prefetch(slot + kSlot - 1);  // it may lie across two cache lines
            }
        encrypt(made_.dense, batch.x, count);
        for (std::size_t i = 0; i < count; ++i) batch.x[i] = Field::element(batch.x[i]);
        for (std::size_t i = count; i < kOkvsBatch; ++i) batch.places[i] = {{0, 1, 2}, 0};  // lanes run over the end
    }

    void finish(const Batch& batch, std::uint8_t* out) const {
        for (std::size_t i = 0; i < batch.count; i += kLaneBlocks) {
            const std::size_t here = batch.count - i < kLaneBlocks ? batch.count - i : kLaneBlocks;
            const Lanes x = join(batch.x + i);
            for (std::size_t v = 0; v < Values; ++v) {
                Block sums[kLaneBlocks], column[kLaneBlocks];
                const std::uint8_t* base[kLaneBlocks];
                for (std::size_t k = 0; k < kLaneBlocks; ++k) {
                    const Place& place = batch.places[i + k];
                    base[k] = cluster(place) + 16 * v;
                    sums[k] = load(base[k] + kSlot * place.column[0]) ^ load(base[k] + kSlot * place.column[1]) ^
                              load(base[k] + kSlot * place.column[2]);
                }
                Lanes dense = broadcast(zero_block());
                for (std::size_t j = shape_.dense; j-- > 0;) {
                    for (std::size_t k = 0; k < kLaneBlocks; ++k)
                        column[k] = load(base[k] + kSlot * (shape_.sparse + j));
                    dense = product_lanes<Field>(dense ^ join(column), x);
                }
                alignas(64) std::uint8_t result[kLaneBytes];
                store_lanes(result, dense ^ join(sums));
                for (std::size_t k = 0; k < here; ++k) std::memcpy(out + kSlot * (i + k) + 16 * v, result + 16 * k, 16);
            }
        }
    }

    const OkvsShape& shape_;
    OkvsKeys made_;
    const std::uint8_t* encoding_;
};

void decode_binary(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* encoding, std::size_t values,
                   const std::uint8_t* keys, std::size_t count, std::uint8_t* out) {
    const OkvsKeys made(seed);
    Block row[kOkvsBinary / 128];
    for (std::size_t i = 0; i < count; ++i) {
        binary_row(made, shape.dense, load(keys + 16 * i), row);
        for (std::size_t v = 0; v < values; ++v) {
            Block sum = zero_block();
            for (std::size_t c = 0; c < shape.dense; ++c)
                sum ^= load(encoding + 16 * (values * c + v)) & mask_block(bit_of(row, c));
            store(out + 16 * (values * i + v), sum);
        }
    }
}

template <typename Field>
void decode(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* encoding, std::size_t values,
            const std::uint8_t* keys, std::size_t count, std::uint8_t* out) {
    if (values == 1) return Decoder<Field, 1>(shape, seed, encoding).decode(keys, count, out);
    Decoder<Field, 2>(shape, seed, encoding).decode(keys, count, out);
}

}  // namespace

bool okvs_encode(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* keys, const std::uint8_t* values,
                 std::size_t count, const std::uint8_t* randomness, std::uint8_t* out) {
    return shape.gf96 ? encode<Gf96>(shape, seed, keys, values, count, randomness, out)
                      : encode<Gf128>(shape, seed, keys, values, count, randomness, out);
}

void okvs_decode(const OkvsShape& shape, const std::uint8_t* seed, const std::uint8_t* encoding, std::size_t values,
                 const std::uint8_t* keys, std::size_t count, std::uint8_t* out) {
    if (count == 0) return;
    if (shape.sparse == 0) return decode_binary(shape, seed, encoding, values, keys, count, out);
    return shape.gf96 ? decode<Gf96>(shape, seed, encoding, values, keys, count, out)
                      : decode<Gf128>(shape, seed, encoding, values, keys, count, out);
}

void hash_to_field(const std::uint8_t* seed, bool gf96, const std::uint8_t* keys, std::size_t count, std::uint8_t* out) {
    const OkvsKeys made(seed);
    Block inner[kOkvsBatch], outer[kOkvsBatch];
    for (std::size_t first = 0; first < count; first += kOkvsBatch) {
        const std::size_t here = count - first < kOkvsBatch ? count - first : kOkvsBatch;
        std::memcpy(inner, keys + 16 * first, 16 * here);
        encrypt(made.value, inner, here);
        for (std::size_t i = 0; i < here; ++i) outer[i] = inner[i] ^ make_block(1, 0);
        encrypt(made.value, outer, here);
        for (std::size_t i = 0; i < here; ++i) {
            const Block hash = inner[i] ^ outer[i];
            store(out + 16 * (first + i), gf96 ? Gf96::element(hash) : hash);
        }
    }
}

void gf96_multiply(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::size_t count) {
    std::size_t i = 0;
    for (; i + kLaneBlocks <= count; i += kLaneBlocks)
        store_lanes(out + 16 * i, product_lanes<Gf96>(load_lanes(a + 16 * i), load_lanes(b + 16 * i)));
    for (; i < count; ++i) store(out + 16 * i, product<Gf96>(load(a + 16 * i), load(b + 16 * i)));
}

}  // namespace unseen::UNSEEN_ISA
