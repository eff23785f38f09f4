/* special_test.c - the special bytes of a text. */
#include "text/special.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_special(int c)
{
    return c < ' ' || c >= 0x80 || c == '"' || c == '\\';
}

static void each_byte_is_recognized_at_each_place(void **state)
{
    (void)state;
    const char others[] = {'x', '"', '\x7f', '\x80', '\xff', ' ', '\x1f', '!', '#', '[', ']', '\0'};
    for (size_t i = 0; i < sizeof others; i++)
        for (int c = 0; c < 256; c++)
            for (int place = 0; place < SPECIAL_BLOCK; place++) {
                char text[SPECIAL_BLOCK];
                memset(text, others[i], sizeof text);
                text[place] = (char)c;
                uint64_t bit = UINT64_C(1) << place;
                uint64_t around = is_special((unsigned char)others[i]) ? UINT64_MAX : 0;
                uint64_t expected = (around & ~bit) | (is_special(c) ? bit : 0);
                assert_true(special_bits(text) == expected);
                size_t found = expected ? (size_t)__builtin_ctzll(expected) : SPECIAL_BLOCK;
                assert_int_equal(special_find(text, sizeof text), found);
            }
}

static void any_bytes_are_recognized(void **state)
{
    (void)state;
    srand48(1);
    for (int round = 0; round < 100000; round++) {
        char text[SPECIAL_BLOCK];
        uint64_t expected = 0;
        for (int i = 0; i < SPECIAL_BLOCK; i++) {
            int c = (int)(lrand48() % 256);
            text[i] = (char)c;
            expected |= (uint64_t)is_special(c) << i;
        }
        assert_true(special_bits(text) == expected);
        for (int i = 0; i < SPECIAL_BLOCK; i += 8) {
            uint64_t tops = special_tops(bytes_load8(text + i));
            for (int k = 0; k < 8; k++)
                assert_true((tops >> (8 * k) & 0xff) == (expected >> (i + k) & 1) * 0x80);
        }
    }
}

static void bytes_are_loaded_up_to_any_length(void **state)
{
    (void)state;
    char text[] = "\x01\xff\x80\x7f\x05\x06\x07\x08\x09", copy[8];
    for (size_t length = 0; length <= 9; length++) {
        uint64_t expected = 0, bytes = bytes_load(text, length);
        for (size_t i = 0; i < length && i < 8; i++)
            expected |= (uint64_t)(unsigned char)text[i] << (8 * i);
        assert_true(bytes == expected);
        bytes_store8(copy, bytes);
        assert_memory_equal(copy, text, length < 8 ? length : 8);
    }
}

/* The memory of both ends with the text, so the sanitizer sees an access beyond it. */
static void a_text_is_copied_up_to_its_first_backslash(void **state)
{
    (void)state;
    const char others[] = {'x', '\0', '[', ']', '\xdc', '\xff'};
    for (size_t length = 0; length <= 70; length++)
        for (size_t place = 0; place <= length; place++) /* at `length` there is none */
            for (size_t i = 0; i < sizeof others; i++) {
                char *text = malloc(length + !length), *copy = malloc(length + !length);
                memset(text, others[i], length);
                if (place < length)
                    text[place] = '\\';
                if (place + 1 < length)
                    text[place + 1] = '\\';
                assert_int_equal(special_copy(text, length, copy), place);
                assert_memory_equal(copy, text, place);
                free(text);
                free(copy);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_recognized_at_each_place),
        cmocka_unit_test(any_bytes_are_recognized),
        cmocka_unit_test(bytes_are_loaded_up_to_any_length),
        cmocka_unit_test(a_text_is_copied_up_to_its_first_backslash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
