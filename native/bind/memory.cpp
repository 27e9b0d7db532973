// Memory for results, and for NumPy's arrays where Python asks for it.
//
// Large blocks are pages mapped for themselves: among small ones on the heap they would leave as much free between them as
// they take. Clearing fresh pages takes longer than most of our kernels, so freed ones are kept (up to 192 MiB) and used again:
// what is larger than asked for is divided, neighbours are joined, and what is too small is extended. Fresh pages are had only
// in place of kept ones, so that no more are ever held than were in use at one time. Huge pages are not asked for: on a
// virtual machine whose host has taken back what was free, they made an intersection of a million ids twice as slow.
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_map>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kLine = 64;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kLarge = ~std::size_t{0};  // all on the heap, whose ends are watched
#else
constexpr std::size_t kLarge = std::size_t{1} << 15;
#endif
constexpr std::size_t kKept = std::size_t{192} << 20, kBlocks = 64;

struct Pages {
    char* begin;
    std::size_t size;
};

std::mutex guard;     // of all that follows
Pages kept[kBlocks];  // oldest first
std::size_t count = 0, total = 0;
auto& used = *new std::unordered_map<void*, std::size_t>;  // sizes of blocks in use; never ends, as arrays may outlive this module

// A process that is forked meanwhile has them whole, and can lock them.
[[maybe_unused]] const int watched = pthread_atfork([] { guard.lock(); }, [] { guard.unlock(); }, [] { guard.unlock(); });

Pages pop(std::size_t index) {
    const Pages pages = kept[index];
    total -= pages.size;
    std::move(kept + index + 1, kept + count, kept + index);
    --count;
    return pages;
}

void keep(Pages pages) {
    for (std::size_t i = count; i-- > 0;) {
        if (kept[i].begin + kept[i].size == pages.begin) {
            pages = {kept[i].begin, kept[i].size + pages.size};
            pop(i);
        } else if (pages.begin + pages.size == kept[i].begin) {
            pages.size += pop(i).size;
        }
    }
    if (pages.size > kKept) {
        munmap(pages.begin, pages.size);
        return;
    }
    while (count == kBlocks || total + pages.size > kKept) {
        const Pages oldest = pop(0);
        munmap(oldest.begin, oldest.size);
    }
    kept[count++] = pages;
    total += pages.size;
}

// Give back so many bytes of kept pages, or all.
void drop(std::size_t size) {
    while (size > 0 && count > 0) {
        const Pages oldest = pop(0);
        const std::size_t part = std::min(size, oldest.size);
        munmap(oldest.begin, part);
        size -= part;
        if (part < oldest.size) keep({oldest.begin + part, oldest.size - part});
    }
}

// Pages of which the first `old` bytes hold anything and the others zeros; null if there are none.
void* take(std::size_t size, std::size_t& old) {
    std::size_t fits = count, largest = count;
    for (std::size_t i = 0; i < count; ++i) {
        if (kept[i].size >= size) {
            if (fits == count || kept[i].size < kept[fits].size) fits = i;
        } else if (largest == count || kept[i].size > kept[largest].size) {
            largest = i;
        }
    }
    if (fits < count) {
        const Pages pages = pop(fits);
        if (pages.size > size) keep({pages.begin + size, pages.size - size});
        old = size;
        return pages.begin;
    }
#if defined(MREMAP_MAYMOVE)
    if (largest < count) {
        const Pages pages = pop(largest);
        drop(size - pages.size);
        void* const more = mremap(pages.begin, pages.size, size, MREMAP_MAYMOVE);
        if (more != MAP_FAILED) {
            old = pages.size;
            return more;
        }
        munmap(pages.begin, pages.size);
    }
#endif
    drop(size);
    old = 0;
    void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

std::size_t page() {
    static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return size;
}

// A block of pages; see take().
void* large(std::size_t bytes, std::size_t& old) {
    const std::size_t size = (bytes + page() - 1) / page() * page();
    if (size < bytes) return nullptr;
    const std::lock_guard hold(guard);
    void* const data = take(size, old);
    if (data == nullptr) return nullptr;
    try {
        used.emplace(data, size);
    } catch (const std::bad_alloc&) {  // who asks may not throw
        munmap(data, size);
        return nullptr;
    }
    return data;
}

// The size of a block of pages; 0 for what is on the heap.
std::size_t size_of(void* data) {
    const auto found = used.find(data);
    return found == used.end() ? 0 : found->second;
}

bool may_be_large(void* data) { return reinterpret_cast<std::uintptr_t>(data) % page() == 0; }

}  // namespace

void* allocate(std::size_t bytes) {
    std::size_t old = 0;
    void* const data = bytes >= kLarge ? large(bytes, old) : std::aligned_alloc(kLine, (bytes / kLine + 1) * kLine);
    if (data == nullptr) throw std::bad_alloc();
    return data;
}

void release(void* data) noexcept {
    if (may_be_large(data)) {
        const std::lock_guard hold(guard);
        if (const std::size_t size = size_of(data)) {
            used.erase(data);
            return keep({static_cast<char*>(data), size});
        }
    }
    std::free(data);
}

void* allocate_array(std::size_t bytes, bool zeros) noexcept {
    if (bytes < kLarge) return zeros ? std::calloc(1, bytes) : std::malloc(bytes);
    std::size_t old = 0;
    void* const data = large(bytes, old);
    if (data != nullptr && zeros) std::memset(data, 0, std::min(old, bytes));
    return data;
}

void* resize_array(void* data, std::size_t bytes) noexcept {
    std::size_t size = 0;
    if (may_be_large(data)) {
        const std::lock_guard hold(guard);
        size = size_of(data);
    }
    if (size == 0) return std::realloc(data, bytes);  // on the heap, where it stays
    void* const other = allocate_array(bytes, false);
    if (other == nullptr) return nullptr;
    std::memcpy(other, data, std::min(bytes, size));
    release(data);
    return other;
}

}  // namespace unseen::bind
