// Matrix products with packed operands.
//
// C [M, N] (+)= A [M, K] · B [K, N]. A is packed once into panels of ck_product_panel_rows() rows;
// B is packed block by block on its way in, from weights of any element type (whose rows run along
// K) or straight from an image (convolution), or it comes in panels already. An element of C is
// summed in the order of K in blocks of 256, wherever it lies in the matrix and however the work is
// split. For AVX-512 and for AVX2 with FMA; other processors use OpenBLAS.
#pragma once
#include <stdint.h>

enum { CK_FLOAT32 = 0, CK_FLOAT16 = 1, CK_BFLOAT16 = 2 };

/// Rows that run along K: row r starts at `base` + r * stride elements.
typedef struct {
    const void *base;
    int64_t stride;
    int type;
} ck_rows;

/// The input of a convolution: planes of height x width, square kernel, zeros outside.
typedef struct {
    const float *planes;
    int64_t height, width, out_width;
    int kernel, stride, pad_top, pad_left;
} ck_image;

enum { CK_FROM_ROWS = 0, CK_FROM_IMAGE = 1, CK_FROM_PANELS = 2, CK_FROM_LINES = 3 };

/// Where B comes from.
typedef struct {
    /// CK_FROM_ROWS: column n of B is row n of `rows`. CK_FROM_IMAGE: row k of B is a tap of
    /// `image`, column n an output pixel. CK_FROM_PANELS: groups of 32 columns one after another,
    /// [k][32] each; the first column of a product is then a multiple of 32. CK_FROM_LINES: row k
    /// of B is row k of `rows`, which are float32.
    int kind;
    ck_rows rows;
    ck_image image;
    const float *panels;
} ck_columns;

/// Whether this processor has what the products need, and they are not switched off by
/// ck_set_simd_level.
int ck_product_is_supported(void);
/// Rows of A a panel.
int64_t ck_product_panel_rows(void);
/// Floats that the packed A takes.
int64_t ck_product_packed_count(int64_t m, int64_t k);
/// Packs panel `panel` (all of K) into `packed`, which holds the whole of A.
void ck_product_pack(
    const ck_rows *a, int64_t m, int64_t k, int64_t panel, float *packed);
/// The same from Aᵀ: row k of the float32 matrix `base` holds column k of A, rows are `stride`
/// floats apart.
void ck_product_pack_lines(
    const float *base, int64_t stride, int64_t m, int64_t k, int64_t panel, float *packed);
/// Packs `count` (at most 32) rows from `first` on as columns of B into a panel [k][32], with zeros
/// for the missing ones.
void ck_product_pack_columns(
    const ck_rows *rows, int64_t first, int64_t count, int64_t k, float *panel);
/// Floats of scratch memory that ck_product_run needs for `n` columns.
int64_t ck_product_scratch_count(int64_t n);
/// Columns first..<first+n of C: c points to column `first` of row 0, rows are ldc apart.
void ck_product_run(
    const float *packed, int64_t m, int64_t k, const ck_columns *b, int64_t first, int64_t n,
    float *c, int64_t ldc, int accumulate, float *scratch);

/// y[r] = x[r] · rows[first..<first+n]ᵀ for a few rows of x: no packing, for products that are
/// bound by reading the weights.
void ck_product_few(
    const float *x, int64_t x_stride, int64_t m, int64_t k, const ck_rows *rows, int64_t first,
    int64_t n, float *y, int64_t y_stride, int accumulate);
