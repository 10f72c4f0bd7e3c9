// CKernels: the numeric inner loops of the engine, and the thread pool that runs them.
//
// Every vector kernel is written once over 16-lane vectors and compiled three times: for the
// baseline instruction set, for AVX2+FMA and for AVX-512. The variant is chosen at run time;
// ck_set_simd_level lets a test run each one against the others. Rows are contiguous, row-major.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "CKernelsGradients.h"
#include "CKernelsProduct.h"

// MARK: Instruction sets

enum { CK_SIMD_BASELINE = 0, CK_SIMD_AVX2 = 1, CK_SIMD_AVX512 = 2 };

/// The best level that this processor supports.
int ck_simd_supported(void);
/// The level in use on this thread.
int ck_simd_level(void);
/// On this thread alone, uses `level`, or the best supported one below it; -1 ends that. For tests.
void ck_set_simd_level(int level);

// MARK: Memory

/// From now on the process keeps freed memory for later allocations instead of returning it: a
/// training step allocates and frees the same large blocks over and over, and fresh pages are slow.
void ck_keep_freed_memory(void);

// MARK: Thread pool

typedef struct ck_pool ck_pool;
/// Starts `threads - 1` threads; the caller of ck_pool_run is the last one. NULL when the system
/// refuses a thread.
ck_pool *ck_pool_create(int threads);
void ck_pool_destroy(ck_pool *pool);
/// Calls body(context, index, slot) once for each index in 0..<count, on all threads; returns when
/// all have returned. `slot` (0..<threads) names the thread, for scratch memory. Which thread runs
/// an index is not fixed: results must not depend on it. Not reentrant.
void ck_pool_run(
    ck_pool *pool, int64_t count, void (*body)(void *context, int64_t index, int slot),
    void *context);

// MARK: Conversion (round to nearest, ties to even)

void ck_bf16_to_f32(const uint16_t *x, float *y, int64_t n);
void ck_f16_to_f32(const uint16_t *x, float *y, int64_t n);
void ck_f32_to_bf16(const float *x, uint16_t *y, int64_t n);
void ck_f32_to_f16(const float *x, uint16_t *y, int64_t n);

// MARK: Element by element

/// y = x / (1 + exp(-x))
void ck_silu(const float *x, float *y, int64_t n);
/// y = silu(a) * b
void ck_silu_product(const float *a, const float *b, float *y, int64_t n);
void ck_add(const float *a, const float *b, float *y, int64_t n);
/// y = a * x + b
void ck_affine(const float *x, float a, float b, float *y, int64_t n);
/// y = exp(x), for tests of the polynomial
void ck_exp(const float *x, float *y, int64_t n);
/// Sum of squares in a fixed order.
double ck_sum_of_squares(const float *x, int64_t n);

// MARK: Rows

/// y[r] = x[r] * rsqrt(mean(x[r]²) + eps) * weight * scale; `weight` and `scale` may be NULL.
void ck_rms_norm(
    const float *x, const float *weight, const float *scale, float *y, int64_t rows, int64_t n,
    float eps);
/// y[r] = (x[r] - mean) / sqrt(variance + eps) * scale; `scale` may be NULL.
void ck_layer_norm(
    const float *x, const float *scale, float *y, int64_t rows, int64_t n, float eps);
/// y[r] = x[r] + gate * z[r]; `gate` may be NULL, which means 1.
void ck_gated_add(
    const float *x, const float *z, const float *gate, float *y, int64_t rows, int64_t n);
/// y[r] = x[r] + bias
void ck_add_bias(float *y, const float *bias, int64_t rows, int64_t n);

// MARK: Attention

/// For one token row of `heads` heads of `head_dim`: RMS norm of each head (if `weight` is not
/// NULL), then rotation by (cosine, sine), head_dim / 2 each (if not NULL). `interleaved`: pairs
/// are (2i, 2i+1), else (i, i + head_dim/2).
void ck_head_norm_rotary(
    const float *x, const float *weight, float eps, const float *cosine, const float *sine,
    int interleaved, float *y, int64_t heads, int64_t head_dim);
/// In place over rows of `stride` floats: x = exp(scale * x - max), of which the first
/// `lengths ? lengths[r] : n` entries of row r count and the rest up to n become 0. sums[r] is the
/// row's sum; entropies[r], if not NULL, is the entropy in nats of the row divided by its sum.
void ck_softmax_numerators(
    float *x, int64_t rows, int64_t n, int64_t stride, float scale, const int32_t *lengths,
    float *sums, float *entropies);
/// The same over a panel [keys][32] whose columns are queries: x = exp(scale * x - max of the
/// column), sums and entropies by column. Of column q only the first limits[q] keys count, the
/// others become 0; all of them when `limits` is NULL.
void ck_softmax_panel(
    float *x, int64_t keys, float scale, const int32_t *limits, float *sums, float *entropies);
/// y[q] = column q of a panel [d][32] divided by sums[q], for the first `count` columns.
void ck_unpanel_scaled(
    const float *panel, int64_t d, const float *sums, int64_t count, float *y, int64_t y_stride);
/// y [columns, rows] = x [rows, columns]ᵀ, rows of x `stride` floats apart.
void ck_transpose(const float *x, int64_t stride, int64_t rows, int64_t columns, float *y);
/// y[r] = x[r] * factor[r] with the rows strided.
void ck_scale_rows(
    const float *x, int64_t x_stride, const float *factors, float *y, int64_t y_stride,
    int64_t rows, int64_t n);

// MARK: Images (planes of height x width)

/// mean and 1/sqrt(variance + eps) over n values, in double precision.
void ck_moments(const float *x, int64_t n, float eps, float *mean, float *inverse_deviation);
/// y = x * factor + offset, then SiLU if `silu`.
void ck_normalize_plane(
    const float *x, float factor, float offset, int silu, float *y, int64_t n);
/// Columns of a 3x3 or 1x1 convolution for output pixels first..<first+count (row-major over
/// out_width): row (c * kernel² + ky * kernel + kx) of `columns` (stride `count`) holds the input
/// value under that tap, 0 outside. Input: `channels` planes of height x width.
void ck_im2col(
    const float *x, int64_t channels, int64_t height, int64_t width, int kernel, int stride,
    int pad_top, int pad_left, int64_t out_width, int64_t first, int64_t count, float *columns);
/// Nearest-neighbour doubling of one plane.
void ck_upsample2(const float *x, int64_t height, int64_t width, float *y);
/// y = even[0], odd[0], even[1], odd[1], …: 2n values.
void ck_interleave(const float *even, const float *odd, float *y, int64_t n);
