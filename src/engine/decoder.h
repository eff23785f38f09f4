/* decoder.h - decodes a compressed body as it arrives.
 *
 * The decoder reads gzip (RFC 1952), with any number of members, and deflate (RFC 9110, 8.4.1.2):
 * zlib's format (RFC 1950) or, as some servers send it, the raw stream (RFC 1951). Trailing zero
 * bytes are ignored. One call fills one piece, so the caller decides how much work is done at a
 * time. */
#ifndef CEKURA_DECODER_H
#define CEKURA_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

enum coding {
    CODING_NONE,
    CODING_GZIP,
    CODING_DEFLATE,
    CODING_OTHER,   /* unknown */
    CODING_SEVERAL, /* applied one after the other, known or not */
};

/* Combines the codings of a Content-Encoding header with `known`, those of earlier headers. Names
 * are case-insensitive; `identity` and `none` are ignored. */
enum coding coding_add(enum coding known, const char *value, size_t length);

enum decoder_result { DECODER_OK, DECODER_BROKEN, DECODER_NO_MEMORY };

enum decoder_state { DECODER_BEGIN, DECODER_INSIDE, DECODER_BETWEEN, DECODER_BEHIND };

/* A zeroed decoder is valid: it has nothing to decode and nothing to free. */
struct decoder {
    enum coding coding;
    enum decoder_state state;
    bool has_stream;
    bool has_more;          /* the last piece was full: further output needs no further input */
    unsigned char first[2]; /* of deflate: they distinguish the two formats */
    unsigned first_count, first_left;
    z_stream stream;
};

/* Begins a body in that coding, which decoder_step() supports if it is CODING_GZIP or
 * CODING_DEFLATE. Keeps the memory of the previous body. */
void decoder_begin(struct decoder *decoder, enum coding coding);

/* The input and output of one call. */
struct decoder_work {
    const char *bytes;
    size_t length, used;
    char *piece;
    size_t room, filled;
};

/* Decodes from bytes[used] on, up to one piece. Adds the bytes consumed to `used`, and sets
 * `filled` to the bytes written. The caller repeats it until all bytes are used and `has_more` is
 * false. */
enum decoder_result decoder_step(struct decoder *decoder, struct decoder_work *work);

/* Whether the body is complete if it ends here. */
bool decoder_is_complete(const struct decoder *decoder);

void decoder_free(struct decoder *decoder);

#endif
