#include "unseen/isa.hpp"
#include "unseen/isa_names.hpp"

#include <atomic>

#if defined(UNSEEN_AMX) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace unseen {
namespace {

std::atomic<Isa> chosen{Isa::portable};

// The processor has the unit, and the kernel of the system keeps its state for this process, which must ask for that.
bool has_tiles() {
#if defined(UNSEEN_AMX) && defined(__linux__)
    constexpr unsigned kTileBit = 1u << 24, kBytesBit = 1u << 25;
    constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTileBit) == 0 || (d & kBytesBit) == 0) return false;
    return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
    return false;
#endif
}

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

std::vector<std::string> matrix_sets() {
    static const bool tiles = has_tiles();
    auto known = instruction_sets();
    if (tiles && known.back() == "avx512") known.emplace_back("amx");
    return known;
}

bool use(const std::string& name) {
    for (const auto& known : matrix_sets()) {
        if (known != name) continue;
        chosen = name == "amx"      ? Isa::amx
                 : name == "avx512" ? Isa::avx512
                 : name == "avx2"   ? Isa::avx2
                                    : Isa::portable;
        return true;
    }
    return false;
}

Isa isa() { return chosen.load(std::memory_order_relaxed); }

}  // namespace unseen
