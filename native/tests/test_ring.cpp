// Every instruction set against the definition, on shapes around the block sizes.
#include <cstdio>
#include <random>
#include <vector>

#include "unseen/isa_names.hpp"
#include "unseen/ring.hpp"

using namespace unseen;

int main() {
    std::mt19937_64 random(1);
    int failures = 0;
    for (const auto& name : unseen::matrix_sets()) {
        unseen::use(name);
        const auto kernel = UNSEEN_CHOOSE(matmul);
        for (std::size_t n : {0, 1, 3, 8, 9, 17, 33})
            for (std::size_t k : {0, 1, 5, 255, 256, 257, 530})
                for (std::size_t m : {1, 2, 7, 8, 23, 24, 25, 50, 260}) {
                    std::vector<std::uint64_t> a(n * k), b(k * m), c(n * m, 7), expected(n * m, 0);
                    for (auto& x : a) x = random();
                    for (auto& x : b) x = random();
                    for (std::size_t i = 0; i < n; ++i)
                        for (std::size_t p = 0; p < k; ++p)
                            for (std::size_t j = 0; j < m; ++j) expected[i * m + j] += a[i * k + p] * b[p * m + j];
                    kernel(a.data(), b.data(), c.data(), n, k, m);
                    if (c != expected) {
                        std::printf("%s differs at %zu x %zu x %zu\n", name.c_str(), n, k, m);
                        ++failures;
                    }
                }
        std::printf("%s: done\n", name.c_str());
    }
    return failures == 0 ? 0 : 1;
}
