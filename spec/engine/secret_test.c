/* secret_test.c - finds a secret in a text, and reads a file that holds one. */
#include "file/private_file.h"
#include "text/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct secret secret_of(const char *text)
{
    struct secret secret;
    assert_true(secret_reserve(&secret, strlen(text)));
    memcpy(secret.bytes, text, strlen(text));
    return secret;
}

/* The number of bytes of the text that represent the secret. The text is in memory of exactly its
 * length, where a sanitizer detects a read beyond its end. */
static size_t width_in(const char *key, const char *text)
{
    struct secret secret = secret_of(key);
    size_t length = strlen(text);
    char *exact = malloc(length + !length);
    memcpy(exact, text, length);
    size_t width = secret_at(&secret, exact, length);
    free(exact);
    secret_wipe(&secret);
    return width;
}

static void assert_found(const char *key, const char *text, size_t width)
{
    size_t found = width_in(key, text);
    if (found != width)
        fail_msg("'%s' in '%s': %zu bytes, not %zu", key, text, found, width);
}

static void a_literal_secret_is_found(void **state)
{
    (void)state;
    assert_found("sk-0123456789", "sk-0123456789", 13);
    assert_found("sk-0123456789", "sk-0123456789 and more", 13);
    assert_found("k", "k", 1);
    assert_found("a\\/b%41", "a\\/b%41.", 7);
}

static void another_text_is_not_a_secret(void **state)
{
    (void)state;
    const char *const texts[] = {"", "s", "x", "sk-012345678X", "sk-012345678x9", "SK-0123456789",
        " sk-0123456789", "\\", "%", "%7", "\\u", "sk\\-0123456789", "\\nk-0123456789",
        "%73k-01234567x", "\\u0073k-01234567x"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_found("sk-0123456789", texts[i], 0);
}

static void a_secret_is_found_in_json(void **state)
{
    (void)state;
    assert_found("sk/0123456789", "sk\\/0123456789\"", 14);
    assert_found("sk/0123456789", "\\u0073k\\u002f0123456789", 23);
    assert_found("sk/0123456789", "\\u0073k\\u002F0123456789", 23);
    assert_found("a\"b\\c", "a\\\"b\\\\c", 7);
    assert_found("a\"b/c", "a\\\\\\\"b\\\\\\/c", 11);
    assert_found("a\"b/c", "a\\\\u0022b\\\\u002fc", 17);
}

static void a_secret_is_found_in_a_url(void **state)
{
    (void)state;
    assert_found("sk/01 23456789", "sk%2F01%2023456789&x", 18);
    assert_found("sk/01 23456789", "%73k%2f01%2023456789", 20);
}

/* A broken connection may cut a text anywhere within the secret. */
static void a_prefix_is_found_at_the_end_of_the_text(void **state)
{
    (void)state;
    assert_found("sk-0123456789", "sk-012345678", 12);
    assert_found("sk-0123456789", "sk-01234", 8);
    assert_found("sk-0123456789", "sk-0123", 0);
    assert_found("sk-012345678/", "sk-012345678\\", 13);
    assert_found("sk-012345678/", "sk-012345678%2", 14);
    assert_found("sk-012345678/", "sk-012345678\\u002", 17);
}

static void an_empty_secret_is_found_nowhere(void **state)
{
    (void)state;
    struct secret none = {0};
    assert_int_equal(secret_at(&none, "text", 4), 0);
    assert_found("", "text", 0);
    secret_wipe(&none);
}

/* ---- files ---- */

static char directory[] = "/tmp/cekura-secret-XXXXXX", path[64];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_file(size_t length)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    for (size_t i = 0; i < length; i++)
        fputc('x', out);
    assert_int_equal(fclose(out), 0);
}

static void assert_unreadable(const char *name, const char *why)
{
    struct private_file file;
    const char *fault = NULL;
    assert_false(private_file_read(&file, name, &fault));
    assert_string_equal(fault, why);
    assert_null(file.text.bytes);
}

static void a_file_is_read_up_to_its_limit_with_its_mode(void **state)
{
    (void)state;
    const size_t lengths[] = {0, 1, 4096, PRIVATE_FILE_LIMIT};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct private_file file;
        const char *fault;
        write_file(lengths[i]);
        assert_int_equal(chmod(path, 0640), 0);
        assert_true(private_file_read(&file, path, &fault));
        assert_int_equal(file.text.length, lengths[i]);
        assert_int_equal(file.text.bytes[file.text.length], 0);
        assert_int_equal(file.mode, 0640);
        secret_wipe(&file.text);
    }
    write_file(PRIVATE_FILE_LIMIT + 1);
    assert_unreadable(path, "it is larger than 64 KB");
}

static void other_types_of_file_are_refused_without_blocking(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(10); /* a FIFO without a writer would block */
    assert_unreadable(path, "it is not a regular file");
    assert_unreadable("/dev/zero", "it is not a regular file");
    assert_unreadable("/", "it is not a regular file");
    alarm(0);
}

static void a_missing_file_is_reported(void **state)
{
    (void)state;
    assert_unreadable(path, strerror(2));
}

static void a_symbolic_link_is_followed_to_a_regular_file_only(void **state)
{
    (void)state;
    struct private_file file;
    const char *fault;
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_true(private_file_read(&file, path, &fault));
    secret_wipe(&file.text);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_unreadable(path, "it is not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_secret_is_found),
        cmocka_unit_test(another_text_is_not_a_secret),
        cmocka_unit_test(a_secret_is_found_in_json),
        cmocka_unit_test(a_secret_is_found_in_a_url),
        cmocka_unit_test(a_prefix_is_found_at_the_end_of_the_text),
        cmocka_unit_test(an_empty_secret_is_found_nowhere),
        cmocka_unit_test_teardown(a_file_is_read_up_to_its_limit_with_its_mode, remove_file),
        cmocka_unit_test_teardown(other_types_of_file_are_refused_without_blocking, remove_file),
        cmocka_unit_test_teardown(a_missing_file_is_reported, remove_file),
        cmocka_unit_test_teardown(a_symbolic_link_is_followed_to_a_regular_file_only, remove_file),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
