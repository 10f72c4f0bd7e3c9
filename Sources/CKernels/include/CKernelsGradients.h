// Backward kernels: each stands for the gradient of the kernel of the same name without
// `_gradient`.
//
// `adds`: whether a gradient is added to what its array holds or replaces it. Gradients of vectors
// that rows share (weights, scales, gates) are always added.
#pragma once
#include <stdint.h>

/// dx (+)= dy * d silu(x)/dx
void ck_silu_gradient(const float *x, const float *dy, float *dx, int64_t n, int adds);
/// da (+)= dy * b * d silu(a)/da; db (+)= dy * silu(a)
void ck_silu_product_gradient(
    const float *a, const float *b, const float *dy, float *da, int adds_a, float *db, int adds_b,
    int64_t n);
/// dx (+)= dy * (1 - y²), where y = tanh(x)
void ck_tanh_gradient(const float *y, const float *dy, float *dx, int64_t n, int adds);
/// y (+)= factor * x
void ck_scaled(const float *x, float factor, float *y, int64_t n, int adds);

/// Of ck_rms_norm over rows of one sequence. `weight`, `scale` and their gradients may be NULL.
void ck_rms_norm_gradient(
    const float *x, const float *weight, const float *scale, const float *dy, float *dx, int adds,
    float *dweight, float *dscale, int64_t rows, int64_t n, float eps);
/// Of ck_layer_norm over rows of one sequence.
void ck_layer_norm_gradient(
    const float *x, const float *scale, const float *dy, float *dx, int adds, float *dscale,
    int64_t rows, int64_t n, float eps);
/// Of ck_gated_add, without dx, which is dy: dz (+)= gate * dy; dgate += dy * z, if not NULL.
void ck_gated_add_gradient(
    const float *z, const float *gate, const float *dy, float *dz, int adds, float *dgate,
    int64_t rows, int64_t n);
/// sums += sum of rows
void ck_column_sums(const float *x, int64_t rows, int64_t n, float *sums);

/// Of ck_head_norm_rotary for one row; dweight [head_dim] may be NULL.
void ck_head_norm_rotary_gradient(
    const float *x, const float *weight, float eps, const float *cosine, const float *sine,
    int interleaved, const float *dy, float *dx, int adds, float *dweight, int64_t heads,
    int64_t head_dim);
/// Of softmax(scale * s) by row, in place: dp becomes scale * p * (dp - sum(p * dp)).
void ck_softmax_gradient(const float *p, float *dp, int64_t rows, int64_t n, float scale);

/// Of ck_normalize_plane with factor = inverse * weight and offset = bias - mean * factor, first
/// part: du (the gradient before SiLU), its sum, and its sum times the normalised value.
void ck_normalize_plane_gradient(
    const float *x, float mean, float inverse, float weight, float bias, int silu,
    const float *dy, float *du, int64_t n, float *sum, float *product_sum);
/// Second part: dx (+)= inverse * (weight * du - mean_g - normalised x * mean_gx), where the means
/// are over the group, of g = weight * du and of g times the normalised value.
void ck_group_norm_gradient(
    const float *x, float mean, float inverse, float weight, const float *du, float mean_g,
    float mean_gx, float *dx, int64_t n, int adds);
/// y (+)= sum of each 2 x 2 block of a plane [2 height][2 width]
void ck_upsample2_gradient(
    const float *dy, int64_t height, int64_t width, float *dx, int adds);

/// One step of AdamW (Loshchilov & Hutter 2019), in place. `correction1`, `correction2`: 1 -
/// beta^t.
void ck_adamw(
    float *parameters, const float *gradient, float *first, float *second, int64_t n, float rate,
    float beta1, float beta2, float eps, float decay, float correction1, float correction2);
/// y += (x - y) * share
void ck_move_towards(float *y, const float *x, float share, int64_t n);
