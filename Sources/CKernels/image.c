// Planes of an image: normalisation, the columns of a convolution, resampling.
#include <math.h>

#include "vector.h"

void ck_moments(const float *x, int64_t n, float eps, float *mean, float *inverse_deviation) {
    enum { LANES = 16 };
    double sum[LANES] = {0}, squares[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double v = x[i + k];
            sum[k] += v;
            squares[k] += v * v;
        }
    for (; i < n; i++) {
        sum[0] += x[i];
        squares[0] += (double)x[i] * x[i];
    }
    double s = 0, q = 0;
    for (int k = 0; k < LANES; k++) {
        s += sum[k];
        q += squares[k];
    }
    double m = s / (double)n, variance = q / (double)n - m * m;
    *mean = (float)m;
    *inverse_deviation = (float)(1.0 / sqrt((variance > 0 ? variance : 0) + (double)eps));
}

INLINE void ck_normalize_plane_body(
    const float *x, float factor, float offset, int silu, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16f v = load(x + i) * factor + offset;
        store(y + i, silu ? vector_silu(v) : v);
    }
    if (i < n) {
        v16f v = load_tail(x + i, n - i, 0) * factor + offset;
        store_tail(y + i, silu ? vector_silu(v) : v, n - i);
    }
}
KERNEL(
    ck_normalize_plane,
    (const float *x, float factor, float offset, int silu, float *y, int64_t n),
    (x, factor, offset, silu, y, n))

static void zero(float *p, int64_t n) { memset(p, 0, (size_t)n * sizeof(float)); }

/// One output-row segment [ox, ox + n) of one tap: input row `row` (NULL when outside).
static void copy_tap(
    const float *row, int64_t width, int stride, int64_t ox, int64_t n, int64_t shift, float *out) {
    if (!row) {
        zero(out, n);
        return;
    }
    // Input column of output column o is o * stride + shift.
    int64_t first = 0;
    while (first < n && (ox + first) * stride + shift < 0) out[first++] = 0;
    int64_t last = n;
    while (last > first && (ox + last - 1) * stride + shift >= width) out[--last] = 0;
    const float *in = row + (ox + first) * stride + shift;
    if (stride == 1) memcpy(out + first, in, (size_t)(last - first) * sizeof(float));
    else
        for (int64_t i = first; i < last; i++) out[i] = in[(i - first) * stride];
}

void ck_im2col(
    const float *x, int64_t channels, int64_t height, int64_t width, int kernel, int stride,
    int pad_top, int pad_left, int64_t out_width, int64_t first, int64_t count, float *columns) {
    for (int64_t c = 0; c < channels; c++)
        for (int ky = 0; ky < kernel; ky++)
            for (int kx = 0; kx < kernel; kx++) {
                float *out = columns;
                columns += count;
                for (int64_t done = 0; done < count;) {
                    int64_t pixel = first + done;
                    int64_t oy = pixel / out_width, ox = pixel % out_width;
                    int64_t n = out_width - ox < count - done ? out_width - ox : count - done;
                    int64_t y = oy * stride + ky - pad_top;
                    const float *row
                        = y < 0 || y >= height ? NULL : x + (c * height + y) * width;
                    copy_tap(row, width, stride, ox, n, kx - pad_left, out + done);
                    done += n;
                }
            }
}

void ck_upsample2(const float *x, int64_t height, int64_t width, float *y) {
    for (int64_t r = 0; r < height; r++) {
        float *a = y + 2 * r * 2 * width, *b = a + 2 * width;
        for (int64_t i = 0; i < width; i++) a[2 * i] = a[2 * i + 1] = x[r * width + i];
        memcpy(b, a, (size_t)(2 * width) * sizeof(float));
    }
}

INLINE void ck_interleave_body(const float *even, const float *odd, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[2 * i] = even[i];
        y[2 * i + 1] = odd[i];
    }
}
KERNEL(
    ck_interleave, (const float *even, const float *odd, float *y, int64_t n), (even, odd, y, n))
