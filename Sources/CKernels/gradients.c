// Backward kernels of activations, norms and gates, and the optimiser's step.
#include <math.h>

#include "CKernelsGradients.h"
#include "vector.h"

INLINE v16f sigmoid(v16f x) { return 1.0f / (1.0f + vector_exp(-x)); }
/// d silu(x)/dx = s + x s (1 - s)
INLINE v16f silu_slope(v16f x, v16f s) { return s * (1.0f + x * (1.0f - s)); }

/// The last `n` < 16 values of an array that `value` replaces or is added to.
INLINE void put_tail(float *p, v16f value, int64_t n, int adds) {
    store_tail(p, adds ? load_tail(p, n, 0) + value : value, n);
}
INLINE void put(float *p, v16f value, int adds) { store(p, adds ? load(p) + value : value); }

INLINE void ck_silu_gradient_body(
    const float *x, const float *dy, float *dx, int64_t n, int adds) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16f a = load(x + i);
        put(dx + i, load(dy + i) * silu_slope(a, sigmoid(a)), adds);
    }
    if (i < n) {
        v16f a = load_tail(x + i, n - i, 0);
        put_tail(dx + i, load_tail(dy + i, n - i, 0) * silu_slope(a, sigmoid(a)), n - i, adds);
    }
}
KERNEL(
    ck_silu_gradient, (const float *x, const float *dy, float *dx, int64_t n, int adds),
    (x, dy, dx, n, adds))

INLINE void ck_silu_product_gradient_body(
    const float *a, const float *b, const float *dy, float *da, int adds_a, float *db, int adds_b,
    int64_t n) {
    for (int64_t i = 0; i < n; i += 16) {
        int64_t rest = n - i;
        int whole = rest >= 16;
        v16f x = whole ? load(a + i) : load_tail(a + i, rest, 0);
        v16f y = whole ? load(b + i) : load_tail(b + i, rest, 0);
        v16f g = whole ? load(dy + i) : load_tail(dy + i, rest, 0);
        v16f s = sigmoid(x);
        v16f ga = g * y * silu_slope(x, s), gb = g * x * s;
        if (whole) {
            put(da + i, ga, adds_a);
            put(db + i, gb, adds_b);
        } else {
            put_tail(da + i, ga, rest, adds_a);
            put_tail(db + i, gb, rest, adds_b);
        }
    }
}
KERNEL(
    ck_silu_product_gradient,
    (const float *a, const float *b, const float *dy, float *da, int adds_a, float *db, int adds_b,
     int64_t n),
    (a, b, dy, da, adds_a, db, adds_b, n))

INLINE void ck_tanh_gradient_body(
    const float *y, const float *dy, float *dx, int64_t n, int adds) {
    for (int64_t i = 0; i < n; i++) {
        float g = dy[i] * (1.0f - y[i] * y[i]);
        dx[i] = adds ? dx[i] + g : g;
    }
}
KERNEL(
    ck_tanh_gradient, (const float *y, const float *dy, float *dx, int64_t n, int adds),
    (y, dy, dx, n, adds))

INLINE void ck_scaled_body(const float *x, float factor, float *y, int64_t n, int adds) {
    if (adds)
        for (int64_t i = 0; i < n; i++) y[i] += factor * x[i];
    else
        for (int64_t i = 0; i < n; i++) y[i] = factor * x[i];
}
KERNEL(
    ck_scaled, (const float *x, float factor, float *y, int64_t n, int adds),
    (x, factor, y, n, adds))

/// a · b and so on over a row, in 16 lanes and a tail.
INLINE float row_dot(const float *a, const float *b, int64_t n) {
    v16f s = 0;
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) s += load(a + i) * load(b + i);
    if (i < n) s += load_tail(a + i, n - i, 0) * load_tail(b + i, n - i, 0);
    return horizontal_sum(s);
}

INLINE float factor_at(const float *vector, int64_t i) { return vector ? vector[i] : 1.0f; }

/// y = x f w s  =>  g = dy w s, dx = f (g - x f² mean(g x)), dw = dy x f s, ds = dy x f w.
INLINE void rms_row_gradient(
    const float *x, const float *w, const float *s, const float *dy, float *dx, int adds,
    float *dw, float *ds, int64_t n, float eps) {
    float f = 1.0f / sqrtf(row_dot(x, x, n) / (float)n + eps);
    v16f total = 0;
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16f g = load(dy + i);
        if (w) g *= load(w + i);
        if (s) g *= load(s + i);
        total += g * load(x + i);
    }
    float dot = horizontal_sum(total);
    for (; i < n; i++) dot += dy[i] * factor_at(w, i) * factor_at(s, i) * x[i];
    float pull = dot / (float)n * f * f;
    if (dw && s)
        for (i = 0; i < n; i++) dw[i] += dy[i] * x[i] * f * s[i];
    else if (dw)
        for (i = 0; i < n; i++) dw[i] += dy[i] * x[i] * f;
    if (ds && w)
        for (i = 0; i < n; i++) ds[i] += dy[i] * x[i] * f * w[i];
    else if (ds)
        for (i = 0; i < n; i++) ds[i] += dy[i] * x[i] * f;
    for (i = 0; i + 16 <= n; i += 16) {
        v16f g = load(dy + i);
        if (w) g *= load(w + i);
        if (s) g *= load(s + i);
        put(dx + i, f * (g - load(x + i) * pull), adds);
    }
    for (; i < n; i++) {
        float g = f * (dy[i] * factor_at(w, i) * factor_at(s, i) - x[i] * pull);
        dx[i] = adds ? dx[i] + g : g;
    }
}

INLINE void ck_rms_norm_gradient_body(
    const float *x, const float *weight, const float *scale, const float *dy, float *dx, int adds,
    float *dweight, float *dscale, int64_t rows, int64_t n, float eps) {
    for (int64_t r = 0; r < rows; r++)
        rms_row_gradient(
            x + r * n, weight, scale, dy + r * n, dx + r * n, adds, dweight, dscale, n, eps);
}
KERNEL(
    ck_rms_norm_gradient,
    (const float *x, const float *weight, const float *scale, const float *dy, float *dx, int adds,
     float *dweight, float *dscale, int64_t rows, int64_t n, float eps),
    (x, weight, scale, dy, dx, adds, dweight, dscale, rows, n, eps))

/// y = (x - m) f s  =>  g = dy s, dx = f (g - mean(g) - xn mean(g xn)), ds = dy xn.
INLINE void ck_layer_norm_gradient_body(
    const float *x, const float *scale, const float *dy, float *dx, int adds, float *dscale,
    int64_t rows, int64_t n, float eps) {
    for (int64_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
        float mean = 0, variance = 0, mean_g = 0, mean_gx = 0;
        for (int64_t i = 0; i < n; i++) mean += x[i];
        mean /= (float)n;
        for (int64_t i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean);
        float f = 1.0f / sqrtf(variance / (float)n + eps);
        for (int64_t i = 0; i < n; i++) {
            float g = dy[i] * factor_at(scale, i), xn = (x[i] - mean) * f;
            mean_g += g;
            mean_gx += g * xn;
            if (dscale) dscale[i] += dy[i] * xn;
        }
        mean_g /= (float)n;
        mean_gx /= (float)n;
        for (int64_t i = 0; i < n; i++) {
            float g = dy[i] * factor_at(scale, i), xn = (x[i] - mean) * f;
            float value = f * (g - mean_g - xn * mean_gx);
            dx[i] = adds ? dx[i] + value : value;
        }
    }
}
KERNEL(
    ck_layer_norm_gradient,
    (const float *x, const float *scale, const float *dy, float *dx, int adds, float *dscale,
     int64_t rows, int64_t n, float eps),
    (x, scale, dy, dx, adds, dscale, rows, n, eps))

INLINE void ck_gated_add_gradient_body(
    const float *z, const float *gate, const float *dy, float *dz, int adds, float *dgate,
    int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++, z += n, dy += n, dz += n) {
        if (dgate)
            for (int64_t i = 0; i < n; i++) dgate[i] += dy[i] * z[i];
        if (gate && adds)
            for (int64_t i = 0; i < n; i++) dz[i] += gate[i] * dy[i];
        else if (gate)
            for (int64_t i = 0; i < n; i++) dz[i] = gate[i] * dy[i];
        else if (adds)
            for (int64_t i = 0; i < n; i++) dz[i] += dy[i];
        else
            for (int64_t i = 0; i < n; i++) dz[i] = dy[i];
    }
}
KERNEL(
    ck_gated_add_gradient,
    (const float *z, const float *gate, const float *dy, float *dz, int adds, float *dgate,
     int64_t rows, int64_t n),
    (z, gate, dy, dz, adds, dgate, rows, n))

INLINE void ck_column_sums_body(const float *x, int64_t rows, int64_t n, float *sums) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) sums[i] += x[r * n + i];
}
KERNEL(
    ck_column_sums, (const float *x, int64_t rows, int64_t n, float *sums), (x, rows, n, sums))

INLINE void ck_head_norm_rotary_gradient_body(
    const float *x, const float *weight, float eps, const float *cosine, const float *sine,
    int interleaved, const float *dy, float *dx, int adds, float *dweight, int64_t heads,
    int64_t d) {
    enum { LARGEST = 1024 };
    float turned[LARGEST];
    int64_t half = d / 2;
    if (d > LARGEST) __builtin_trap();
    for (int64_t h = 0; h < heads; h++, x += d, dy += d, dx += d) {
        const float *g = dy;
        if (cosine) {
            // A rotation's gradient is the rotation back.
            int64_t step = interleaved ? 2 : 1, other = interleaved ? 1 : half;
            for (int64_t i = 0; i < half; i++) {
                float re = dy[i * step], im = dy[i * step + other];
                turned[i * step] = re * cosine[i] + im * sine[i];
                turned[i * step + other] = im * cosine[i] - re * sine[i];
            }
            g = turned;
        }
        if (weight) rms_row_gradient(x, weight, 0, g, dx, adds, dweight, 0, d, eps);
        else if (adds)
            for (int64_t i = 0; i < d; i++) dx[i] += g[i];
        else
            for (int64_t i = 0; i < d; i++) dx[i] = g[i];
    }
}
KERNEL(
    ck_head_norm_rotary_gradient,
    (const float *x, const float *weight, float eps, const float *cosine, const float *sine,
     int interleaved, const float *dy, float *dx, int adds, float *dweight, int64_t heads,
     int64_t head_dim),
    (x, weight, eps, cosine, sine, interleaved, dy, dx, adds, dweight, heads, head_dim))

INLINE void ck_softmax_gradient_body(
    const float *p, float *dp, int64_t rows, int64_t n, float scale) {
    for (int64_t r = 0; r < rows; r++, p += n, dp += n) {
        float dot = row_dot(p, dp, n);
        for (int64_t i = 0; i < n; i++) dp[i] = scale * p[i] * (dp[i] - dot);
    }
}
KERNEL(
    ck_softmax_gradient, (const float *p, float *dp, int64_t rows, int64_t n, float scale),
    (p, dp, rows, n, scale))

INLINE void ck_normalize_plane_gradient_body(
    const float *x, float mean, float inverse, float weight, float bias, int silu,
    const float *dy, float *du, int64_t n, float *sum, float *product_sum) {
    double total = 0, products = 0;
    // Blocks are summed apart, so that float32 lanes stay exact enough over large planes.
    for (int64_t first = 0; first < n; first += 1024) {
        int64_t end = first + 1024 < n ? first + 1024 : n;
        v16f s = 0, q = 0;
        int64_t i = first;
        for (; i + 16 <= end; i += 16) {
            v16f xn = (load(x + i) - mean) * inverse, g = load(dy + i);
            if (silu) {
                v16f u = xn * weight + bias;
                g *= silu_slope(u, sigmoid(u));
            }
            store(du + i, g);
            s += g;
            q += g * xn;
        }
        if (i < end) {
            v16f xn = (load_tail(x + i, end - i, mean) - mean) * inverse;
            v16f g = load_tail(dy + i, end - i, 0);
            if (silu) {
                v16f u = xn * weight + bias;
                g *= silu_slope(u, sigmoid(u));
            }
            store_tail(du + i, g, end - i);
            s += g;
            q += g * xn;
        }
        total += horizontal_sum(s);
        products += horizontal_sum(q);
    }
    *sum = (float)total;
    *product_sum = (float)products;
}
KERNEL(
    ck_normalize_plane_gradient,
    (const float *x, float mean, float inverse, float weight, float bias, int silu,
     const float *dy, float *du, int64_t n, float *sum, float *product_sum),
    (x, mean, inverse, weight, bias, silu, dy, du, n, sum, product_sum))

INLINE void ck_group_norm_gradient_body(
    const float *x, float mean, float inverse, float weight, const float *du, float mean_g,
    float mean_gx, float *dx, int64_t n, int adds) {
    for (int64_t i = 0; i < n; i++) {
        float xn = (x[i] - mean) * inverse;
        float value = inverse * (weight * du[i] - mean_g - xn * mean_gx);
        dx[i] = adds ? dx[i] + value : value;
    }
}
KERNEL(
    ck_group_norm_gradient,
    (const float *x, float mean, float inverse, float weight, const float *du, float mean_g,
     float mean_gx, float *dx, int64_t n, int adds),
    (x, mean, inverse, weight, du, mean_g, mean_gx, dx, n, adds))

void ck_upsample2_gradient(
    const float *dy, int64_t height, int64_t width, float *dx, int adds) {
    for (int64_t r = 0; r < height; r++) {
        const float *a = dy + 4 * r * width, *b = a + 2 * width;
        for (int64_t i = 0; i < width; i++) {
            float sum = (a[2 * i] + a[2 * i + 1]) + (b[2 * i] + b[2 * i + 1]);
            dx[r * width + i] = adds ? dx[r * width + i] + sum : sum;
        }
    }
}

INLINE void ck_adamw_body(
    float *parameters, const float *gradient, float *first, float *second, int64_t n, float rate,
    float beta1, float beta2, float eps, float decay, float correction1, float correction2) {
    for (int64_t i = 0; i < n; i++) {
        float g = gradient[i];
        first[i] = beta1 * first[i] + (1.0f - beta1) * g;
        second[i] = beta2 * second[i] + (1.0f - beta2) * g * g;
        float step = (first[i] / correction1) / (sqrtf(second[i] / correction2) + eps);
        parameters[i] -= rate * (step + decay * parameters[i]);
    }
}
KERNEL(
    ck_adamw,
    (float *parameters, const float *gradient, float *first, float *second, int64_t n, float rate,
     float beta1, float beta2, float eps, float decay, float correction1, float correction2),
    (parameters, gradient, first, second, n, rate, beta1, beta2, eps, decay, correction1,
     correction2))

INLINE void ck_move_towards_body(float *y, const float *x, float share, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] += (x[i] - y[i]) * share;
}
KERNEL(
    ck_move_towards, (float *y, const float *x, float share, int64_t n), (y, x, share, n))
