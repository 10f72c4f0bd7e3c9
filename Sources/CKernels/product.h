// The product's inner kernels. A tile of C is PANEL_ROWS x 32: two vectors a row, which with
// PANEL_ROWS = 14 fills the 32 registers of AVX-512. OpenBLAS serves narrower instruction sets.

/// One tile: `rows` of the panel's rows count, a constant where it is called.
INLINE void tile(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int rows,
    int accumulate) {
    v16f sums[PANEL_ROWS][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = 0;
    for (int64_t k = 0; k < depth; k++) {
        v16f b0 = load(b + k * WIDTH), b1 = load(b + k * WIDTH + 16);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            v16f value = a[k * PANEL_ROWS + r];
            sums[r][0] += value * b0;
            sums[r][1] += value * b1;
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        float *row = c + r * ldc;
        store(row, accumulate ? load(row) + sums[r][0] : sums[r][0]);
        store(row + 16, accumulate ? load(row + 16) + sums[r][1] : sums[r][1]);
    }
}

TARGET_AVX512 static void full_tile(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int accumulate) {
    tile(depth, a, b, c, ldc, PANEL_ROWS, accumulate);
}
TARGET_AVX512 static void tile8(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int accumulate) {
    tile(depth, a, b, c, ldc, 8, accumulate);
}
TARGET_AVX512 static void tile4(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int accumulate) {
    tile(depth, a, b, c, ldc, 4, accumulate);
}

/// A tile of which only `rows` x `columns` exist: computed beside and copied.
TARGET_AVX512 static void part_tile(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int64_t rows,
    int64_t columns, int accumulate) {
    float part[PANEL_ROWS * WIDTH];
    if (rows <= 4) tile4(depth, a, b, part, WIDTH, 0);
    else if (rows <= 8) tile8(depth, a, b, part, WIDTH, 0);
    else
        full_tile(depth, a, b, part, WIDTH, 0);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t n = 0; n < columns; n++) {
            float value = part[r * WIDTH + n];
            c[r * ldc + n] = accumulate ? c[r * ldc + n] + value : value;
        }
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

TARGET_AVX512 static void pack_panel(
    const ck_rows *rows, int64_t first_row, int64_t count, int64_t first, int64_t depth,
    int64_t lanes, float *out) {
    pack_rows(rows, first_row, count, first, depth, lanes, out);
}

TARGET_AVX512 static void pack_column_panel(
    const ck_rows *rows, int64_t first, int64_t count, int64_t k, float *panel) {
    pack_rows(rows, first, count, 0, k, WIDTH, panel);
}

/// `depth` lines of `count` floats, each filled up with zeros to `lanes`.
TARGET_AVX512 INLINE void copy_lines(
    const float *lines, int64_t stride, int64_t depth, int64_t count, int64_t lanes, float *out) {
    __mmask16 low = (__mmask16)(count >= 16 ? 0xffff : (1 << count) - 1);
    __mmask16 high = (__mmask16)(count >= 32 ? 0xffff : count <= 16 ? 0 : (1 << (count - 16)) - 1);
    for (int64_t k = 0; k < depth; k++) {
        const float *line = lines + k * stride;
        __m512 a = _mm512_maskz_loadu_ps(low, line);
        if (lanes == PANEL_ROWS) {
            _mm512_mask_storeu_ps(out + k * lanes, (1 << PANEL_ROWS) - 1, a);
        } else {
            _mm512_storeu_ps(out + k * lanes, a);
            _mm512_storeu_ps(out + k * lanes + 16, _mm512_maskz_loadu_ps(high, line + 16));
        }
    }
}

TARGET_AVX512 static void run(
    const float *packed, int64_t m, int64_t k, const ck_columns *b, int64_t first, int64_t n,
    float *c, int64_t ldc, int accumulate, float *scratch) {
    int64_t panels = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
        for (int64_t j = 0; j < n; j += WIDTH) {
            int64_t count = n - j < WIDTH ? n - j : WIDTH;
            float *out = scratch + j * DEPTH;
            if (b->kind == CK_FROM_ROWS)
                pack_panel(&b->rows, first + j, count, k0, depth, WIDTH, out);
            else if (b->kind == CK_FROM_IMAGE)
                gather_taps(&b->image, first + j, count, k0, depth, out);
            else if (b->kind == CK_FROM_LINES)
                copy_lines(
                    (const float *)b->rows.base + k0 * b->rows.stride + first + j,
                    b->rows.stride, depth, count, WIDTH, out);
        }
        const float *block = packed + k0 * panels * PANEL_ROWS;
        int adds = accumulate || k0 > 0;
        for (int64_t p = 0; p < panels; p++) {
            const float *a = block + p * depth * PANEL_ROWS;
            int64_t rows = m - p * PANEL_ROWS < PANEL_ROWS ? m - p * PANEL_ROWS : PANEL_ROWS;
            for (int64_t j = 0; j < n; j += WIDTH) {
                int64_t count = n - j < WIDTH ? n - j : WIDTH;
                float *tile = c + p * PANEL_ROWS * ldc + j;
                const float *panel = b->kind == CK_FROM_PANELS
                    ? b->panels + (first + j) * k + k0 * WIDTH
                    : scratch + j * DEPTH;
                if (rows == PANEL_ROWS && count == WIDTH)
                    full_tile(depth, a, panel, tile, ldc, adds);
                else part_tile(depth, a, panel, tile, ldc, rows, count, adds);
            }
        }
    }
}

TARGET_AVX512 static void pack(
    const ck_rows *a, int64_t m, int64_t k, int64_t panel, float *packed) {
    int64_t panels = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    int64_t first = panel * PANEL_ROWS;
    int64_t count = m - first < PANEL_ROWS ? m - first : PANEL_ROWS;
    // A panel's store may run over its end by less than 16 floats: into a local copy, then.
    float copy[DEPTH * PANEL_ROWS + 16];
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
        pack_panel(a, first, count, k0, depth, PANEL_ROWS, copy);
        memcpy(
            packed + k0 * panels * PANEL_ROWS + panel * depth * PANEL_ROWS, copy,
            (size_t)(depth * PANEL_ROWS) * sizeof(float));
    }
}

TARGET_AVX512 static void pack_lines(
    const float *base, int64_t stride, int64_t m, int64_t k, int64_t panel, float *packed) {
    int64_t panels = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    int64_t first = panel * PANEL_ROWS;
    int64_t count = m - first < PANEL_ROWS ? m - first : PANEL_ROWS;
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
        copy_lines(
            base + k0 * stride + first, stride, depth, count, PANEL_ROWS,
            packed + k0 * panels * PANEL_ROWS + panel * depth * PANEL_ROWS);
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

TARGET_AVX512 static void few(
    const float *x, int64_t x_stride, int64_t m, int64_t k, const ck_rows *rows, int64_t first,
    int64_t n, float *y, int64_t y_stride, int accumulate) {
    few_body(x, x_stride, m, k, rows, first, n, y, y_stride, accumulate);
}
