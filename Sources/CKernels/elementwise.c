// Element-by-element kernels.
#include "vector.h"

INLINE void ck_silu_body(const float *x, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) store(y + i, vector_silu(load(x + i)));
    if (i < n) store_tail(y + i, vector_silu(load_tail(x + i, n - i, 0)), n - i);
}
KERNEL(ck_silu, (const float *x, float *y, int64_t n), (x, y, n))

INLINE void ck_silu_product_body(const float *a, const float *b, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) store(y + i, vector_silu(load(a + i)) * load(b + i));
    if (i < n) {
        v16f s = vector_silu(load_tail(a + i, n - i, 0));
        store_tail(y + i, s * load_tail(b + i, n - i, 0), n - i);
    }
}
KERNEL(ck_silu_product, (const float *a, const float *b, float *y, int64_t n), (a, b, y, n))

INLINE void ck_exp_body(const float *x, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) store(y + i, vector_exp(load(x + i)));
    if (i < n) store_tail(y + i, vector_exp(load_tail(x + i, n - i, 0)), n - i);
}
KERNEL(ck_exp, (const float *x, float *y, int64_t n), (x, y, n))

INLINE void ck_add_body(const float *a, const float *b, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}
KERNEL(ck_add, (const float *a, const float *b, float *y, int64_t n), (a, b, y, n))

INLINE void ck_affine_body(const float *x, float a, float b, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = a * x[i] + b;
}
KERNEL(ck_affine, (const float *x, float a, float b, float *y, int64_t n), (x, a, b, y, n))

double ck_sum_of_squares(const float *x, int64_t n) {
    double lanes[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) lanes[k] += (double)x[i + k] * x[i + k];
    for (; i < n; i++) lanes[0] += (double)x[i] * x[i];
    double sum = 0;
    for (int k = 0; k < 8; k++) sum += lanes[k];
    return sum;
}
