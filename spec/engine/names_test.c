/* names_test.c - names in the order of their bytes. */
#include "text/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOST 5000

static struct name names[MOST], scratch[MOST];
static char texts[MOST][40];

static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* Sorts the first texts, and asserts that they are in order, each with its tag. */
static void assert_sorted(size_t count)
{
    static size_t lengths[MOST];
    static char is_there[MOST];
    memset(is_there, 0, count);
    for (size_t i = 0; i < count; i++)
        lengths[i] = names[i].length;
    names_sort(names, count, scratch);
    for (size_t i = 0; i < count; i++) {
        size_t tag = (size_t)names[i].tag;
        assert_in_range(tag, 0, count - 1);
        assert_ptr_equal(names[i].text, texts[tag]);
        assert_int_equal(names[i].length, lengths[tag]);
        assert_int_equal(is_there[tag]++, 0);
        if (i)
            assert_true(compare(names[i - 1].text, names[i - 1].length, names[i].text,
                            names[i].length) < 0);
    }
}

static void set(size_t place, const char *text, size_t length)
{
    memcpy(texts[place], text, length);
    names[place] = (struct name){.text = texts[place], .length = length, .tag = (int)place};
}

static void names_are_compared_by_their_bytes(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t length;
    } odd[] = {{"", 0}, {"\0", 1}, {"\0\0", 2}, {"\1", 1}, {"A", 1}, {"a", 1}, {"a\0", 2},
        {"a\0b", 3}, {"aa", 2}, {"ab", 2}, {"abcdefgh", 8}, {"abcdefgh\0", 9}, {"abcdefghi", 9},
        {"abcdefgi", 8}, {"abcdefg\x80", 8}, {"b", 1}, {"\x7f", 1}, {"\x80", 1}, {"\xff", 1},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9}};
    for (size_t count = 0; count <= COUNT(odd); count++)
        for (size_t first = 0; first < COUNT(odd); first++) {
            for (size_t i = 0; i < count; i++) {
                size_t place = (first + i * 7) % COUNT(odd);
                set(i, odd[place].text, odd[place].length);
            }
            assert_sorted(count);
        }
}

/* With prefixes of any length in common, and of any number. */
static void any_number_of_names_is_sorted(void **state)
{
    (void)state;
    srand48(1);
    for (size_t count = 0; count <= MOST; count += count < 70 ? 1 : count / 3) {
        for (int prefix = 0; prefix < 24; prefix += 3) {
            for (size_t i = 0; i < count; i++) {
                char text[40];
                int length = snprintf(text, sizeof text, "%.*s%lx.%zx", prefix,
                    "abcdefghijklmnopqrstuvwxyz", (unsigned long)(lrand48() % 3000), i);
                set(i, text, (size_t)length);
            }
            assert_sorted(count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_compared_by_their_bytes),
        cmocka_unit_test(any_number_of_names_is_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
