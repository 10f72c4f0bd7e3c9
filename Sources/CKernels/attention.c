// The parts of attention between its two matrix products.
#include <math.h>

#include "vector.h"

INLINE void ck_head_norm_rotary_body(
    const float *x, const float *weight, float eps, const float *cosine, const float *sine,
    int interleaved, float *y, int64_t heads, int64_t d) {
    int64_t half = d / 2;
    for (int64_t h = 0; h < heads; h++) {
        const float *a = x + h * d;
        float *b = y + h * d;
        float factor = 1;
        if (weight) {
            v16f s = 0;
            int64_t i = 0;
            for (; i + 16 <= d; i += 16) s += load(a + i) * load(a + i);
            if (i < d) {
                v16f t = load_tail(a + i, d - i, 0);
                s += t * t;
            }
            factor = 1.0f / sqrtf(horizontal_sum(s) / (float)d + eps);
        }
        if (weight)
            for (int64_t i = 0; i < d; i++) b[i] = a[i] * factor * weight[i];
        else if (a != b)
            for (int64_t i = 0; i < d; i++) b[i] = a[i];
        if (!cosine) continue;
        if (interleaved)
            for (int64_t i = 0; i < half; i++) {
                float re = b[2 * i], im = b[2 * i + 1];
                b[2 * i] = re * cosine[i] - im * sine[i];
                b[2 * i + 1] = re * sine[i] + im * cosine[i];
            }
        else
            for (int64_t i = 0; i < half; i++) {
                float re = b[i], im = b[i + half];
                b[i] = re * cosine[i] - im * sine[i];
                b[i + half] = im * cosine[i] + re * sine[i];
            }
    }
}
KERNEL(
    ck_head_norm_rotary,
    (const float *x, const float *weight, float eps, const float *cosine, const float *sine,
     int interleaved, float *y, int64_t heads, int64_t head_dim),
    (x, weight, eps, cosine, sine, interleaved, y, heads, head_dim))

INLINE void softmax_row(float *x, int64_t n, float scale, float *sum, float *entropy) {
    v16f top = (v16f)-INFINITY;
    int64_t i = 0, whole = n / 16 * 16;
    for (; i < whole; i += 16) top = __builtin_elementwise_max(top, load(x + i));
    if (i < n) top = __builtin_elementwise_max(top, load_tail(x + i, n - i, -INFINITY));
    float shift = horizontal_max(top) * scale;
    v16f z = 0, t = 0;
    for (i = 0; i < whole; i += 16) {
        v16f a = load(x + i) * scale - shift;
        v16f e = vector_exp(a);
        store(x + i, e);
        z += e;
        t += e * a;
    }
    for (float zt = 0, tt = 0; i < n; i += 16) {
        v16f a = load_tail(x + i, n - i, 0) * scale - shift;
        v16f e = vector_exp(a);
        float ea[16], aa[16];
        store(ea, e);
        store(aa, a);
        for (int64_t k = 0; k < n - i; k++) {
            x[i + k] = ea[k];
            zt += ea[k];
            tt += ea[k] * aa[k];
        }
        z[0] += zt;
        t[0] += tt;
    }
    *sum = horizontal_sum(z);
    if (entropy) *entropy = logf(*sum) - horizontal_sum(t) / *sum;
}

INLINE void ck_softmax_numerators_body(
    float *x, int64_t rows, int64_t n, int64_t stride, float scale, const int32_t *lengths,
    float *sums, float *entropies) {
    for (int64_t r = 0; r < rows; r++) {
        int64_t length = lengths ? lengths[r] : n;
        softmax_row(x + r * stride, length, scale, sums + r, entropies ? entropies + r : NULL);
        for (int64_t i = length; i < n; i++) x[r * stride + i] = 0;
    }
}
KERNEL(
    ck_softmax_numerators,
    (float *x, int64_t rows, int64_t n, int64_t stride, float scale, const int32_t *lengths,
     float *sums, float *entropies),
    (x, rows, n, stride, scale, lengths, sums, entropies))

INLINE void ck_scale_rows_body(
    const float *x, int64_t x_stride, const float *factors, float *y, int64_t y_stride,
    int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) y[r * y_stride + i] = x[r * x_stride + i] * factors[r];
}
KERNEL(
    ck_scale_rows,
    (const float *x, int64_t x_stride, const float *factors, float *y, int64_t y_stride,
     int64_t rows, int64_t n),
    (x, x_stride, factors, y, y_stride, rows, n))

/// The largest of the keys that each column of a panel [keys][32] sees.
INLINE void column_maximum(
    const float *x, int64_t first, int64_t last, const int32_t *limits, v16f top[2]) {
    for (int64_t k = first; k < last; k++)
        for (int h = 0; h < 2; h++) {
            v16f value = load(x + k * 32 + 16 * h);
            if (limits) {
                v16i seen = *(const v16i *)(limits + 16 * h) > (int32_t)k;
                value = seen ? value : (v16f)-INFINITY;
            }
            top[h] = __builtin_elementwise_max(top[h], value);
        }
}

INLINE void ck_softmax_panel_body(
    float *x, int64_t keys, float scale, const int32_t *limits, float *sums, float *entropies) {
    v16f top[2] = {(v16f)-INFINITY, (v16f)-INFINITY};
    column_maximum(x, 0, keys, limits, top);
    v16f shift[2] = {top[0] * scale, top[1] * scale};
    v16f z[2] = {0, 0}, t[2] = {0, 0};
    // Sums of 32 keys, then of those: the error grows with the number of blocks, not of keys.
    for (int64_t k0 = 0; k0 < keys; k0 += 32) {
        v16f zb[2] = {0, 0}, tb[2] = {0, 0};
        int64_t end = k0 + 32 < keys ? k0 + 32 : keys;
        for (int64_t k = k0; k < end; k++)
            for (int h = 0; h < 2; h++) {
                float *place = x + k * 32 + 16 * h;
                v16f a = load(place) * scale - shift[h];
                v16f e = vector_exp(a);
                if (limits) {
                    v16i seen = *(const v16i *)(limits + 16 * h) > (int32_t)k;
                    e = seen ? e : (v16f)0;
                    a = seen ? a : (v16f)0;
                }
                store(place, e);
                zb[h] += e;
                tb[h] += e * a;
            }
        for (int h = 0; h < 2; h++) {
            z[h] += zb[h];
            t[h] += tb[h];
        }
    }
    for (int h = 0; h < 2; h++) {
        store(sums + 16 * h, z[h]);
        if (!entropies) continue;
        for (int i = 0; i < 16; i++) entropies[16 * h + i] = logf(z[h][i]) - t[h][i] / z[h][i];
    }
}
KERNEL(
    ck_softmax_panel,
    (float *x, int64_t keys, float scale, const int32_t *limits, float *sums, float *entropies),
    (x, keys, scale, limits, sums, entropies))

void ck_unpanel_scaled(
    const float *panel, int64_t d, const float *sums, int64_t count, float *y, int64_t y_stride) {
    for (int64_t q = 0; q < count; q++) {
        float factor = 1.0f / sums[q];
        for (int64_t i = 0; i < d; i++) y[q * y_stride + i] = panel[i * 32 + q] * factor;
    }
}

void ck_transpose(const float *x, int64_t stride, int64_t rows, int64_t columns, float *y) {
    enum { BLOCK = 16 };
    for (int64_t r0 = 0; r0 < rows; r0 += BLOCK)
        for (int64_t c0 = 0; c0 < columns; c0 += BLOCK)
            for (int64_t c = c0; c < columns && c < c0 + BLOCK; c++)
                for (int64_t r = r0; r < rows && r < r0 + BLOCK; r++)
                    y[c * rows + r] = x[r * stride + c];
}
