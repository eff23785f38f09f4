/* http.c - where a request of HTTP/1 begins and ends; see http.h. */
#include "http.h"

#include "text/ascii.h"

#include <string.h>

struct text {
    const char *bytes;
    size_t length;
};

/* The line at the beginning of the bytes, without its end. Returns the number of bytes with the
 * end; 0: the line is not complete. A lone LF ends a line, too (RFC 9112, 2.2). */
static size_t read_line(const char *bytes, size_t length, struct text *line)
{
    const char *end = length ? memchr(bytes, '\n', length) : NULL;
    if (!end)
        return 0;
    *line = (struct text){bytes, (size_t)(end - bytes)};
    if (line->length && line->bytes[line->length - 1] == '\r')
        line->length--;
    return (size_t)(end - bytes) + 1;
}

static bool is_name(char byte)
{
    char letter = ascii_lower(byte);
    return (letter >= 'a' && letter <= 'z') || ascii_is_digit(byte) ||
           (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

/* The bytes of a name (a token of RFC 9110) at the beginning. */
static size_t name_length(struct text text)
{
    size_t length = 0;
    while (length < text.length && is_name(text.bytes[length]))
        length++;
    return length;
}

static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.bytes[i] < ' ' && text.bytes[i] != '\t')
            return true;
    return false;
}

/* "METHOD target HTTP/1.x". Returns the status of the refusal, or 0. */
static int read_request_line(struct text line)
{
    size_t method = name_length(line);
    if (method == 0 || has_control(line) || line.length < method + 2 || line.bytes[method] != ' ')
        return 400;
    const char *target = line.bytes + method + 1;
    const char *end = line.bytes + line.length;
    const char *space = memchr(target, ' ', (size_t)(end - target));
    if (!space || space == target)
        return 400;
    const char *version = space + 1;
    if (end - version != 8 || memcmp(version, "HTTP/", 5) != 0 || !ascii_is_digit(version[5]) ||
        version[6] != '.' || !ascii_is_digit(version[7]))
        return 400;
    if (version[5] != '1')
        return 505;
    /* CONNECT names a host alone: this is not a proxy. */
    bool is_target =
        *target == '/' || *target == '*' || memmem(target, (size_t)(space - target), "://", 3);
    return is_target ? 0 : 400;
}

static bool same(struct text text, const char *word)
{
    size_t length = strlen(word);
    return text.length == length && ascii_same(text.bytes, word, length);
}

static struct text trim(struct text text)
{
    while (text.length && (*text.bytes == ' ' || *text.bytes == '\t')) {
        text.bytes++;
        text.length--;
    }
    while (text.length && strchr(" \t", text.bytes[text.length - 1]))
        text.length--;
    return text;
}

/* Returns the status of the refusal, or 0. */
static int read_length(struct text value, size_t *length)
{
    *length = 0;
    if (value.length == 0)
        return 400;
    for (size_t i = 0; i < value.length; i++) {
        if (!ascii_is_digit(value.bytes[i]))
            return 400;
        *length = *length * 10 + (size_t)(value.bytes[i] - '0');
        if (*length > HTTP_MAX_BODY)
            return 413;
    }
    return 0;
}

/* Takes in a header. Returns the status of the refusal, or 0. */
static int read_header(struct http_head *head, struct text line, bool *has_length)
{
    size_t name = name_length(line);
    if (name == 0 || name == line.length || line.bytes[name] != ':' || has_control(line))
        return 400;
    struct text value = trim((struct text){line.bytes + name + 1, line.length - name - 1});
    line.length = name;
    if (same(line, "content-length")) {
        size_t length;
        int fault = read_length(value, &length);
        if (!fault && *has_length && length != head->body_length)
            return 400;
        *has_length = true;
        head->body_length = length;
        return fault;
    }
    if (same(line, "transfer-encoding")) {
        if (!same(value, "chunked"))
            return 501;
        if (head->is_chunked)
            return 400;
        head->is_chunked = true;
    } else if (same(line, "expect")) {
        if (!same(value, "100-continue"))
            return 417;
        head->is_awaiting = true;
    }
    return 0;
}

struct http_head http_read_head(const char *bytes, size_t length)
{
    struct http_head head = {0};
    bool has_request_line = false, has_length = false;
    int fault = 0;
    for (size_t at = 0, read; at < length; at += read) {
        struct text line;
        read = read_line(bytes + at, length - at, &line);
        if (read == 0 || at + read > HTTP_MAX_HEAD)
            break;
        if (line.length == 0 && has_request_line) {
            /* With both, a proxy and this server might disagree on the end (RFC 9112, 6.1). */
            if (!fault && head.is_chunked && has_length)
                fault = 400;
            head.length = at + read;
            head.fault = fault;
            return head;
        }
        if (fault || line.length == 0) /* an empty line before a request is ignored */
            continue;
        fault = has_request_line ? read_header(&head, line, &has_length) : read_request_line(line);
        has_request_line = true;
        if (fault == 400 || fault == 505) { /* it need not have an end */
            head.length = at + read;
            head.fault = fault;
            return head;
        }
    }
    if (length >= HTTP_MAX_HEAD) {
        head.length = length;
        head.fault = has_request_line ? 431 : 414;
    }
    return head;
}

/* ---- chunks ---- */

/* Reads a byte of the line with a chunk's size. */
static void read_size(struct http_chunks *chunks, char byte)
{
    bool in_digits = chunks->digits == chunks->line;
    int digit = in_digits ? ascii_hex_value(byte) : -1;
    chunks->line++;
    if (byte == '\n') {
        chunks->state = chunks->digits == 0 ? CHUNKS_BAD
                        : chunks->left      ? CHUNK_DATA
                                            : CHUNK_TRAILER;
        chunks->line = 0;
    } else if (digit >= 0) {
        chunks->digits++;
        chunks->left = chunks->left * 16 + (size_t)digit;
        if (chunks->left > HTTP_MAX_BODY)
            chunks->state = CHUNKS_BAD;
    } else if (chunks->digits == 0 || chunks->line > HTTP_MAX_HEAD ||
               (in_digits && (!byte || !strchr(" \t;\r", byte)))) {
        chunks->state = CHUNKS_BAD;
    }
}

/* Reads a byte of the end of a chunk's line, or of the trailer. */
static void read_end(struct http_chunks *chunks, char byte)
{
    if (chunks->state == CHUNK_END) {
        if (byte == '\n') {
            *chunks = (struct http_chunks){.state = CHUNK_SIZE};
            return;
        }
        if (byte != '\r')
            chunks->state = CHUNKS_BAD;
    } else if (byte == '\n') {
        chunks->state = chunks->left == 0 ? CHUNKS_DONE : CHUNK_TRAILER;
        chunks->left = 0;
    } else if (byte != '\r') {
        chunks->left = 1; /* the line is not empty */
    }
    if (++chunks->line > HTTP_MAX_HEAD)
        chunks->state = CHUNKS_BAD;
}

size_t http_read_chunks(
    struct http_chunks *chunks, const char *bytes, size_t length, const char **data, size_t *size)
{
    size_t at = 0;
    *size = 0;
    while (at < length && chunks->state < CHUNKS_DONE) {
        if (chunks->state == CHUNK_SIZE) {
            read_size(chunks, bytes[at++]);
        } else if (chunks->state == CHUNK_DATA) {
            *data = bytes + at;
            *size = length - at < chunks->left ? length - at : chunks->left;
            chunks->left -= *size;
            if (chunks->left == 0)
                chunks->state = CHUNK_END;
            return at + *size;
        } else {
            read_end(chunks, bytes[at++]);
        }
    }
    return at;
}
