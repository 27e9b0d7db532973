// Trees are expanded breadth first, one after another, so that a tree stays in the L2 cache and many blocks are in
// flight. Where a position is secret, every node is touched alike: the two nodes of a level that are not what the
// hash of their parent says (the one off the path by a bit, which the level's sum gives, and the one on the path,
// which is unknown and kept zero) are put in place by masks while the level is read.
#include "unseen/ggm.hpp"

#include "ggm_hash.hpp"

namespace unseen::UNSEEN_ISA {
namespace {

struct Buffer {
    explicit Buffer(std::size_t blocks) : data(new Block[blocks]) {}
    ~Buffer() { delete[] data; }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    Block* data;
};

// What belongs at two places of a level: at `position` ^ 1 the node that the level's sum gave, at `position` (whose
// node is unknown) zero, or in the end the XOR of all others. For a full tree nothing is out of place.
template <bool Punctured>
struct Fix {
    std::uint64_t position;
    Block beside, at;

    Block operator()(Block node, std::uint64_t index) const {
        if constexpr (!Punctured) return node;
        const Block here = mask_block(same(index, position)), there = mask_block(same(index, position ^ 1));
        return (node & ((here ^ there) ^ mask_block(1))) ^ (beside & there) ^ (at & here);
    }
#ifdef UNSEEN_AVX512
    __m512i operator()(__m512i nodes, std::uint64_t index) const {
        if constexpr (!Punctured) return nodes;
        const __m512i indices = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(index)),
                                                 _mm512_set_epi64(3, 3, 2, 2, 1, 1, 0, 0));
        const auto here = _mm512_cmpeq_epi64_mask(indices, _mm512_set1_epi64(static_cast<long long>(position)));
        const auto there = _mm512_cmpeq_epi64_mask(indices, _mm512_set1_epi64(static_cast<long long>(position ^ 1)));
        nodes = _mm512_mask_mov_epi64(nodes, there, _mm512_broadcast_i32x4(beside.v));
        return _mm512_mask_mov_epi64(nodes, here, _mm512_broadcast_i32x4(at.v));
    }
#endif
};

struct Parities {
    Block even, odd;
};

// Children of `count` nodes (a power of two); returns the XOR of the even and of the odd ones.
template <bool Tweaked, bool Punctured>
Parities grow(const AesKey& key, const Block* parents, Block* children, std::size_t count, std::uint64_t tweak,
          const Fix<Punctured>& fix) {
    Block even = zero_block(), all = zero_block();
    std::size_t i = 0;
#ifdef UNSEEN_AVX512
    const __m512i front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0), back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    __m512i left_sum = _mm512_setzero_si512(), parent_sum = left_sum;
    for (; i + kBatch <= count; i += kBatch) {
        __m512i node[kVectors], left[kVectors];
        for (int v = 0; v < kVectors; ++v) node[v] = fix(_mm512_loadu_si512(parents + i + 4 * v), i + 4 * v);
        hash<Tweaked>(key, node, left, lane_indices(tweak + i));
        for (int v = 0; v < kVectors; ++v) {
            const __m512i right = _mm512_xor_si512(left[v], node[v]);
            left_sum = _mm512_xor_si512(left_sum, left[v]);
            parent_sum = _mm512_xor_si512(parent_sum, node[v]);
            _mm512_storeu_si512(children + 2 * i + 8 * v, _mm512_permutex2var_epi64(left[v], front, right));
            _mm512_storeu_si512(children + 2 * i + 8 * v + 4, _mm512_permutex2var_epi64(left[v], back, right));
        }
    }
    Block lanes[8];
    _mm512_storeu_si512(lanes, left_sum);
    _mm512_storeu_si512(lanes + 4, parent_sum);
    even = lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3];
    all = lanes[4] ^ lanes[5] ^ lanes[6] ^ lanes[7];
#endif
    for (; i < count; i += kBatch) {
        const std::size_t batch = count - i < kBatch ? count - i : kBatch;
        Block node[kBatch], left[kBatch];
        for (std::size_t j = 0; j < batch; ++j) node[j] = fix(parents[i + j], i + j);
        hash<Tweaked>(key, node, left, batch, tweak + i);
        for (std::size_t j = 0; j < batch; ++j) {
            even ^= left[j];
            all ^= node[j];
            children[2 * (i + j)] = left[j];
            children[2 * (i + j) + 1] = left[j] ^ node[j];
        }
    }
    return {even, even ^ all};
}

struct Keys {
    AesKey tree, value[2];
};

Keys schedule(const std::uint8_t* keys) { return {expand(load(keys)), {expand(load(keys + 16)), expand(load(keys + 32))}}; }

// What of a row is kept: of a value 128 or 96 bits, of a leaf all but the lowest bit, which marks the position.
Block kept_of(const GgmShape& shape) {
    if (shape.width == 0) return make_block(~std::uint64_t{1}, ~std::uint64_t{0});
    return shape.truncated ? make_block(~std::uint64_t{0}, 0xFFFFFFFF) : mask_block(1);
}

// The leaves of a tree as the rows want them: values, or with width 0 the leaves themselves. `totals` is the XOR of
// everything written, a value at a time.
template <bool Tweaked, bool Punctured>
void finish(const GgmShape& shape, const Keys& keys, const Block* leaves, std::uint64_t tweak,
            const Fix<Punctured>& fix, std::uint8_t* rows, std::size_t stride, Block* totals) {
    const std::size_t count = std::size_t{1} << shape.depth;
    const Block keep = kept_of(shape);
    totals[0] = totals[1] = zero_block();
    for (std::size_t i = 0; i < count; i += kBatch) {
        const std::size_t batch = count - i < kBatch ? count - i : kBatch;
        Block node[kBatch], value[kBatch];
#ifdef UNSEEN_AVX512
        if (batch == kBatch) {
            __m512i nodes[kVectors], values[kVectors], sum = _mm512_setzero_si512();
            const __m512i kept = _mm512_broadcast_i32x4(keep.v);
            for (int v = 0; v < kVectors; ++v) {
                nodes[v] = _mm512_loadu_si512(leaves + i + 4 * v);
                if (shape.width == 0) nodes[v] = _mm512_and_si512(nodes[v], kept);
                nodes[v] = fix(nodes[v], i + 4 * v);
            }
            for (unsigned w = 0; w < (shape.width == 0 ? 1 : shape.width); ++w) {
                if (shape.width == 0)
                    for (int v = 0; v < kVectors; ++v) values[v] = nodes[v];
                else
                    hash<Tweaked>(keys.value[w], nodes, values, lane_indices(tweak + i));
                sum = _mm512_setzero_si512();
                for (int v = 0; v < kVectors; ++v) {
                    if (shape.width != 0) values[v] = _mm512_and_si512(values[v], kept);
                    sum = _mm512_xor_si512(sum, values[v]);
                }
                if (stride == 16) {
                    for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(rows + 16 * (i + 4 * v), values[v]);
                } else {
                    for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(value + 4 * v, values[v]);
                    for (std::size_t j = 0; j < kBatch; ++j) store(rows + (i + j) * stride + 16 * w, value[j]);
                }
                _mm512_storeu_si512(node, sum);
                totals[w] ^= node[0] ^ node[1] ^ node[2] ^ node[3];
            }
            continue;
        }
#endif
        for (std::size_t j = 0; j < batch; ++j) node[j] = fix(shape.width == 0 ? leaves[i + j] & keep : leaves[i + j], i + j);
        for (unsigned w = 0; w < (shape.width == 0 ? 1 : shape.width); ++w) {
            if (shape.width == 0)
                for (std::size_t j = 0; j < batch; ++j) value[j] = node[j];
            else
                hash<Tweaked>(keys.value[w], node, value, batch, tweak + i);
            for (std::size_t j = 0; j < batch; ++j) {
                if (shape.width != 0) value[j] = value[j] & keep;
                totals[w] ^= value[j];
                store(rows + (i + j) * stride + 16 * w, value[j]);
            }
        }
    }
}

// One tree from its two nodes of level 1 (for a punctured one both zero). `sums` are written, or read when punctured.
// Tweaks count the nodes of a tree as in a heap. `others` is the XOR of all leaves but the one at the position.
template <bool Tweaked, bool Punctured>
Fix<Punctured> climb(const GgmShape& shape, const AesKey& key, std::uint64_t base, std::uint64_t position,
                     const std::uint8_t* known, std::uint8_t* sums, Block*& from, Block*& to, Block& others) {
    Fix<Punctured> fix{position >> (shape.depth - 1), Punctured ? load(known) : zero_block(), zero_block()};
    others = fix.beside;
    for (unsigned level = 1; level < shape.depth; ++level) {
        const std::uint64_t tweak = base + (std::uint64_t{1} << level);
        const Parities parity = grow<Tweaked>(key, from, to, std::size_t{1} << level, tweak, fix);
        if constexpr (Punctured) {
            // The parent on the path was taken for zero: what its children added to either parity is known.
            Block zero = zero_block(), added;
            hash<Tweaked>(key, &zero, &added, 1, tweak + fix.position);
            const std::uint64_t next = position >> (shape.depth - 1 - level);
            const Block odd = mask_block((next & 1) ^ 1);
            const Block sum = (parity.odd & odd) ^ (parity.even & (odd ^ mask_block(1)));
            fix = {next, load(known + 16 * level) ^ sum ^ added, zero_block()};
            others = parity.even ^ parity.odd ^ fix.beside;  // what the zero parent added to both cancels
        } else {
            store(sums + 16 * level, parity.even);
        }
        Block* swap = from;
        from = to;
        to = swap;
    }
    return fix;
}

template <bool Tweaked>
void expand_all(const GgmShape& shape, const Keys& keys, const std::uint8_t* roots, Block delta, std::uint8_t* rows,
                std::uint8_t* sums, std::uint8_t* totals) {
    const std::size_t leaves = std::size_t{1} << shape.depth, stride = 16 * (shape.width < 2 ? 1 : shape.width);
    const Buffer one(leaves), other(leaves);
    for (std::size_t tree = 0; tree < shape.trees; ++tree) {
        Block *from = one.data, *to = other.data, total[2];
        const std::uint64_t base = static_cast<std::uint64_t>(tree) << (shape.depth + 2);
        std::uint8_t* sum = sums + 16 * tree * shape.depth;
        from[0] = load(roots + 16 * tree);
        from[1] = from[0] ^ delta;
        store(sum, from[0]);
        Block others;
        const auto fix = climb<Tweaked, false>(shape, keys.tree, base, 0, nullptr, sum, from, to, others);
        finish<Tweaked>(shape, keys, from, base + leaves, fix, rows + tree * leaves * stride, stride, total);
        for (unsigned w = 0; w < shape.width; ++w) store(totals + 16 * (tree * shape.width + w), total[w]);
    }
}

template <bool Tweaked>
void puncture_all(const GgmShape& shape, const Keys& keys, const std::uint8_t* sums, const std::uint64_t* positions,
                  const std::uint8_t* corrections, const std::uint8_t* noise, std::uint8_t* rows) {
    const std::size_t leaves = std::size_t{1} << shape.depth, first = shape.width == 0 ? 0 : 1;
    const std::size_t stride = 16 * (shape.width + (shape.width == 0 ? 1 : first));
    const Block keep = kept_of(shape);
    const Buffer one(leaves), other(leaves);
    for (std::size_t tree = 0; tree < shape.trees; ++tree) {
        Block *from = one.data, *to = other.data, total[2], fill[3] = {zero_block(), zero_block(), zero_block()};
        const std::uint64_t base = static_cast<std::uint64_t>(tree) << (shape.depth + 2);
        const std::uint64_t position = positions[tree];
        std::uint8_t* row = rows + tree * leaves * stride;
        from[0] = from[1] = zero_block();
        Block others;
        auto fix = climb<Tweaked, true>(shape, keys.tree, base, position, sums + 16 * tree * shape.depth, nullptr,
                                        from, to, others);
        if (shape.width == 0) fix = {position, fix.beside & keep, (others & keep) ^ make_block(1, 0)};
        finish<Tweaked>(shape, keys, from, base + leaves, fix, row + 16 * first, stride, total);
        if (shape.width != 0) {
            fill[0] = load(noise + 16 * tree);
            for (unsigned w = 0; w < shape.width; ++w) {
                Block zero = zero_block(), added;  // what the unknown leaf, taken for zero, added to the total
                hash<Tweaked>(keys.value[w], &zero, &added, 1, base + leaves + position);
                fill[1 + w] = load(corrections + 16 * (tree * shape.width + w)) ^ total[w] ^ (added & keep);
            }
        }
        for (std::size_t j = 0; first && j < leaves; ++j, row += stride) {
            const Block at = mask_block(same(j, position));
            store(row, fill[0] & at);
            for (std::size_t w = first; w < stride / 16; ++w) {
                const Block value = load(row + 16 * w);
                store(row + 16 * w, value ^ ((value ^ fill[w]) & at));
            }
        }
    }
}

}  // namespace

void ggm_expand(const GgmShape& shape, const std::uint8_t* keys, const std::uint8_t* roots, const std::uint8_t* delta,
                std::uint8_t* rows, std::uint8_t* sums, std::uint8_t* totals) {
    const Keys k = schedule(keys);
    if (shape.tweaked)
        expand_all<true>(shape, k, roots, load(delta), rows, sums, totals);
    else
        expand_all<false>(shape, k, roots, load(delta), rows, sums, totals);
}

void ggm_puncture(const GgmShape& shape, const std::uint8_t* keys, const std::uint8_t* sums,
                  const std::uint64_t* positions, const std::uint8_t* corrections, const std::uint8_t* noise,
                  std::uint8_t* rows) {
    const Keys k = schedule(keys);
    if (shape.tweaked)
        puncture_all<true>(shape, k, sums, positions, corrections, noise, rows);
    else
        puncture_all<false>(shape, k, sums, positions, corrections, noise, rows);
}

}  // namespace unseen::UNSEEN_ISA
