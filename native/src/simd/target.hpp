// What the file may use: it is compiled once per instruction set, with -DUNSEEN_ISA=portable, avx2 or avx512.
// UNSEEN_AVX2 stands for avx2 and better, UNSEEN_AVX512 for avx512.
#pragma once

#ifndef UNSEEN_ISA
#error "kernel files are compiled by add_kernels() in CMakeLists.txt"
#endif

#if UNSEEN_LEVEL >= 1
#define UNSEEN_AVX2 1
#include <immintrin.h>
#endif
#if UNSEEN_LEVEL >= 2
#define UNSEEN_AVX512 1
#endif
