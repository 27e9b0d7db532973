// Memory of a kernel: no constructors, freed on the way out.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "simd/target.hpp"

namespace unseen::UNSEEN_ISA {

template <typename T>
class Scratch {
  public:
    explicit Scratch(std::size_t count) : data_(static_cast<T*>(allocate(count * sizeof(T) + kLine))) {}
    ~Scratch() { std::free(data_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    T* data() const { return data_; }
    T& operator[](std::size_t i) const { return data_[i]; }

  private:
    static constexpr std::size_t kLine = 64, kHuge = std::size_t{2} << 20;

    // Large pieces in huge pages: kernels hop about in them, and the page faults of small ones take as long as the work.
    static void* allocate(std::size_t bytes) {
        const std::size_t step = bytes >= kHuge ? kHuge : kLine;
        void* data = std::aligned_alloc(step, (bytes + step - 1) / step * step);
        if (data == nullptr) throw std::bad_alloc();
#ifdef __linux__
        if (step == kHuge) madvise(data, bytes, MADV_HUGEPAGE);
#endif
        return data;
    }

    T* data_;
};

}  // namespace unseen::UNSEEN_ISA
