/* decoder_test.c - bodies in gzip and deflate: whole, joined, truncated and corrupt, in pieces of
 * any size. */
#include "engine/decoder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coded.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Decodes bytes in chunks of that size into pieces of that size. Sets `out` to the output, up to
 * its size, and *complete to whether the body may end there. */
static enum decoder_result decode(struct decoder *decoder, enum coding coding,
    const struct bytes *in, size_t chunk, size_t room, struct bytes *out, bool *complete)
{
    char piece[4096];
    enum decoder_result result = DECODER_OK;
    out->length = 0;
    decoder_begin(decoder, coding);
    for (size_t at = 0; at < in->length && result == DECODER_OK; at += chunk) {
        size_t length = in->length - at < chunk ? in->length - at : chunk;
        /* In separate memory, so that a sanitizer detects a read beyond the end. */
        char *bytes = malloc(length);
        assert_non_null(bytes);
        memcpy(bytes, in->data + at, length);
        struct decoder_work work = {.bytes = bytes, .length = length, .piece = piece, .room = room};
        while (result == DECODER_OK && (work.used < length || decoder->has_more)) {
            work.filled = room + 1;
            result = decoder_step(decoder, &work);
            assert_true(work.used <= length);
            assert_true(work.filled <= room);
            if (out->length + work.filled <= sizeof out->data)
                add(out, piece, work.filled);
        }
        free(bytes);
    }
    *complete = decoder_is_complete(decoder);
    return result;
}

static const char text[] =
    "{\"id\":1,\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbb\"}";
#define TEXT_LENGTH (sizeof text - 1)

static void assert_gives(
    enum coding coding, const struct bytes *in, const void *expected, size_t length)
{
    static const size_t chunks[] = {1, 2, 3, 7, 65536}, rooms[] = {1, 2, 16, 4096};
    struct decoder decoder = {0};
    for (size_t i = 0; i < COUNT(chunks); i++)
        for (size_t j = 0; j < COUNT(rooms); j++) {
            static struct bytes out;
            bool complete;
            assert_int_equal(
                decode(&decoder, coding, in, chunks[i], rooms[j], &out, &complete), DECODER_OK);
            assert_true(complete);
            assert_int_equal(out.length, length);
            assert_memory_equal(out.data, expected, length);
        }
    decoder_free(&decoder);
}

static void assert_broken(enum coding coding, const struct bytes *in)
{
    static const size_t chunks[] = {1, 2, 65536};
    struct decoder decoder = {0};
    for (size_t i = 0; i < COUNT(chunks); i++) {
        static struct bytes out;
        bool complete;
        assert_int_equal(
            decode(&decoder, coding, in, chunks[i], 4096, &out, &complete), DECODER_BROKEN);
    }
    decoder_free(&decoder);
}

static const struct {
    enum coding coding;
    int window;
} forms[] = {{CODING_GZIP, GZIP}, {CODING_DEFLATE, ZLIB}, {CODING_DEFLATE, BARE}};

static void names_of_codings_are_parsed(void **state)
{
    static const struct {
        const char *values[4];
        enum coding coding;
    } rows[] = {
        {{"gzip"}, CODING_GZIP},
        {{" x-gzip\r\n"}, CODING_GZIP},
        {{"GZip"}, CODING_GZIP},
        {{"deflate"}, CODING_DEFLATE},
        {{"identity"}, CODING_NONE},
        {{"none"}, CODING_NONE},
        {{""}, CODING_NONE},
        {{" , ,"}, CODING_NONE},
        {{"identity, gzip"}, CODING_GZIP},
        {{"gzip,identity,none"}, CODING_GZIP},
        {{"identity", "deflate"}, CODING_DEFLATE},
        {{"gzip, gzip"}, CODING_SEVERAL},
        {{"gzip", "gzip"}, CODING_SEVERAL},
        {{"deflate,gzip"}, CODING_SEVERAL},
        {{"br, gzip"}, CODING_SEVERAL},
        {{"gzip", "identity", "br"}, CODING_SEVERAL},
        {{"gzip, gzip, gzip"}, CODING_SEVERAL},
        {{"br"}, CODING_OTHER},
        {{"zstd"}, CODING_OTHER},
        {{"compress"}, CODING_OTHER},
        {{"gzip;q=1"}, CODING_OTHER},
        {{"gzi"}, CODING_OTHER},
        {{"gzipp"}, CODING_OTHER},
        {{"br", "identity"}, CODING_OTHER},
        {{"chunked"}, CODING_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum coding coding = CODING_NONE;
        for (size_t j = 0; rows[i].values[j]; j++)
            coding = coding_add(coding, rows[i].values[j], strlen(rows[i].values[j]));
        assert_int_equal(coding, rows[i].coding);
    }
}

static void each_format_is_decoded_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        static struct bytes in;
        in.length = 0;
        add_coded(&in, forms[i].window, text, TEXT_LENGTH);
        assert_gives(forms[i].coding, &in, text, TEXT_LENGTH);
        in.length = 0;
        add_coded(&in, forms[i].window, "", 0); /* two bytes, if raw */
        assert_gives(forms[i].coding, &in, "", 0);
    }
}

static void only_zero_bytes_may_follow(void **state)
{
    static const char zeros[600];
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        static struct bytes in;
        in.length = 0;
        add_coded(&in, forms[i].window, text, TEXT_LENGTH);
        size_t length = in.length;
        add(&in, zeros, sizeof zeros);
        assert_gives(forms[i].coding, &in, text, TEXT_LENGTH);
        add(&in, "x", 1);
        assert_broken(forms[i].coding, &in);
        in.length = length;
        add(&in, "x", 1);
        if (forms[i].coding == CODING_GZIP) /* "x" alone may begin a member */
            add(&in, "y", 1);
        assert_broken(forms[i].coding, &in);
        in.length = length;
        add(&in, zeros, 1);
        add_coded(&in, forms[i].window, text, TEXT_LENGTH);
        assert_broken(forms[i].coding, &in);
    }
}

static void members_of_gzip_are_joined(void **state)
{
    static struct bytes in, out;
    (void)state;
    in.length = out.length = 0;
    for (int member = 0; member < 40; member++) {
        size_t length = member % 3 ? TEXT_LENGTH : 0;
        add_coded(&in, GZIP, text, length);
        add(&out, text, length);
    }
    assert_gives(CODING_GZIP, &in, out.data, out.length);
}

static void deflate_has_one_member(void **state)
{
    static struct bytes in;
    (void)state;
    in.length = 0;
    add_coded(&in, ZLIB, text, TEXT_LENGTH);
    add_coded(&in, ZLIB, text, TEXT_LENGTH);
    assert_broken(CODING_DEFLATE, &in);
}

static void a_truncated_body_is_not_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        static struct bytes in, out;
        struct decoder decoder = {0};
        in.length = 0;
        add_coded(&in, forms[i].window, text, TEXT_LENGTH);
        size_t first = in.length;
        if (forms[i].coding == CODING_GZIP)
            add_coded(&in, GZIP, text, TEXT_LENGTH);
        for (size_t whole = in.length; in.length-- > 0;) {
            bool complete;
            assert_int_equal(
                decode(&decoder, forms[i].coding, &in, 5, 16, &out, &complete), DECODER_OK);
            assert_int_equal(complete, in.length == first && whole > first);
        }
        decoder_free(&decoder);
    }
}

/* Any wrong bit is detected, or changes nothing: gzip and zlib have a checksum. */
static void a_wrong_byte_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        static struct bytes in, out;
        struct decoder decoder = {0};
        in.length = 0;
        add_coded(&in, forms[i].window, text, TEXT_LENGTH);
        for (size_t at = 0; at < in.length; at++)
            for (int bit = 0; bit < 8; bit++) {
                bool complete;
                in.data[at] = (char)(in.data[at] ^ (1 << bit));
                enum decoder_result result =
                    decode(&decoder, forms[i].coding, &in, 3, 64, &out, &complete);
                bool same = out.length == TEXT_LENGTH && memcmp(out.data, text, TEXT_LENGTH) == 0;
                if (forms[i].window != BARE && result == DECODER_OK && complete)
                    assert_true(same); /* gzip's time, flags and name are not covered */
                in.data[at] = (char)(in.data[at] ^ (1 << bit));
            }
        decoder_free(&decoder);
    }
}

static void another_format_is_broken(void **state)
{
    static struct bytes in;
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        in.length = 0;
        add(&in, text, TEXT_LENGTH);
        assert_broken(forms[i].coding, &in);
    }
    in.length = 0;
    add_coded(&in, ZLIB, text, TEXT_LENGTH);
    assert_broken(CODING_GZIP, &in);
    in.length = 0;
    add_coded(&in, GZIP, text, TEXT_LENGTH);
    assert_broken(CODING_DEFLATE, &in);
    in.length = 0;
    add(&in, "\x78\xbb\x01\x02\x03\x04\x05", 7); /* requires a preset dictionary */
    assert_broken(CODING_DEFLATE, &in);
}

/* A megabyte of zeros in a kilobyte, and blocks without output: each call fills one piece at
 * most. */
static void one_call_fills_one_piece(void **state)
{
    static char zeros[1 << 20], piece[4096];
    static struct bytes in;
    struct decoder decoder = {0};
    size_t total = 0;
    (void)state;
    in.length = 0;
    add_coded(&in, GZIP, zeros, sizeof zeros);
    decoder_begin(&decoder, CODING_GZIP);
    struct decoder_work work = {
        .bytes = in.data, .length = in.length, .piece = piece, .room = sizeof piece};
    while (work.used < in.length || decoder.has_more) {
        assert_int_equal(decoder_step(&decoder, &work), DECODER_OK);
        total += work.filled;
    }
    assert_int_equal(total, sizeof zeros);
    assert_true(decoder_is_complete(&decoder));
    decoder_free(&decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_codings_are_parsed),
        cmocka_unit_test(each_format_is_decoded_in_pieces_of_any_size),
        cmocka_unit_test(only_zero_bytes_may_follow),
        cmocka_unit_test(members_of_gzip_are_joined),
        cmocka_unit_test(deflate_has_one_member),
        cmocka_unit_test(a_truncated_body_is_not_complete),
        cmocka_unit_test(a_wrong_byte_is_found),
        cmocka_unit_test(another_format_is_broken),
        cmocka_unit_test(one_call_fills_one_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
