// Which instruction set the kernels run on: chosen once at start, by what the processor has or by name.
//
// Every kernel file in src/kernels is compiled once for each set, into a namespace of that set's name:
//   portable  any processor; constant time by construction (no tables indexed by secrets)
//   avx2      AES-NI, PCLMULQDQ, AVX2, BMI2, ADX
//   avx512    F, BW, DQ, VL, VBMI, IFMA, VAES, VPCLMULQDQ, GFNI
// `amx` is avx512 with matrix products on the matrix unit; no file is compiled for it alone.
#pragma once

namespace unseen {

enum class Isa { portable, avx2, avx512, amx };

// The chosen one (portable until `use` of isa_names.hpp was called).
Isa isa();

}  // namespace unseen

// UNSEEN_EACH_ISA(DECLARE) declares kernels in each namespace; UNSEEN_CHOOSE(name) is the chosen one's.
#ifdef UNSEEN_X86
#define UNSEEN_EACH_ISA(DECLARE) DECLARE(portable) DECLARE(avx2) DECLARE(avx512)
#define UNSEEN_CHOOSE(name)                                      \
    (::unseen::isa() >= ::unseen::Isa::avx512 ? &avx512::name    \
     : ::unseen::isa() == ::unseen::Isa::avx2 ? &avx2::name      \
                                              : &portable::name)
#else
#define UNSEEN_EACH_ISA(DECLARE) DECLARE(portable)
#define UNSEEN_CHOOSE(name) (&portable::name)
#endif
