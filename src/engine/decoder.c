/* decoder.c - decodes a compressed body as it arrives, by zlib; see decoder.h. */
#include "decoder.h"

#include "text/ascii.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- Content-Encoding ---- */

static enum coding coding_named(const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum coding coding;
    } known[] = {
        {"gzip", CODING_GZIP},
        {"x-gzip", CODING_GZIP},
        {"deflate", CODING_DEFLATE},
        {"identity", CODING_NONE},
        {"none", CODING_NONE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == length && ascii_same(known[i].name, name, length))
            return known[i].coding;
    return CODING_OTHER;
}

enum coding coding_add(enum coding known, const char *value, size_t length)
{
    const char *end = value + length;
    while (value < end) {
        size_t span = 0;
        while (value + span < end && !memchr(", \t\r\n", value[span], 5))
            span++;
        enum coding coding = span ? coding_named(value, span) : CODING_NONE;
        if (coding != CODING_NONE)
            known = known == CODING_NONE ? coding : CODING_SEVERAL;
        value += span ? span : 1;
    }
    return known;
}

/* ---- decoding ---- */

/* zlib's allocator goes through this file, so that a test can make it fail. */
static voidpf allocate(voidpf user, uInt count, uInt size)
{
    (void)user;
    return calloc(count, size);
}

static void release(voidpf user, voidpf block)
{
    (void)user;
    free(block);
}

void decoder_begin(struct decoder *decoder, enum coding coding)
{
    decoder->coding = coding;
    decoder->state = DECODER_BEGIN;
    decoder->has_more = false;
    decoder->first_count = decoder->first_left = 0;
}

/* zlib's format begins with two bytes that are a multiple of 31, the first of which names method 8.
 * A raw stream can begin like that only with a stored block whose padding is not zero, which no
 * compressor writes. */
static bool is_zlib(const unsigned char first[2])
{
    return (first[0] & 0x0f) == Z_DEFLATED && (first[0] << 8 | first[1]) % 31 == 0;
}

static enum decoder_result begin_stream(struct decoder *decoder)
{
    int window = MAX_WBITS;
    if (decoder->coding == CODING_GZIP)
        window += 16;
    else if (!is_zlib(decoder->first))
        window = -window;
    decoder->stream.next_in = Z_NULL;
    decoder->stream.avail_in = 0;
    decoder->stream.zalloc = allocate;
    decoder->stream.zfree = release;
    int code = decoder->has_stream ? inflateReset2(&decoder->stream, window)
                                   : inflateInit2(&decoder->stream, window);
    if (code != Z_OK)
        return DECODER_NO_MEMORY;
    decoder->has_stream = true;
    decoder->state = DECODER_INSIDE;
    decoder->first_left = decoder->first_count;
    return DECODER_OK;
}

static enum decoder_result run_inflate(struct decoder *decoder, struct decoder_work *work)
{
    z_stream *stream = &decoder->stream;
    bool from_first = decoder->first_left > 0;
    size_t given = from_first ? decoder->first_left : work->length - work->used;
    const char *from = (const char *)decoder->first + decoder->first_count - decoder->first_left;
    if (!from_first)
        from = work->bytes + work->used;
    stream->next_in = (z_const Bytef *)from;
    stream->avail_in = given < UINT_MAX ? (uInt)given : UINT_MAX;
    stream->next_out = (Bytef *)work->piece;
    stream->avail_out = (uInt)work->room;
    int code = inflate(stream, Z_NO_FLUSH);
    size_t taken = (size_t)((const char *)stream->next_in - from);
    if (from_first)
        decoder->first_left -= (unsigned)taken;
    else
        work->used += taken;
    work->filled = work->room - stream->avail_out;
    decoder->has_more = stream->avail_out == 0 || decoder->first_left > 0;
    if (code == Z_STREAM_END) {
        decoder->state = DECODER_BETWEEN;
        decoder->has_more = false;
        return decoder->first_left == 0 ? DECODER_OK : DECODER_BROKEN;
    }
    if (code == Z_MEM_ERROR)
        return DECODER_NO_MEMORY;
    return code == Z_OK || code == Z_BUF_ERROR ? DECODER_OK : DECODER_BROKEN;
}

enum decoder_result decoder_step(struct decoder *decoder, struct decoder_work *work)
{
    const char *bytes = work->bytes;
    work->filled = 0;
    switch (decoder->state) {
    case DECODER_BEGIN:
        if (decoder->coding == CODING_DEFLATE && decoder->first_count < sizeof decoder->first) {
            if (work->used < work->length)
                decoder->first[decoder->first_count++] = (unsigned char)bytes[work->used++];
            decoder->has_more = decoder->first_count == sizeof decoder->first;
            return DECODER_OK;
        }
        return begin_stream(decoder);
    case DECODER_INSIDE:
        return run_inflate(decoder, work);
    case DECODER_BETWEEN:
        if (work->used == work->length)
            return DECODER_OK;
        if (bytes[work->used] != 0)
            return decoder->coding == CODING_GZIP ? begin_stream(decoder) : DECODER_BROKEN;
        decoder->state = DECODER_BEHIND;
        return DECODER_OK;
    case DECODER_BEHIND:
        while (work->used < work->length)
            if (bytes[work->used++] != 0)
                return DECODER_BROKEN;
    }
    return DECODER_OK;
}

bool decoder_is_complete(const struct decoder *decoder)
{
    return decoder->state == DECODER_BETWEEN || decoder->state == DECODER_BEHIND;
}

void decoder_free(struct decoder *decoder)
{
    if (decoder->has_stream)
        inflateEnd(&decoder->stream);
    *decoder = (struct decoder){.coding = CODING_NONE};
}
