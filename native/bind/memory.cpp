// Memory for results. The pages of a fresh large array take longer to be cleared by the operating system than most of our
// kernels take, so the latest freed blocks (up to 192 MiB) are kept to be used again. Huge pages are not asked for: on a
// virtual machine whose host has taken back what was free, they made an intersection of a million ids twice as slow.
#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kLine = 64, kHuge = std::size_t{2} << 20, kLarge = 2 * kHuge;
constexpr std::size_t kKept = std::size_t{192} << 20;
constexpr std::size_t kBlocks = 32;

struct Free {
    void* block;
    std::size_t size;
};

std::mutex guard;
Free kept[kBlocks];  // oldest first
std::size_t count = 0, total = 0;

void forget(std::size_t index) {
    total -= kept[index].size;
    std::move(kept + index + 1, kept + count, kept + index);
    --count;
}

// The smallest free block that is large enough and not half as large again; null if there is none.
void* again(std::size_t size) {
    const std::lock_guard hold(guard);
    std::size_t best = count;
    for (std::size_t i = 0; i < count; ++i)
        if (kept[i].size >= size && kept[i].size <= size + size / 2 &&
            (best == count || kept[i].size < kept[best].size))
            best = i;
    if (best == count) return nullptr;
    void* const block = kept[best].block;
    forget(best);
    return block;
}

}  // namespace

// A block begins with a line that holds its size; what is given out lies behind it.
void* allocate(std::size_t bytes) {
    const std::size_t step = bytes >= kLarge ? kHuge : kLine;
    const std::size_t size = ((bytes + kLine) / step + 1) * step;
    void* block = size >= kLarge ? again(size) : nullptr;
    if (block == nullptr) {
        block = std::aligned_alloc(step, size);
        if (block == nullptr) throw std::bad_alloc();
        *static_cast<std::size_t*>(block) = size;
    }
    return static_cast<char*>(block) + kLine;
}

void release(void* data) noexcept {
    void* const block = static_cast<char*>(data) - kLine;
    const std::size_t size = *static_cast<std::size_t*>(block);
    if (size < kLarge || size > kKept) return std::free(block);
    const std::lock_guard hold(guard);
    while (count == kBlocks || total + size > kKept) {
        std::free(kept[0].block);
        forget(0);
    }
    kept[count++] = {block, size};
    total += size;
}

}  // namespace unseen::bind
