// Norms, gates and biases over the rows of a matrix.
#include <math.h>

#include "vector.h"

INLINE float mean_square(const float *x, int64_t n) {
    v16f s0 = 0, s1 = 0;
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        v16f a = load(x + i), b = load(x + i + 16);
        s0 += a * a;
        s1 += b * b;
    }
    for (; i + 16 <= n; i += 16) {
        v16f a = load(x + i);
        s0 += a * a;
    }
    if (i < n) {
        v16f a = load_tail(x + i, n - i, 0);
        s1 += a * a;
    }
    return horizontal_sum(s0 + s1) / (float)n;
}

INLINE void scaled_row(
    const float *x, float shift, float factor, const float *weight, const float *scale, float *y,
    int64_t n) {
    if (weight && scale)
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] - shift) * factor * weight[i] * scale[i];
    else if (weight)
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] - shift) * factor * weight[i];
    else if (scale)
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] - shift) * factor * scale[i];
    else
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] - shift) * factor;
}

INLINE void ck_rms_norm_body(
    const float *x, const float *weight, const float *scale, float *y, int64_t rows, int64_t n,
    float eps) {
    for (int64_t r = 0; r < rows; r++) {
        float factor = 1.0f / sqrtf(mean_square(x + r * n, n) + eps);
        scaled_row(x + r * n, 0, factor, weight, scale, y + r * n, n);
    }
}
KERNEL(
    ck_rms_norm,
    (const float *x, const float *weight, const float *scale, float *y, int64_t rows, int64_t n,
     float eps),
    (x, weight, scale, y, rows, n, eps))

INLINE void ck_layer_norm_body(
    const float *x, const float *scale, float *y, int64_t rows, int64_t n, float eps) {
    for (int64_t r = 0; r < rows; r++) {
        const float *row = x + r * n;
        v16f s = 0;
        int64_t i = 0;
        for (; i + 16 <= n; i += 16) s += load(row + i);
        if (i < n) s += load_tail(row + i, n - i, 0);
        float mean = horizontal_sum(s) / (float)n;
        s = 0;
        for (i = 0; i + 16 <= n; i += 16) {
            v16f d = load(row + i) - mean;
            s += d * d;
        }
        if (i < n) {
            v16f d = load_tail(row + i, n - i, mean) - mean;
            s += d * d;
        }
        float factor = 1.0f / sqrtf(horizontal_sum(s) / (float)n + eps);
        scaled_row(row, mean, factor, NULL, scale, y + r * n, n);
    }
}
KERNEL(
    ck_layer_norm,
    (const float *x, const float *scale, float *y, int64_t rows, int64_t n, float eps),
    (x, scale, y, rows, n, eps))

INLINE void ck_gated_add_body(
    const float *x, const float *z, const float *gate, float *y, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++) {
        const float *a = x + r * n, *b = z + r * n;
        float *c = y + r * n;
        if (gate)
            for (int64_t i = 0; i < n; i++) c[i] = a[i] + gate[i] * b[i];
        else
            for (int64_t i = 0; i < n; i++) c[i] = a[i] + b[i];
    }
}
KERNEL(
    ck_gated_add,
    (const float *x, const float *z, const float *gate, float *y, int64_t rows, int64_t n),
    (x, z, gate, y, rows, n))

INLINE void ck_add_bias_body(float *y, const float *bias, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) y[r * n + i] += bias[i];
}
KERNEL(ck_add_bias, (float *y, const float *bias, int64_t rows, int64_t n), (y, bias, rows, n))
