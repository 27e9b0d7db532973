// Matrix products in Z_2^64: C = A B mod 2^64, row-major, contiguous.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unseen {

// A is n x k, B is k x m, C is n x m. Overwrites C.
using MatmulKernel = void (*)(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::size_t n,
                              std::size_t k, std::size_t m);

void matmul_portable(const std::uint64_t*, const std::uint64_t*, std::uint64_t*, std::size_t, std::size_t, std::size_t);
void matmul_avx2(const std::uint64_t*, const std::uint64_t*, std::uint64_t*, std::size_t, std::size_t, std::size_t);
void matmul_avx512(const std::uint64_t*, const std::uint64_t*, std::uint64_t*, std::size_t, std::size_t, std::size_t);

// Instruction sets that this machine can run, slowest first.
std::vector<std::string> instruction_sets();

// The kernel for one of them; null if it is none.
MatmulKernel matmul_kernel(const std::string& instruction_set);

}  // namespace unseen
