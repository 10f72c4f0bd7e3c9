// libpng for Swift: a writer and a reader whose every function returns a status instead of jumping.
//
// libpng reports errors with longjmp. Each function below sets its own jump target, so a jump
// starts and ends inside one of them and crosses C frames only. A callback into Swift tells of a
// failure by its return value; the error is raised on this side, after the Swift frame has
// returned.
//
// The functions are never inlined: a frame that calls setjmp must not be merged into a Swift frame.
#ifndef TURBINE_CPNG_SHIM_H
#define TURBINE_CPNG_SHIM_H

#include <png.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CPNG_FUNCTION __attribute__((noinline, unused)) static

// Takes `count` bytes; returns 0, or anything else to stop with an error.
typedef int (*cpng_write_callback)(void *context, const uint8_t *bytes, size_t count);
// Fills `bytes` with exactly `count` bytes; returns 0, or anything else to stop with an error.
typedef int (*cpng_read_callback)(void *context, uint8_t *bytes, size_t count);

// The state of one writer or reader; freed by `cpng_destroy`.
typedef struct cpng_stream {
    png_structp png;
    png_infop info;
    int is_reader;
    int callback_failed;
    void *context;
    cpng_write_callback write;
    cpng_read_callback read;
    char message[200];
} cpng_stream;

// What the header of a file says, and the layout of the rows that `cpng_read_row` gives.
typedef struct cpng_header {
    uint32_t width;
    uint32_t height;
    int channels; // 3 or 4, after all conversions
    int passes;   // 1, or 7 for an interlaced file
    size_t row_bytes;
} cpng_header;

// One text entry of a file; the pointers live as long as the reader.
typedef struct cpng_text_entry {
    const char *key;
    const char *value;
    size_t count;
    int is_utf8;
} cpng_text_entry;

// MARK: - Errors

CPNG_FUNCTION void cpng_on_error(png_structp png, png_const_charp message) {
    cpng_stream *stream = (cpng_stream *)png_get_error_ptr(png);
    if (stream != NULL) {
        strncpy(stream->message, message, sizeof stream->message - 1);
        stream->message[sizeof stream->message - 1] = 0;
    }
    png_longjmp(png, 1);
}

CPNG_FUNCTION void cpng_on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

// What went wrong last, as libpng words it.
CPNG_FUNCTION const char *cpng_message(const cpng_stream *stream) { return stream->message; }

// Whether the last error came from the read or write callback.
CPNG_FUNCTION int cpng_callback_failed(const cpng_stream *stream) {
    return stream->callback_failed;
}

CPNG_FUNCTION void cpng_destroy(cpng_stream *stream) {
    if (stream == NULL) return;
    if (stream->png != NULL) {
        if (stream->is_reader) {
            png_destroy_read_struct(&stream->png, &stream->info, NULL);
        } else {
            png_destroy_write_struct(&stream->png, &stream->info);
        }
    }
    free(stream);
}

// MARK: - Writing

CPNG_FUNCTION void cpng_on_write(png_structp png, png_bytep bytes, size_t count) {
    cpng_stream *stream = (cpng_stream *)png_get_io_ptr(png);
    if (stream->write(stream->context, bytes, count) != 0) {
        stream->callback_failed = 1;
        png_error(png, "the bytes could not be written");
    }
}

CPNG_FUNCTION void cpng_on_flush(png_structp png) { (void)png; }

// A writer that hands its bytes to `write`; NULL without memory.
CPNG_FUNCTION cpng_stream *cpng_writer_create(void *context, cpng_write_callback write) {
    cpng_stream *stream = (cpng_stream *)calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    stream->context = context;
    stream->write = write;
    stream->png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, stream, cpng_on_error, cpng_on_warning);
    if (stream->png != NULL) stream->info = png_create_info_struct(stream->png);
    if (stream->info == NULL) {
        cpng_destroy(stream);
        return NULL;
    }
    png_set_write_fn(stream->png, stream, cpng_on_write, cpng_on_flush);
    return stream;
}

// RGB, 8 bits a sample, sRGB. `level`: zlib's 0 to 9. Nonzero on error.
CPNG_FUNCTION int cpng_write_set_header(
    cpng_stream *stream, uint32_t width, uint32_t height, int level) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_set_user_limits(stream->png, width, height);
    png_set_IHDR(
        stream->png, stream->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(stream->png, stream->info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_compression_level(stream->png, level);
    return 0;
}

// One text entry: iTXt when `is_utf8`, else tEXt (Latin-1). Both strings end with NUL and are
// copied.
CPNG_FUNCTION int cpng_write_add_text(
    cpng_stream *stream, const char *key, const char *value, int is_utf8) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_text entry;
    memset(&entry, 0, sizeof entry);
    entry.compression = is_utf8 ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
    entry.key = (png_charp)key;
    entry.text = (png_charp)value;
    png_set_text(stream->png, stream->info, &entry, 1);
    return 0;
}

// Writes everything that stands before the pixels.
CPNG_FUNCTION int cpng_write_begin(cpng_stream *stream) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_write_info(stream->png, stream->info);
    return 0;
}

// Compresses the next row: width × 3 bytes.
CPNG_FUNCTION int cpng_write_row(cpng_stream *stream, const uint8_t *row) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_write_row(stream->png, row);
    return 0;
}

// Writes what is left, after the last row.
CPNG_FUNCTION int cpng_write_finish(cpng_stream *stream) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_write_end(stream->png, NULL);
    return 0;
}

// MARK: - Reading

CPNG_FUNCTION void cpng_on_read(png_structp png, png_bytep bytes, size_t count) {
    cpng_stream *stream = (cpng_stream *)png_get_io_ptr(png);
    if (stream->read(stream->context, bytes, count) != 0) {
        stream->callback_failed = 1;
        png_error(png, "the bytes could not be read");
    }
}

// A reader that takes its bytes from `read`; NULL without memory. `side_limit` bounds width and
// height, `chunk_limit` the bytes that one chunk may take once decompressed, `chunk_count` the side
// chunks kept.
CPNG_FUNCTION cpng_stream *cpng_reader_create(
    void *context, cpng_read_callback read, uint32_t side_limit, size_t chunk_limit,
    uint32_t chunk_count) {
    cpng_stream *stream = (cpng_stream *)calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    stream->is_reader = 1;
    stream->context = context;
    stream->read = read;
    stream->png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, stream, cpng_on_error, cpng_on_warning);
    if (stream->png != NULL) stream->info = png_create_info_struct(stream->png);
    if (stream->info == NULL) {
        cpng_destroy(stream);
        return NULL;
    }
    png_set_read_fn(stream->png, stream, cpng_on_read);
    png_set_user_limits(stream->png, side_limit, side_limit);
    png_set_chunk_malloc_max(stream->png, chunk_limit);
    png_set_chunk_cache_max(stream->png, chunk_count);
    return stream;
}

// Reads up to the pixels. A wrong checksum is an error in every chunk, text included.
CPNG_FUNCTION int cpng_read_header(cpng_stream *stream, cpng_header *header) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_set_crc_action(stream->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(stream->png, stream->info);
    header->width = png_get_image_width(stream->png, stream->info);
    header->height = png_get_image_height(stream->png, stream->info);
    return 0;
}

// Asks for 8-bit RGB, or RGBA where the file has transparency, and takes the memory for a row.
CPNG_FUNCTION int cpng_read_begin(cpng_stream *stream, cpng_header *header) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_set_expand(stream->png);
    png_set_scale_16(stream->png);
    png_set_gray_to_rgb(stream->png);
    header->passes = png_set_interlace_handling(stream->png);
    png_read_update_info(stream->png, stream->info);
    header->channels = png_get_channels(stream->png, stream->info);
    header->row_bytes = png_get_rowbytes(stream->png, stream->info);
    return 0;
}

// Reads the next row of the running pass. `row` holds `row_bytes`; an interlaced file needs the
// row's content of the pass before.
CPNG_FUNCTION int cpng_read_row(cpng_stream *stream, uint8_t *row) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_read_row(stream->png, row, NULL);
    return 0;
}

// Reads what follows the pixels, to the end mark.
CPNG_FUNCTION int cpng_read_finish(cpng_stream *stream) {
    if (setjmp(png_jmpbuf(stream->png))) return 1;
    png_read_end(stream->png, stream->info);
    return 0;
}

// How many text entries have been read so far.
CPNG_FUNCTION int cpng_read_text_count(cpng_stream *stream) {
    return png_get_text(stream->png, stream->info, NULL, NULL);
}

// Text entry `index`; nonzero when there is none.
CPNG_FUNCTION int cpng_read_text(cpng_stream *stream, int index, cpng_text_entry *entry) {
    png_textp texts = NULL;
    int count = png_get_text(stream->png, stream->info, &texts, NULL);
    if (index < 0 || index >= count) return 1;
    const png_text *text = &texts[index];
    entry->is_utf8 = text->compression >= PNG_ITXT_COMPRESSION_NONE;
    entry->key = text->key;
    entry->value = text->text == NULL ? "" : text->text;
    entry->count = strlen(entry->value);
    return 0;
}

#endif
