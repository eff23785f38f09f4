/* decoder.h - a compressed body, decoded as it arrives.
 *
 * It reads gzip (RFC 1952), of any number of members, and deflate (RFC 9110, 8.4.1.2), which is
 * zlib's format (RFC 1950) or, as some servers send it, the bare stream (RFC 1951). Zero bytes may
 * follow. One call fills one piece, so its caller decides how much work is done at a time. */
#ifndef CEKURA_DECODER_H
#define CEKURA_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

enum coding {
    CODING_NONE,
    CODING_GZIP,
    CODING_DEFLATE,
    CODING_OTHER,   /* an unknown one */
    CODING_SEVERAL, /* one upon the other, known or not */
};

/* What a Content-Encoding header says, together with those before it. `identity` and `none` say
 * nothing; names are read in any case. */
enum coding coding_add(enum coding known, const char *value, size_t length);

enum decoder_result { DECODER_OK, DECODER_BROKEN, DECODER_NO_MEMORY };

enum decoder_state { DECODER_BEGIN, DECODER_INSIDE, DECODER_BETWEEN, DECODER_BEHIND };

/* All zero is one that has nothing to decode and nothing to free. */
struct decoder {
    enum coding coding;
    enum decoder_state state;
    bool has_stream;
    bool has_more; /* the last piece was filled: there may be more, without further bytes */
    unsigned char first[2]; /* of deflate: they say which of the two it is */
    unsigned first_count, first_left;
    z_stream stream;
};

/* Gets ready for a body; CODING_GZIP or CODING_DEFLATE. Keeps the memory of the one before. */
void decoder_begin(struct decoder *decoder, enum coding coding);

/* What one call reads, and the piece that it fills. */
struct decoder_work {
    const char *bytes;
    size_t length, used;
    char *piece;
    size_t room, filled;
};

/* Decodes from bytes[used] on, for no more than one piece: adds to `used` what it took, and sets
 * `filled` to what it wrote. Call it until all bytes are used and `has_more` is false. */
enum decoder_result decoder_step(struct decoder *decoder, struct decoder_work *work);

/* Whether the body may end here. */
bool decoder_is_complete(const struct decoder *decoder);

void decoder_free(struct decoder *decoder);

#endif
