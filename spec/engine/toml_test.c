/* toml_test.c - finding the strings that a TOML document sets a name to. A string that is not found
 * stays in the text, so a key would become a string of Lua's; one that is found wrongly would break
 * the document. */
#include "text/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The strings that `key` is set to in the text, with a bar behind each. The text is put where
 * reading beyond its end is noticed. */
static void assert_found(const char *text, const char *expected)
{
    char found[256] = "";
    struct toml_string string;
    size_t length = strlen(text);
    char *exact = malloc(length + !length);
    memcpy(exact, text, length);
    struct toml_finder finder = {.text = exact, .length = length, .name = "key"};
    while (toml_find(&finder, &string)) {
        assert_true(string.start + string.length <= length && finder.offset <= length);
        strncat(found, exact + string.start, string.length);
        strcat(found, "|");
    }
    free(exact);
    if (strcmp(found, expected) != 0)
        fail_msg("in '%s': '%s', not '%s'", text, found, expected);
}

static void a_string_is_found_in_any_table(void **state)
{
    (void)state;
    assert_found("key = \"a\"", "a|");
    assert_found("key='a'", "a|");
    assert_found(" \t\"key\"\t = \t'a' # 'b'", "a|");
    assert_found("'key' = \"it's\"\r\n", "it's|");
    assert_found("x = 1\n[t]\nkey = \"a\"\n[[u]]\nkey = 'b'", "a|b|");
    assert_found("t = { x = 'y', key = 'a' }, u = [ { key = 'b' } ]", "a|b|");
    assert_found("t.key = 'a'\n\"t\".'key' = 'b'\nt . key = 'c'", "a|b|c|");
    assert_found("key = 'sch\xc3\xbcssel'", "sch\xc3\xbcssel|");
    assert_found("key = ''", "|");
    assert_found("key = 'a\tb'", "a\tb|");
}

static void a_string_with_three_quotes_is_found_if_it_is_on_one_line(void **state)
{
    (void)state;
    assert_found("key = \"\"\"a\"\"\"", "a|");
    assert_found("key = '''\na'''", "a|");
    assert_found("key = '''\r\na'''\nkey = 'b'", "a|b|");
    assert_found("key = \"\"\"\"a\"\"\"\"\"\nkey = 'b'", "\"a\"\"|b|");
    assert_found("key = '''''a'''''", "''a''|");
    /* More quotes than can be stay where they are, so that the text stays malformed. */
    assert_found("key = '''a''''''x", "a|");
    assert_found("key = '''a\nb'''\nkey = 'c'", "c|");
    assert_found("key = ''''''\nkey = 'c'", "|c|");
}

static void another_name_is_passed_over(void **state)
{
    (void)state;
    const char *const texts[] = {"keys = 'a'", "my_key = 'a'", "key.x = 'a'", "key-2 = 'a'",
        "KEY = 'a'", "\"key \" = 'a'", "x = 'key'", "key\n= 'a'", "key = 1\n'a'",
        "key = key2 = 'a'", "key = ['a']", "key = { a = 'a' }", "[key]\na = 'a'", "key 'a'",
        "key == 'a'", "= 'a'", "key", "key =", "", "key = \0 'a'"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_found(texts[i], "");
}

static void comments_and_strings_are_passed_over(void **state)
{
    (void)state;
    assert_found("# key = 'a'\n#'\nkey = 'b'", "b|");
    assert_found("x = \"key = 'a'\"\nkey = 'b'", "b|");
    assert_found("x = \"\\\"\"\nkey = 'b'", "b|");
    assert_found("x = '\\'\nkey = 'b'", "b|");
    assert_found("x = \"\"\"\nkey = 'a'\n\\\"\"\"\"\nkey = 'b'", "b|");
    assert_found("x = '''\nkey = \"a\"\n\"\"\"'''\nkey = 'b'", "b|");
}

static void a_string_that_only_a_reader_understands_is_passed_over(void **state)
{
    (void)state;
    assert_found("key = \"a\\u0041\"\nkey = 'b'", "b|");
    assert_found("key = 'a\\b'", "");
    assert_found("key = 'a\x7f'", "");
    assert_found("key = 'a\xff'", "");
    assert_found("key = 'a\xed\xa0\x80'", "");
}

static void a_string_without_its_end_goes_to_the_end_of_its_line(void **state)
{
    (void)state;
    assert_found("x = \"\nkey = 'a'", "a|");
    assert_found("x = '\nkey = 'a'", "a|");
    assert_found("x = \"\\\nkey = 'a'", "a|");
    assert_found("x = '''\nkey = 'a'", "");
    assert_found("x = \"\"\"\nkey = 'a'\n\\", "");
    assert_found("x = \"\\", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_is_found_in_any_table),
        cmocka_unit_test(a_string_with_three_quotes_is_found_if_it_is_on_one_line),
        cmocka_unit_test(another_name_is_passed_over),
        cmocka_unit_test(comments_and_strings_are_passed_over),
        cmocka_unit_test(a_string_that_only_a_reader_understands_is_passed_over),
        cmocka_unit_test(a_string_without_its_end_goes_to_the_end_of_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
