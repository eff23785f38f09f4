/* coded.h - compresses bytes by gzip and deflate, for tests of the decoder. */
#ifndef CEKURA_CODED_H
#define CEKURA_CODED_H

#include <string.h>
#include <zlib.h>

#define GZIP (MAX_WBITS + 16)
#define ZLIB MAX_WBITS
#define BARE (-MAX_WBITS)

struct bytes {
    char data[65536];
    size_t length;
};

static inline void add(struct bytes *to, const void *data, size_t length)
{
    assert_true(to->length + length <= sizeof to->data);
    memcpy(to->data + to->length, data, length);
    to->length += length;
}

static inline void add_coded(struct bytes *to, int window, const char *text, size_t length)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (z_const Bytef *)text;
    stream.avail_in = (uInt)length;
    stream.next_out = (Bytef *)to->data + to->length;
    stream.avail_out = (uInt)(sizeof to->data - to->length);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    to->length = sizeof to->data - stream.avail_out;
    deflateEnd(&stream);
}

#endif
