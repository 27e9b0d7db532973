#include "unseen/ring.hpp"

namespace unseen {

std::vector<std::string> instruction_sets() {
    std::vector<std::string> known{"portable"};
#ifdef UNSEEN_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) known.emplace_back("avx2");
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) known.emplace_back("avx512");
#endif
    return known;
}

MatmulKernel matmul_kernel(const std::string& instruction_set) {
    for (const auto& known : instruction_sets()) {
        if (known != instruction_set) continue;
        if (known == "portable") return matmul_portable;
#ifdef UNSEEN_X86
        if (known == "avx2") return matmul_avx2;
        if (known == "avx512") return matmul_avx512;
#endif
    }
    return nullptr;
}

}  // namespace unseen
