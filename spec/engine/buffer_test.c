/* buffer_test.c - bytes that arrive in pieces, up to a limit. */
#include "text/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* By default AddressSanitizer aborts the program when an allocation is too large. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void assert_holds(const struct buffer *buffer, const char *text)
{
    assert_int_equal(buffer->length, strlen(text));
    assert_true(buffer->length <= buffer->capacity);
    if (buffer->length)
        assert_memory_equal(buffer->bytes, text, buffer->length);
}

static void add(struct buffer *buffer, const char *text)
{
    assert_int_equal(buffer_append(buffer, text, strlen(text), SIZE_MAX), BUFFER_OK);
}

static void pieces_are_appended_in_order(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    add(&buffer, "one");
    add(&buffer, ", ");
    add(&buffer, "two");
    assert_holds(&buffer, "one, two");
    buffer_free(&buffer);
}

/* Lengths around every power of two, where the capacity grows. */
static void pieces_of_any_length_are_kept_whole(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    char piece[3000];
    size_t length = 0, piece_length = 1;
    while (length < 2000000) {
        memset(piece, (int)(piece_length % 251), piece_length);
        assert_int_equal(buffer_append(&buffer, piece, piece_length, SIZE_MAX), BUFFER_OK);
        length += piece_length;
        assert_int_equal(buffer.length, length);
        piece_length = piece_length % 2999 + 1;
    }
    size_t at = 0;
    for (piece_length = 1; at < length; piece_length = piece_length % 2999 + 1) {
        for (size_t i = 0; i < piece_length; i++)
            if ((unsigned char)buffer.bytes[at + i] != piece_length % 251)
                fail_msg("byte %zu is not what was added", at + i);
        at += piece_length;
    }
    buffer_free(&buffer);
}

static void bytes_may_be_nul(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "a\0b", 3, SIZE_MAX), BUFFER_OK);
    assert_int_equal(buffer_append(&buffer, "\0", 1, SIZE_MAX), BUFFER_OK);
    assert_int_equal(buffer.length, 4);
    assert_memory_equal(buffer.bytes, "a\0b\0", 4);
    buffer_free(&buffer);
}

static void nothing_added_leaves_no_bytes(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "", 0, SIZE_MAX), BUFFER_OK);
    assert_int_equal(buffer_append(&buffer, NULL, 0, 0), BUFFER_OK);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.length, 0);
    buffer_free(&buffer);
}

static void a_buffer_can_be_filled_up_to_its_limit(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "1234", 4, 8), BUFFER_OK);
    assert_int_equal(buffer_append(&buffer, "5678", 4, 8), BUFFER_OK);
    assert_int_equal(buffer_append(&buffer, "", 0, 8), BUFFER_OK);
    assert_holds(&buffer, "12345678");
    buffer_free(&buffer);
}

/* Earlier pieces are kept, and are returned with the outcome. */
static void a_piece_beyond_the_limit_is_not_appended(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "12345", 5, 4), BUFFER_FULL);
    assert_null(buffer.bytes);
    assert_int_equal(buffer_append(&buffer, "12345", 5, 8), BUFFER_OK);
    assert_int_equal(buffer_append(&buffer, "6789", 4, 8), BUFFER_FULL);
    assert_holds(&buffer, "12345");
    assert_int_equal(buffer_append(&buffer, "678", 3, 8), BUFFER_OK);
    assert_int_equal(buffer_append(&buffer, "9", 1, 8), BUFFER_FULL);
    assert_holds(&buffer, "12345678");
    buffer_free(&buffer);
}

static void a_limit_of_zero_accepts_nothing(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "1", 1, 0), BUFFER_FULL);
    assert_null(buffer.bytes);
    buffer_free(&buffer);
}

/* The limit is an argument, so it may be lower than the length. The difference of the two would
 * then wrap around. */
static void a_buffer_beyond_a_lower_limit_accepts_nothing(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    add(&buffer, "12345678");
    assert_int_equal(buffer_append(&buffer, "9", 1, 4), BUFFER_FULL);
    assert_int_equal(buffer_append(&buffer, "", 0, 4), BUFFER_FULL);
    assert_holds(&buffer, "12345678");
    buffer_free(&buffer);
}

/* Without a limit, the sum of the lengths would wrap around. */
static void a_length_that_overflows_is_refused(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    add(&buffer, "12");
    assert_int_equal(buffer_append(&buffer, "3", SIZE_MAX, SIZE_MAX), BUFFER_FULL);
    assert_int_equal(buffer_append(&buffer, "3", SIZE_MAX - 1, SIZE_MAX), BUFFER_FULL);
    assert_holds(&buffer, "12");
    buffer_free(&buffer);
}

static void without_memory_nothing_is_added_and_nothing_lost(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    add(&buffer, "12");
    struct buffer before = buffer;
    assert_int_equal(buffer_append(&buffer, "3", SIZE_MAX / 4, SIZE_MAX), BUFFER_NO_MEMORY);
    assert_holds(&buffer, "12");
    assert_ptr_equal(buffer.bytes, before.bytes);
    assert_int_equal(buffer.capacity, before.capacity);
    add(&buffer, "3");
    assert_holds(&buffer, "123");
    buffer_free(&buffer);
}

/* A body of 64 MiB arrives in about four thousand pieces. A buffer that grew by one piece each time
 * would be reallocated, and perhaps copied, as often. Doubling takes sixteen reallocations. */
static void the_capacity_grows_geometrically(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    const char piece[64] = "";
    unsigned made = 0;
    for (size_t capacity = 0; buffer.length < 1 << 20;) {
        assert_int_equal(buffer_append(&buffer, piece, sizeof piece, SIZE_MAX), BUFFER_OK);
        made += buffer.capacity != capacity;
        capacity = buffer.capacity;
    }
    size_t room = buffer.capacity;
    buffer_free(&buffer);
    assert_in_range(made, 1, 40);
    assert_in_range(room, 1 << 20, 2 << 20);
}

static void clearing_keeps_the_memory_for_the_next_bytes(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    add(&buffer, "an answer that is soon forgotten");
    struct buffer before = buffer;
    buffer_clear(&buffer);
    assert_holds(&buffer, "");
    assert_ptr_equal(buffer.bytes, before.bytes);
    assert_int_equal(buffer.capacity, before.capacity);
    add(&buffer, "the next one");
    assert_holds(&buffer, "the next one");
    assert_ptr_equal(buffer.bytes, before.bytes);
    buffer_free(&buffer);
}

static void a_cleared_buffer_has_its_whole_limit_again(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "1234", 4, 4), BUFFER_OK);
    buffer_clear(&buffer);
    assert_int_equal(buffer_append(&buffer, "5678", 4, 4), BUFFER_OK);
    assert_holds(&buffer, "5678");
    buffer_free(&buffer);
}

static void a_freed_buffer_is_an_empty_one(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_free(&buffer);
    add(&buffer, "bytes");
    buffer_free(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.length, 0);
    assert_int_equal(buffer.capacity, 0);
    buffer_free(&buffer);
    add(&buffer, "more");
    assert_holds(&buffer, "more");
    buffer_free(&buffer);
}

/* Valgrind and AddressSanitizer check that the bytes of `to` are freed. */
static void moving_transfers_the_bytes(void **state)
{
    (void)state;
    struct buffer to = {0}, from = {0};
    add(&to, "the last answer");
    add(&from, "the new answer");
    const char *bytes = from.bytes;
    buffer_move(&to, &from);
    assert_holds(&to, "the new answer");
    assert_ptr_equal(to.bytes, bytes);
    assert_null(from.bytes);
    assert_int_equal(from.length, 0);
    assert_int_equal(from.capacity, 0);
    buffer_free(&from);
    assert_holds(&to, "the new answer");
    buffer_free(&to);
}

static void moving_an_empty_buffer_empties_the_other(void **state)
{
    (void)state;
    struct buffer to = {0}, from = {0};
    add(&to, "the last answer");
    buffer_move(&to, &from);
    assert_null(to.bytes);
    assert_holds(&to, "");
    buffer_free(&to);
}

static void buffers_are_equal_when_their_bytes_are(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    add(&a, "{\"status\":\"processing\"}");
    add(&b, "{\"status\":");
    assert_false(buffer_equal(&a, &b)); /* a prefix of the other */
    assert_false(buffer_equal(&b, &a));
    add(&b, "\"processing\"}");
    assert_true(buffer_equal(&a, &b));
    assert_true(buffer_equal(&a, &a));
    b.bytes[b.length - 1] = ']';
    assert_false(buffer_equal(&a, &b));
    buffer_free(&a);
    buffer_free(&b);
}

static void bytes_after_a_nul_are_compared_too(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    assert_int_equal(buffer_append(&a, "\0a", 2, SIZE_MAX), BUFFER_OK);
    assert_int_equal(buffer_append(&b, "\0b", 2, SIZE_MAX), BUFFER_OK);
    assert_false(buffer_equal(&a, &b));
    buffer_free(&a);
    buffer_free(&b);
}

/* Bytes beyond the length are not compared. */
static void empty_buffers_are_equal_with_and_without_memory(void **state)
{
    (void)state;
    struct buffer fresh = {0}, cleared = {0}, full = {0};
    add(&cleared, "bytes");
    buffer_clear(&cleared);
    add(&full, "bytes");
    assert_true(buffer_equal(&fresh, &fresh));
    assert_true(buffer_equal(&fresh, &cleared));
    assert_true(buffer_equal(&cleared, &fresh));
    assert_false(buffer_equal(&fresh, &full));
    assert_false(buffer_equal(&full, &cleared));
    buffer_free(&cleared);
    buffer_free(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_appended_in_order),
        cmocka_unit_test(pieces_of_any_length_are_kept_whole),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(nothing_added_leaves_no_bytes),
        cmocka_unit_test(a_buffer_can_be_filled_up_to_its_limit),
        cmocka_unit_test(a_piece_beyond_the_limit_is_not_appended),
        cmocka_unit_test(a_limit_of_zero_accepts_nothing),
        cmocka_unit_test(a_buffer_beyond_a_lower_limit_accepts_nothing),
        cmocka_unit_test(a_length_that_overflows_is_refused),
        cmocka_unit_test(without_memory_nothing_is_added_and_nothing_lost),
        cmocka_unit_test(the_capacity_grows_geometrically),
        cmocka_unit_test(clearing_keeps_the_memory_for_the_next_bytes),
        cmocka_unit_test(a_cleared_buffer_has_its_whole_limit_again),
        cmocka_unit_test(a_freed_buffer_is_an_empty_one),
        cmocka_unit_test(moving_transfers_the_bytes),
        cmocka_unit_test(moving_an_empty_buffer_empties_the_other),
        cmocka_unit_test(buffers_are_equal_when_their_bytes_are),
        cmocka_unit_test(bytes_after_a_nul_are_compared_too),
        cmocka_unit_test(empty_buffers_are_equal_with_and_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
