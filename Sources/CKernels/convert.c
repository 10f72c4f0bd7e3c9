// bfloat16 and float16 to float32 and back.
#include "vector.h"

INLINE uint16_t bf16_of(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)((u >> 16) | 0x40);
    return (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

INLINE void ck_bf16_to_f32_body(const uint16_t *x, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16u u = __builtin_convertvector(*(const v16h *)(x + i), v16u) << 16;
        store(y + i, (v16f)u);
    }
    for (; i < n; i++) {
        uint32_t u = (uint32_t)x[i] << 16;
        memcpy(y + i, &u, 4);
    }
}
KERNEL(ck_bf16_to_f32, (const uint16_t *x, float *y, int64_t n), (x, y, n))

INLINE void ck_f32_to_bf16_body(const float *x, uint16_t *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = bf16_of(x[i]);
}
KERNEL(ck_f32_to_bf16, (const float *x, uint16_t *y, int64_t n), (x, y, n))

INLINE void ck_f16_to_f32_body(const uint16_t *x, float *y, int64_t n) {
    const _Float16 *h = (const _Float16 *)x;
    for (int64_t i = 0; i < n; i++) y[i] = (float)h[i];
}
KERNEL(ck_f16_to_f32, (const uint16_t *x, float *y, int64_t n), (x, y, n))

INLINE void ck_f32_to_f16_body(const float *x, uint16_t *y, int64_t n) {
    _Float16 *h = (_Float16 *)y;
    for (int64_t i = 0; i < n; i++) h[i] = (_Float16)x[i];
}
KERNEL(ck_f32_to_f16, (const float *x, uint16_t *y, int64_t n), (x, y, n))
