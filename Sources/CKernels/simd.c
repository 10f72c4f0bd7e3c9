// Which instruction set the kernels use.
#include "vector.h"

int ck_supported_level = CK_SIMD_BASELINE;
_Thread_local int ck_chosen_level = -1;

int ck_simd_supported(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return CK_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("f16c"))
        return CK_SIMD_AVX2;
    return CK_SIMD_BASELINE;
}

int ck_simd_level(void) { return ck_level; }

void ck_set_simd_level(int level) {
    int best = ck_simd_supported();
    ck_chosen_level = level > best ? best : level;
}

__attribute__((constructor)) static void choose_level(void) {
    ck_supported_level = ck_simd_supported();
}
