// Matrix products with packed operands: what does not depend on the instruction set, and the calls.
// The scheme is that of Goto & van de Geijn 2008: panels of A and B small enough for the caches,
// and a tile of C in registers.
#include <immintrin.h>

#include "vector.h"

/// Depth of a block of K: a panel of B then takes 32 KiB.
enum { DEPTH = 256, WIDTH = 32 };

INLINE v16f load_row(const ck_rows *rows, int64_t row, int64_t first) {
    int64_t offset = row * rows->stride + first;
    if (rows->type == CK_FLOAT32) return load((const float *)rows->base + offset);
    const uint16_t *half = (const uint16_t *)rows->base + offset;
    if (rows->type == CK_BFLOAT16)
        return (v16f)(__builtin_convertvector(*(const v16h *)half, v16u) << 16);
    v16f out;
    for (int i = 0; i < 16; i++) out[i] = (float)((const _Float16 *)half)[i];
    return out;
}

INLINE float load_value(const ck_rows *rows, int64_t row, int64_t column) {
    int64_t offset = row * rows->stride + column;
    if (rows->type == CK_FLOAT32) return ((const float *)rows->base)[offset];
    if (rows->type == CK_FLOAT16) return (float)((const _Float16 *)rows->base)[offset];
    uint32_t bits = (uint32_t)((const uint16_t *)rows->base)[offset] << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/// Lanes lo..<hi of 16.
INLINE __mmask16 lanes(int64_t lo, int64_t hi) {
    if (lo < 0) lo = 0;
    if (hi > 16) hi = 16;
    return hi <= lo ? 0 : (__mmask16)((0xffffu << lo) & (0xffffu >> (16 - hi)));
}

/// Every `stride`-th value of a row, 0 outside.
INLINE void gather_strided(
    const float *row, int64_t width, int stride, int64_t ox, int64_t n, int64_t shift,
    float *out) {
    for (int64_t i = 0; i < n; i++) {
        int64_t x = (ox + i) * stride + shift;
        out[i] = x >= 0 && x < width ? row[x] : 0;
    }
}

/// Output columns ox..<ox+n of one row of one tap; `row` is NULL outside the image. Lanes outside
/// the row are masked: they are neither read nor anything but zero.
TARGET_AVX512 INLINE void gather_segment_avx512(
    const float *row, int64_t width, int stride, int64_t ox, int64_t n, int64_t shift,
    float *out) {
    if (row && stride > 1) {
        gather_strided(row, width, stride, ox, n, shift, out);
        return;
    }
    int64_t first = ox + shift;
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 valid = row ? lanes(-(first + i), width - (first + i)) : 0;
        __m512 values = _mm512_maskz_loadu_ps(valid, (const void *)(row + first + i));
        _mm512_mask_storeu_ps(out + i, lanes(0, n - i), values);
    }
}

TARGET_AVX2 INLINE void gather_segment_avx2(
    const float *row, int64_t width, int stride, int64_t ox, int64_t n, int64_t shift,
    float *out) {
    if (row && stride > 1) {
        gather_strided(row, width, stride, ox, n, shift, out);
        return;
    }
    int64_t first = ox + shift;
    int64_t before = !row ? n : first < 0 ? (-first < n ? -first : n) : 0;
    int64_t end = !row ? n : width - first < n ? width - first : n;
    for (int64_t i = 0; i < before; i++) out[i] = 0;
    for (int64_t i = before; i < end; i++) out[i] = row[first + i];
    for (int64_t i = end > before ? end : before; i < n; i++) out[i] = 0;
}

/// `depth` lines of `count` floats, each filled up with zeros to `lanes`.
TARGET_AVX512 INLINE void copy_lines_avx512(
    const float *lines, int64_t stride, int64_t depth, int64_t count, int64_t width, float *out) {
    for (int64_t k = 0; k < depth; k++)
        for (int64_t i = 0; i < width; i += 16) {
            __m512 values = _mm512_maskz_loadu_ps(lanes(0, count - i), lines + k * stride + i);
            _mm512_mask_storeu_ps(out + k * width + i, lanes(0, width - i), values);
        }
}

TARGET_AVX2 INLINE void copy_lines_avx2(
    const float *lines, int64_t stride, int64_t depth, int64_t count, int64_t width, float *out) {
    if (count == width) {
        for (int64_t k = 0; k < depth; k++)
            for (int64_t i = 0; i < width; i++) out[k * width + i] = lines[k * stride + i];
        return;
    }
    for (int64_t k = 0; k < depth; k++)
        for (int64_t i = 0; i < width; i++)
            out[k * width + i] = i < count ? lines[k * stride + i] : 0;
}

/// Where a tap of the kernel lies: kept while k counts up, so that nothing is divided.
typedef struct {
    const float *plane;
    int row, column;
} tap;

INLINE tap first_tap(const ck_image *image, int64_t k) {
    int area = image->kernel * image->kernel;
    int64_t channel = k / area;
    return (tap){
        image->planes + channel * image->height * image->width,
        (int)(k % area) / image->kernel, (int)(k % area) % image->kernel};
}

INLINE void next_tap(const ck_image *image, tap *t) {
    if (++t->column < image->kernel) return;
    t->column = 0;
    if (++t->row < image->kernel) return;
    t->row = 0;
    t->plane += image->height * image->width;
}

/// Up to 16 rows of 16 values, transposed: row r of the source becomes lane r.
INLINE void transpose_block(
    const ck_rows *rows, int64_t first_row, int64_t row_count, int64_t first, v16f out[16]) {
    v16f x[16], y[16];
#pragma clang loop unroll(full)
    for (int r = 0; r < 16; r++)
        x[r] = r < row_count ? load_row(rows, first_row + r, first) : (v16f)0;
    for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) {
            y[2 * i] = __builtin_shufflevector(
                x[i], x[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            y[2 * i + 1] = __builtin_shufflevector(
                x[i], x[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) x[i] = y[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) out[i] = x[i];
}

/// Rows first_row..<first_row+count, values first..<first+depth, to out[k * lanes + row]; lanes
/// beyond `count` are 0. Writes up to 16 floats beyond the end.
INLINE void pack_rows(
    const ck_rows *rows, int64_t first_row, int64_t count, int64_t first, int64_t depth,
    int64_t lanes, float *out) {
    for (int64_t part = 0; part < lanes; part += 16) {
        int64_t row_count = count - part < 0 ? 0 : count - part > 16 ? 16 : count - part;
        int64_t k = 0;
        for (; k + 16 <= depth; k += 16) {
            v16f block[16];
            transpose_block(rows, first_row + part, row_count, first + k, block);
            for (int i = 0; i < 16; i++) {
                float *target = out + (k + i) * lanes + part;
                // Lanes beyond this row's end are overwritten by the next rows.
                if (part == 0 || lanes - part >= 16) store(target, block[i]);
            }
        }
        for (; k < depth; k++) {
            float *target = out + k * lanes + part;
            int64_t width = lanes - part < 16 ? lanes - part : 16;
            for (int64_t r = 0; r < width; r++)
                target[r] = r < row_count ? load_value(rows, first_row + part + r, first + k) : 0;
        }
    }
}

/// Four rows of weights at a time against one row of x.
INLINE void few_body(
    const float *x, int64_t x_stride, int64_t m, int64_t k, const ck_rows *rows, int64_t first,
    int64_t n, float *y, int64_t y_stride, int accumulate) {
    for (int64_t j = 0; j < n; j += 4) {
        int64_t count = n - j < 4 ? n - j : 4;
        for (int64_t r = 0; r < m; r++) {
            const float *row = x + r * x_stride;
            v16f sums[4] = {0, 0, 0, 0};
            int64_t i = 0;
            for (; i + 16 <= k; i += 16)
                for (int64_t w = 0; w < count; w++)
                    sums[w] += load(row + i) * load_row(rows, first + j + w, i);
            for (int64_t w = 0; w < count; w++) {
                float sum = horizontal_sum(sums[w]);
                for (int64_t t = i; t < k; t++)
                    sum += row[t] * load_value(rows, first + j + w, t);
                float *target = y + r * y_stride + j + w;
                *target = accumulate ? *target + sum : sum;
            }
        }
    }
}

#define NAME(name) name##_avx512
#define TARGET TARGET_AVX512
#define PANEL_ROWS 14
#define VECTORS 2
#include "product.h"
#undef NAME
#undef TARGET
#undef PANEL_ROWS
#undef VECTORS

#define NAME(name) name##_avx2
#define TARGET TARGET_AVX2
#define PANEL_ROWS 6
#define VECTORS 1
#include "product.h"

/// Calls the variant of the level in use.
#define CHOOSE(name, arguments) \
    (ck_level == CK_SIMD_AVX512 ? name##_avx512 arguments : name##_avx2 arguments)

int ck_product_is_supported(void) { return ck_level >= CK_SIMD_AVX2; }

int64_t ck_product_panel_rows(void) { return ck_level == CK_SIMD_AVX512 ? 14 : 6; }

int64_t ck_product_packed_count(int64_t m, int64_t k) {
    int64_t rows = ck_product_panel_rows();
    return (m + rows - 1) / rows * rows * k;
}

int64_t ck_product_scratch_count(int64_t n) {
    return (n + WIDTH - 1) / WIDTH * WIDTH * DEPTH + 16;
}

void ck_product_pack(
    const ck_rows *a, int64_t m, int64_t k, int64_t panel, float *packed) {
    CHOOSE(pack, (a, m, k, panel, packed));
}

void ck_product_pack_lines(
    const float *base, int64_t stride, int64_t m, int64_t k, int64_t panel, float *packed) {
    CHOOSE(pack_lines, (base, stride, m, k, panel, packed));
}

void ck_product_pack_columns(
    const ck_rows *rows, int64_t first, int64_t count, int64_t k, float *panel) {
    CHOOSE(pack_column_panel, (rows, first, count, k, panel));
}

void ck_product_run(
    const float *packed, int64_t m, int64_t k, const ck_columns *b, int64_t first, int64_t n,
    float *c, int64_t ldc, int accumulate, float *scratch) {
    CHOOSE(run, (packed, m, k, b, first, n, c, ldc, accumulate, scratch));
}

void ck_product_few(
    const float *x, int64_t x_stride, int64_t m, int64_t k, const ck_rows *rows, int64_t first,
    int64_t n, float *y, int64_t y_stride, int accumulate) {
    CHOOSE(few, (x, x_stride, m, k, rows, first, n, y, y_stride, accumulate));
}
