// The product's inner kernels, compiled once for each instruction set by product.c, which defines
// NAME, TARGET, PANEL_ROWS and VECTORS. A tile of C is PANEL_ROWS rows of VECTORS vectors: 14 x 32
// fills the 32 registers of AVX-512, 6 x 16 the 16 registers of AVX2, where a vector of 16 takes
// two. Either sums an element in the same order with the same fused operations.

/// One tile: `rows` of the panel's rows count, a constant where it is called.
INLINE void NAME(tile)(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int rows,
    int accumulate) {
    v16f sums[PANEL_ROWS][VECTORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VECTORS; v++) sums[r][v] = 0;
    for (int64_t k = 0; k < depth; k++) {
        v16f columns[VECTORS];
        for (int v = 0; v < VECTORS; v++) columns[v] = load(b + k * WIDTH + 16 * v);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            v16f value = a[k * PANEL_ROWS + r];
            for (int v = 0; v < VECTORS; v++) sums[r][v] += value * columns[v];
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VECTORS; v++) {
            float *row = c + r * ldc + 16 * v;
            store(row, accumulate ? load(row) + sums[r][v] : sums[r][v]);
        }
}

TARGET static void NAME(full_tile)(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int accumulate) {
    for (int i = 0; i < WIDTH; i += 16 * VECTORS)
        NAME(tile)(depth, a, b + i, c + i, ldc, PANEL_ROWS, accumulate);
}
TARGET static void NAME(half_tile)(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int accumulate) {
    for (int i = 0; i < WIDTH; i += 16 * VECTORS)
        NAME(tile)(depth, a, b + i, c + i, ldc, (PANEL_ROWS + 1) / 2, accumulate);
}

/// A tile of which only `rows` x `columns` exist: computed beside and copied.
TARGET static void NAME(part_tile)(
    int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int64_t rows,
    int64_t columns, int accumulate) {
    float part[PANEL_ROWS * WIDTH];
    if (rows <= (PANEL_ROWS + 1) / 2) NAME(half_tile)(depth, a, b, part, WIDTH, 0);
    else NAME(full_tile)(depth, a, b, part, WIDTH, 0);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t n = 0; n < columns; n++) {
            float value = part[r * WIDTH + n];
            c[r * ldc + n] = accumulate ? c[r * ldc + n] + value : value;
        }
}

/// Taps k0..<k0+depth of output pixels first..<first+count, which may run over several rows. Tap k
/// is channel k / kernel², row and column of the kernel from the rest.
TARGET static void NAME(gather_taps)(
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
            NAME(gather_segment)(
                row, image->width, image->stride, ox, n, t.column - image->pad_left,
                out + done);
            done += n;
        }
        for (int64_t n = count; n < WIDTH; n++) out[n] = 0;
    }
}

TARGET static void NAME(pack_panel)(
    const ck_rows *rows, int64_t first_row, int64_t count, int64_t first, int64_t depth,
    int64_t lanes, float *out) {
    pack_rows(rows, first_row, count, first, depth, lanes, out);
}

TARGET static void NAME(pack_column_panel)(
    const ck_rows *rows, int64_t first, int64_t count, int64_t k, float *panel) {
    pack_rows(rows, first, count, 0, k, WIDTH, panel);
}

TARGET static void NAME(run)(
    const float *packed, int64_t m, int64_t k, const ck_columns *b, int64_t first, int64_t n,
    float *c, int64_t ldc, int accumulate, float *scratch) {
    int64_t panels = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
        for (int64_t j = 0; j < n; j += WIDTH) {
            int64_t count = n - j < WIDTH ? n - j : WIDTH;
            float *out = scratch + j * DEPTH;
            if (b->kind == CK_FROM_ROWS)
                NAME(pack_panel)(&b->rows, first + j, count, k0, depth, WIDTH, out);
            else if (b->kind == CK_FROM_IMAGE)
                NAME(gather_taps)(&b->image, first + j, count, k0, depth, out);
            else if (b->kind == CK_FROM_LINES)
                NAME(copy_lines)(
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
                    NAME(full_tile)(depth, a, panel, tile, ldc, adds);
                else NAME(part_tile)(depth, a, panel, tile, ldc, rows, count, adds);
            }
        }
    }
}

TARGET static void NAME(pack)(
    const ck_rows *a, int64_t m, int64_t k, int64_t panel, float *packed) {
    int64_t panels = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    int64_t first = panel * PANEL_ROWS;
    int64_t count = m - first < PANEL_ROWS ? m - first : PANEL_ROWS;
    // A panel's store may run over its end by less than 16 floats: into a local copy, then.
    float copy[DEPTH * PANEL_ROWS + 16];
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
        NAME(pack_panel)(a, first, count, k0, depth, PANEL_ROWS, copy);
        memcpy(
            packed + k0 * panels * PANEL_ROWS + panel * depth * PANEL_ROWS, copy,
            (size_t)(depth * PANEL_ROWS) * sizeof(float));
    }
}

TARGET static void NAME(pack_lines)(
    const float *base, int64_t stride, int64_t m, int64_t k, int64_t panel, float *packed) {
    int64_t panels = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    int64_t first = panel * PANEL_ROWS;
    int64_t count = m - first < PANEL_ROWS ? m - first : PANEL_ROWS;
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
        NAME(copy_lines)(
            base + k0 * stride + first, stride, depth, count, PANEL_ROWS,
            packed + k0 * panels * PANEL_ROWS + panel * depth * PANEL_ROWS);
    }
}

TARGET static void NAME(few)(
    const float *x, int64_t x_stride, int64_t m, int64_t k, const ck_rows *rows, int64_t first,
    int64_t n, float *y, int64_t y_stride, int accumulate) {
    few_body(x, x_stride, m, k, rows, first, n, y, y_stride, accumulate);
}
