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

/// Output columns ox..<ox+n of one row of one tap; `row` is NULL outside the image.
TARGET_AVX512 INLINE void gather_segment(
    const float *row, int64_t width, int stride, int64_t ox, int64_t n, int64_t shift,
    float *out) {
    if (row && stride > 1) {
        for (int64_t i = 0; i < n; i++) {
            int64_t x = (ox + i) * stride + shift;
            out[i] = x >= 0 && x < width ? row[x] : 0;
        }
        return;
    }
    // Lanes outside the row are masked: they are neither read nor anything but zero.
    int64_t first = ox + shift;
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 valid = row ? lanes(-(first + i), width - (first + i)) : 0;
        __m512 values = _mm512_maskz_loadu_ps(valid, (const void *)(row + first + i));
        _mm512_mask_storeu_ps(out + i, lanes(0, n - i), values);
    }
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

/// Taps k0..<k0+depth of output pixels first..<first+count, which may run over several rows. Tap k
/// is channel k / kernel², row and column of the kernel from the rest.
TARGET_AVX512 static void gather_taps(
    const ck_image *image, int64_t first, int64_t count, int64_t k0, int64_t depth, float *out) {
    int64_t y0 = first / image->out_width, x0 = first % image->out_width;
    tap t = first_tap(image, k0);
    for (int64_t k = 0; k < depth; k++, out += WIDTH, next_tap(image, &t)) {
        int64_t oy = y0, ox = x0;
        for (int64_t done = 0; done < count; oy++, ox = 0) {
            int64_t rest = image->out_width - ox;
            int64_t n = rest < count - done ? rest : count - done;
            int64_t y = oy * image->stride + t.row - image->pad_top;
            const float *row
                = y < 0 || y >= image->height ? NULL : t.plane + y * image->width;
            gather_segment(
                row, image->width, image->stride, ox, n, t.column - image->pad_left,
                out + done);
            done += n;
        }
        for (int64_t n = count; n < WIDTH; n++) out[n] = 0;
    }
}

#define PANEL_ROWS 14
#include "product.h"

int ck_product_is_supported(void) { return ck_level == CK_SIMD_AVX512; }

int64_t ck_product_panel_rows(void) { return PANEL_ROWS; }

int64_t ck_product_packed_count(int64_t m, int64_t k) {
    return (m + PANEL_ROWS - 1) / PANEL_ROWS * PANEL_ROWS * k;
}

int64_t ck_product_scratch_count(int64_t n) {
    return (n + WIDTH - 1) / WIDTH * WIDTH * DEPTH + 16;
}

void ck_product_pack(
    const ck_rows *a, int64_t m, int64_t k, int64_t panel, float *packed) {
    pack(a, m, k, panel, packed);
}

void ck_product_pack_lines(
    const float *base, int64_t stride, int64_t m, int64_t k, int64_t panel, float *packed) {
    pack_lines(base, stride, m, k, panel, packed);
}

void ck_product_pack_columns(
    const ck_rows *rows, int64_t first, int64_t count, int64_t k, float *panel) {
    pack_column_panel(rows, first, count, k, panel);
}

void ck_product_run(
    const float *packed, int64_t m, int64_t k, const ck_columns *b, int64_t first, int64_t n,
    float *c, int64_t ldc, int accumulate, float *scratch) {
    run(packed, m, k, b, first, n, c, ldc, accumulate, scratch);
}

void ck_product_few(
    const float *x, int64_t x_stride, int64_t m, int64_t k, const ck_rows *rows, int64_t first,
    int64_t n, float *y, int64_t y_stride, int accumulate) {
    few(x, x_stride, m, k, rows, first, n, y, y_stride, accumulate);
}
