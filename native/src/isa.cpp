#include "unseen/isa.hpp"

#include <atomic>

namespace unseen {
namespace {

std::atomic<Isa> chosen{Isa::portable};

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> known{"portable"};
#ifdef UNSEEN_X86
    __builtin_cpu_init();
    const auto has = [](auto... present) { return (... && (present != 0)); };
    if (!has(__builtin_cpu_supports("avx2"), __builtin_cpu_supports("bmi"), __builtin_cpu_supports("bmi2"),
             __builtin_cpu_supports("aes"), __builtin_cpu_supports("pclmul")))
        return known;
    known.emplace_back("avx2");
    if (has(__builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512bw"), __builtin_cpu_supports("avx512dq"),
            __builtin_cpu_supports("avx512vl"), __builtin_cpu_supports("avx512vbmi"),
            __builtin_cpu_supports("avx512ifma"), __builtin_cpu_supports("vaes"),
            __builtin_cpu_supports("vpclmulqdq"), __builtin_cpu_supports("gfni")))
        known.emplace_back("avx512");
#endif
    return known;
}

bool use(const std::string& name) {
    for (const auto& known : instruction_sets()) {
        if (known != name) continue;
        chosen = name == "avx512" ? Isa::avx512 : name == "avx2" ? Isa::avx2 : Isa::portable;
        return true;
    }
    return false;
}

Isa isa() { return chosen.load(std::memory_order_relaxed); }

}  // namespace unseen
