// 16-lane float vectors that compile for any instruction set, and the macro that compiles a kernel
// for three of them. The order of operations is the same in each variant; only fused
// multiply-adds differ (the baseline has none).
#pragma once
#include <string.h>

#include "CKernels.h"

#pragma clang diagnostic ignored "-Wpsabi"

typedef float v16f __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t v16i __attribute__((ext_vector_type(16), aligned(4)));
typedef uint32_t v16u __attribute__((ext_vector_type(16), aligned(4)));
typedef uint16_t v16h __attribute__((ext_vector_type(16), aligned(2)));

#define INLINE static inline __attribute__((always_inline))
#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define TARGET_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

extern _Thread_local int ck_chosen_level;
extern int ck_supported_level;
/// The level in use on this thread.
#define ck_level (ck_chosen_level >= 0 ? ck_chosen_level : ck_supported_level)

/// Defines `void name params` as three compilations of name##_body and a dispatcher.
#define KERNEL(name, params, arguments)                                \
    static void name##_baseline params { name##_body arguments; }      \
    TARGET_AVX2 static void name##_avx2 params { name##_body arguments; } \
    TARGET_AVX512 static void name##_avx512 params { name##_body arguments; } \
    void name params {                                                 \
        if (ck_level == CK_SIMD_AVX512) name##_avx512 arguments;       \
        else if (ck_level == CK_SIMD_AVX2) name##_avx2 arguments;      \
        else name##_baseline arguments;                                \
    }

INLINE v16f load(const float *p) { return *(const v16f *)p; }
INLINE void store(float *p, v16f v) { *(v16f *)p = v; }
INLINE v16f load_tail(const float *p, int64_t n, float fill) {
    float t[16];
    for (int i = 0; i < 16; i++) t[i] = i < n ? p[i] : fill;
    return load(t);
}
INLINE void store_tail(float *p, v16f v, int64_t n) {
    float t[16];
    store(t, v);
    for (int64_t i = 0; i < n; i++) p[i] = t[i];
}
INLINE float horizontal_sum(v16f v) {
    float t[16];
    store(t, v);
    for (int w = 8; w > 0; w /= 2)
        for (int i = 0; i < w; i++) t[i] += t[i + w];
    return t[0];
}
INLINE float horizontal_max(v16f v) { return __builtin_reduce_max(v); }

/// exp(x), relative error below 2e-7 for -87 <= x <= 88; saturates outside. Cephes' expf: the range
/// is reduced by multiples of ln 2 in two parts, a polynomial of degree 5 does the rest.
INLINE v16f vector_exp(v16f x) {
    x = __builtin_elementwise_min(__builtin_elementwise_max(x, (v16f)-87.33654f), (v16f)88.0f);
    v16f n = __builtin_elementwise_floor(x * 1.44269504088896341f + 0.5f);
    v16f r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    v16f p = (v16f)1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    v16i e = (__builtin_convertvector(n, v16i) + 127) << 23;
    return p * (v16f)e;
}
INLINE v16f vector_silu(v16f x) { return x / (1.0f + vector_exp(-x)); }
