/* head_test.c - heads of answers, line by line. */
#include "engine/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Each line in separate memory, so that a sanitizer sees what is read beyond it. */
static enum head_result add(struct head *head, const char *line, bool counts)
{
    size_t length = strlen(line);
    char *copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, line, length);
    enum head_result result = head_add(head, copy, length, counts);
    free(copy);
    return result;
}

static enum head_result add_all(struct head *head, const char *const *lines)
{
    enum head_result result = HEAD_OK;
    for (; *lines && result == HEAD_OK; lines++)
        result = add(head, *lines, true);
    return result;
}

static void assert_head(
    const char *const *lines, enum head_result expected, int status, enum coding coding)
{
    struct head head = {0};
    assert_int_equal(add_all(&head, lines), expected);
    if (expected == HEAD_OK) {
        assert_true(head.complete);
        assert_int_equal(head.status, status);
        assert_int_equal(head.coding, coding);
    }
    head_free(&head);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define HEAD(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_status_line_is_one_of_http_1(void **state)
{
    static const struct {
        const char *line;
        int status;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n", 200},
        {"HTTP/1.0 404 Not Found\r\n", 404},
        {"HTTP/1.1 204\r\n", 204},
        {"HTTP/1.1 599 \n", 599},
        {"HTTP/1.1 999 x\r\n", 999},
        {"HTTP/1.1 200OK\r\n", 200},
        {"HTTP/2 200\r\n", 0},
        {"HTTP/2.1 304 x\r\n", 0},
        {"HTTP/1.2 200 OK\r\n", 0},
        {"HTTP/1.1  200 OK\r\n", 0},
        {"HTTP/1.1\t200 OK\r\n", 0},
        {"HTTP/1.1 2000 OK\r\n", 0},
        {"HTTP/1.1 20 OK\r\n", 0},
        {"HTTP/1.1 -20 OK\r\n", 0},
        {"HTTP/1.1 099 OK\r\n", 0},
        {"http/1.1 200 OK\r\n", 0},
        {"HTTP/1.1 \r\n", 0},
        {"HTTP/1.1\r\n", 0},
        {"HTTP\r\n", 0},
        {"\x1f\r\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_head(HEAD(rows[i].line, "A: b\r\n", "\r\n"),
            rows[i].status ? HEAD_OK : HEAD_MALFORMED, rows[i].status, CODING_NONE);
}

static void what_is_before_the_answer_does_not_count(void **state)
{
    (void)state;
    assert_head(HEAD("HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 103 E\r\n",
                    "Content-Encoding: br\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", OK,
                    "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n", "\r\n"),
        HEAD_OK, 200, CODING_GZIP);
    struct head head = {0};
    assert_int_equal(add_all(&head, HEAD("HTTP/1.1 101 Switching\r\n", "\r\n")), HEAD_OK);
    assert_false(head.complete);
    head_clear(&head);
    /* a proxy's, to CONNECT */
    assert_int_equal(add(&head, OK, false), HEAD_OK);
    assert_int_equal(add(&head, "\r\n", false), HEAD_OK);
    assert_false(head.complete);
    assert_int_equal(add_all(&head, HEAD("HTTP/1.1 204 No Content\r\n", "\r\n")), HEAD_OK);
    assert_true(head.complete);
    assert_int_equal(head.status, 204);
    assert_memory_equal(head.lines.bytes, "HTTP/1.1 204", 12);
    head_free(&head);
}

static void trailers_change_nothing(void **state)
{
    (void)state;
    assert_head(HEAD(OK, "\r\n", " folded\r\n", "HTTP/1.1 404 No\r\n", "Content-Encoding: br\r\n",
                    "Transfer-Encoding: gzip\r\n", "\r\n"),
        HEAD_OK, 200, CODING_NONE);
}

static void a_first_field_continues_none(void **state)
{
    (void)state;
    assert_head(HEAD(OK, " A: b\r\n"), HEAD_MALFORMED, 0, CODING_NONE);
    assert_head(HEAD(OK, "\t\r\n"), HEAD_MALFORMED, 0, CODING_NONE);
    assert_head(HEAD("HTTP/1.1 103 E\r\n", "A: b\r\n", "\r\n", OK, " c\r\n"), HEAD_MALFORMED, 0,
        CODING_NONE);
    assert_head(HEAD(OK, "A: b\r\n", " c\r\n", "\td\r\n", "\r\n"), HEAD_OK, 200, CODING_NONE);
}

static void encodings_are_put_together(void **state)
{
    (void)state;
    assert_head(HEAD(OK, "CONTENT-encoding:GZIP\r\n", "\r\n"), HEAD_OK, 200, CODING_GZIP);
    assert_head(HEAD(OK, "Content-Encoding:\r\n", " gzip\r\n", "\r\n"), HEAD_OK, 200, CODING_GZIP);
    assert_head(HEAD(OK, "Content-Encoding: gzip\r\n", "A: b\r\n", " gzip\r\n", "\r\n"), HEAD_OK,
        200, CODING_GZIP);
    assert_head(HEAD(OK, "Content-Encoding: gzip\r\n", " , gzip\r\n", "\r\n"), HEAD_OK, 200,
        CODING_SEVERAL);
    assert_head(HEAD(OK, "Content-Encoding: gzip\r\n", "Content-Encoding: deflate\r\n", "\r\n"),
        HEAD_OK, 200, CODING_SEVERAL);
    assert_head(HEAD(OK, "Content-Encodin: br\r\n", "Content-Encoding-: br\r\n", "\r\n"), HEAD_OK,
        200, CODING_NONE);
}

static void a_transfer_encoding_is_chunked_once(void **state)
{
    static const char *const others[] = {"", "gzip", "identity", "chunked, gzip", "gzip, chunked",
        "chunked, chunked", "chunkedx", "chunke", "chunked;q=1"};
    char line[100];
    (void)state;
    assert_head(HEAD(OK, "Transfer-Encoding: chunked\r\n", "\r\n"), HEAD_OK, 200, CODING_NONE);
    assert_head(HEAD(OK, "transfer-encoding:\tCHUNKED , \n", "\n"), HEAD_OK, 200, CODING_NONE);
    for (size_t i = 0; i < COUNT(others); i++) {
        strcpy(line, "Transfer-Encoding: ");
        strcat(strcat(line, others[i]), "\r\n");
        assert_head(HEAD(OK, line, "\r\n"), HEAD_CODED, 0, CODING_NONE);
    }
    assert_head(HEAD(OK, "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"),
        HEAD_CODED, 0, CODING_NONE);
    assert_head(HEAD(OK, "Transfer-Encoding: chunked\r\n", " \r\n"), HEAD_CODED, 0, CODING_NONE);
}

static void there_is_a_limit_on_lines_and_bytes(void **state)
{
    struct head head = {0};
    static char line[1 << 16];
    (void)state;
    assert_int_equal(add(&head, OK, true), HEAD_OK);
    for (unsigned i = 1; i < HEAD_MAX_LINES; i++)
        assert_int_equal(add(&head, "A: b\r\n", true), HEAD_OK);
    assert_int_equal(add(&head, "\r\n", true), HEAD_TOO_LARGE);
    assert_true(head_is_too_large(&head));
    head_clear(&head);
    assert_false(head_is_too_large(&head));
    memset(line, 'a', sizeof line - 1);
    assert_int_equal(add(&head, OK, true), HEAD_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(add(&head, line, true), HEAD_OK);
    assert_int_equal(add(&head, line, true), HEAD_TOO_LARGE);
    head_free(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_line_is_one_of_http_1),
        cmocka_unit_test(what_is_before_the_answer_does_not_count),
        cmocka_unit_test(trailers_change_nothing),
        cmocka_unit_test(a_first_field_continues_none),
        cmocka_unit_test(encodings_are_put_together),
        cmocka_unit_test(a_transfer_encoding_is_chunked_once),
        cmocka_unit_test(there_is_a_limit_on_lines_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
