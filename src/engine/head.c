/* head.c - parses the head of an answer, line by line; see head.h. */
#include "head.h"

#include "text/ascii.h"

#include <string.h>

bool head_is_too_large(const struct head *head)
{
    return head->bytes > HEAD_MAX_BYTES || head->line_count > HEAD_MAX_LINES;
}

void head_clear(struct head *head)
{
    buffer_clear(&head->lines);
    *head = (struct head){.lines = head->lines};
}

void head_free(struct head *head)
{
    buffer_free(&head->lines);
}

/* The status of an HTTP/1 status line (RFC 9112, 4), or 0 if the line is not one. libcurl accepts
 * some such lines as status 200, each release different ones. */
static int status_of(const char *line, size_t length)
{
    static const char start[] = "HTTP/1.";
    const char *digits = line + 9;
    if (length < 13 || memcmp(line, start, strlen(start)) != 0 || (line[7] | 1) != '1' ||
        line[8] != ' ')
        return 0;
    if (!ascii_is_digit(digits[0]) || !ascii_is_digit(digits[1]) || !ascii_is_digit(digits[2]) ||
        ascii_is_digit(digits[3]))
        return 0;
    return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

static enum head_result begin(struct head *head, const char *line, size_t length, bool counts)
{
    buffer_clear(&head->lines);
    head->status = status_of(line, length);
    head->chunked = head->asks_pause = false;
    head->coding = CODING_NONE;
    head->after = HEAD_FIRST_FIELD;
    return head->status >= 100 || !counts ? HEAD_OK : HEAD_MALFORMED;
}

/* The value of the line if it is a field of that name, else NULL. Inline, so that the length of a
 * constant name is one. */
static inline const char *value_of(const char *line, size_t length, const char *name)
{
    size_t span = strlen(name);
    bool same = length > span && line[span] == ':' && ascii_same(line, name, span);
    return same ? line + span + 1 : NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

/* Whether the value is `chunked` alone. libcurl 7.88 would also decode the other codings that it
 * was built with; they are refused. */
static bool is_chunked_once(const char *value, const char *end)
{
    size_t span = strlen("chunked");
    while (value < end && is_blank(*value))
        value++;
    if ((size_t)(end - value) < span || !ascii_same(value, "chunked", span))
        return false;
    for (value += span; value < end; value++)
        if (!is_blank(*value))
            return false;
    return true;
}

static enum head_result add_field(struct head *head, const char *line, size_t length)
{
    const char *end = line + length, *value;
    bool is_continued = *line == ' ' || *line == '\t';
    if (is_continued && head->after == HEAD_FIRST_FIELD)
        return HEAD_MALFORMED;
    if (is_continued && head->after == HEAD_CHUNKED) /* libcurl ignores the continuation */
        return HEAD_CODED;
    if (is_continued && head->after == HEAD_CODING)
        head->coding = coding_add(head->coding, line, length);
    if (is_continued)
        return HEAD_OK;
    head->after = HEAD_FIELD;
    if ((value = value_of(line, length, "Content-Encoding"))) {
        head->after = HEAD_CODING;
        head->coding = coding_add(head->coding, value, (size_t)(end - value));
    } else if ((value = value_of(line, length, "Transfer-Encoding"))) {
        head->after = HEAD_CHUNKED;
        if (head->chunked || !is_chunked_once(value, end))
            return HEAD_CODED;
        head->chunked = true;
    } else if (value_of(line, length, "Retry-After")) {
        head->asks_pause = true;
    }
    return HEAD_OK;
}

enum head_result head_add(struct head *head, const char *line, size_t length, bool counts)
{
    enum head_result result = HEAD_OK;
    bool is_last = *line == '\r' || *line == '\n';
    head->bytes += length;
    head->line_count++;
    if (head_is_too_large(head))
        return HEAD_TOO_LARGE;
    if (!head->complete && is_last) {
        head->complete = counts && head->status >= 200;
        head->after = HEAD_STATUS_LINE;
    } else if (!head->complete && head->after == HEAD_STATUS_LINE) {
        result = begin(head, line, length, counts);
    } else if (!head->complete) {
        result = add_field(head, line, length);
    }
    if (result == HEAD_OK && buffer_append(&head->lines, line, length, HEAD_MAX_BYTES) != BUFFER_OK)
        result = HEAD_NO_MEMORY;
    return result;
}
