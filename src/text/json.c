/* json.c - a strict reader of JSON text; see json.h. */
#include "json.h"

#include "ascii.h"
#include "utf8.h"

#include <string.h>

enum expectation {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after "[" */
    EXPECT_KEY_OR_END,   /* after "{" */
    EXPECT_COMMA_OR_END, /* after a value in a container */
    EXPECT_NOTHING,      /* after the whole value */
    EXPECT_FAULT
};

/* ---- texts ---- */

/* The length of a prefix of ASCII other than quotes, backslashes and control characters. Most bytes
 * of most texts are in strings, so eight are checked at once. A borrow can set a byte of `found`
 * wrongly, but only above one that is set rightly, and only the lowest counts. */
static size_t plain_ascii_length(const char *text, size_t left)
{
    size_t at = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    for (; left - at >= 8; at += 8) {
        uint64_t bytes;
        memcpy(&bytes, text + at, 8);
        uint64_t quotes = bytes ^ (ones * '"'), backslashes = bytes ^ (ones * '\\');
        uint64_t found =
            ((bytes - ones * 0x20) | (quotes - ones) | (backslashes - ones) | bytes) & tops;
        if (found)
            return at + (size_t)__builtin_ctzll(found) / 8;
    }
#endif
    for (; at < left; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
    }
    return at;
}

/* The length of the run of valid multi-byte characters at `text`; 0 if the first is invalid. */
static size_t multibyte_length(const char *text, size_t left)
{
    size_t length = 0, width;
    do {
        width = utf8_length((const unsigned char *)text + length, left - length);
        length += width;
    } while (width && length < left && (unsigned char)text[length] >= 0x80);
    return length;
}

size_t json_plain_length(const char *text, size_t left)
{
    size_t at = 0, width;
    do {
        at += plain_ascii_length(text + at, left - at);
        bool is_multibyte = at < left && (unsigned char)text[at] >= 0x80;
        width = is_multibyte ? multibyte_length(text + at, left - at) : 0;
        at += width;
    } while (width);
    return at;
}

size_t json_escape(char c, char *to)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = {['\b'] = 'b',
        ['\f'] = 'f',
        ['\n'] = 'n',
        ['\r'] = 'r',
        ['\t'] = 't',
        ['"'] = '"',
        ['\\'] = '\\'};
    const char letter = letters[(unsigned char)c];
    const char bytes[] = {'\\', letter ? letter : 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t length = letter ? 2 : sizeof bytes;
    memcpy(to, bytes, length);
    return length;
}

bool json_is_utf8(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t width = utf8_length((const unsigned char *)text + at, length - at);
        if (!width)
            return false;
        at += width;
    }
    return true;
}

/* ---- the state of the reader ---- */

static struct json_token fail(struct json_reader *reader, const char *fault)
{
    reader->fault = fault;
    reader->expects = EXPECT_FAULT;
    return (struct json_token){.type = JSON_ERROR, .start = reader->offset};
}

static int peek(const struct json_reader *reader)
{
    return reader->offset < reader->length ? (unsigned char)reader->text[reader->offset] : -1;
}

static void skip_space(struct json_reader *reader)
{
    while (reader->offset < reader->length) {
        char c = reader->text[reader->offset];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        reader->offset++;
    }
}

static bool in_object(const struct json_reader *reader)
{
    unsigned top = reader->depth - 1;
    return (reader->objects[top / 8] >> (top % 8)) & 1;
}

static void value_done(struct json_reader *reader)
{
    reader->expects = reader->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

/* ---- strings ---- */

/* The number written as four hexadecimal digits at `text`; -1 if there are fewer. */
static int32_t read_hex4(const char *text, size_t left)
{
    return left < 4 ? -1 : ascii_hex_number(text, 4);
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

static bool is_short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}

/* The length of the escape at `text`, which begins with a backslash; 0 if it is invalid. The two
 * halves of a surrogate pair, in order, count as one escape. */
static size_t escape_length(const char *text, size_t left)
{
    if (left < 2)
        return 0;
    if (text[1] != 'u')
        return is_short_escape(text[1]) ? 2 : 0;
    int32_t unit = read_hex4(text + 2, left - 2);
    if (unit < 0)
        return 0;
    bool pair = is_high_surrogate(unit) && left >= 12 && text[6] == '\\' && text[7] == 'u' &&
                is_low_surrogate(read_hex4(text + 8, left - 8));
    return pair ? 12 : 6;
}

static struct json_token read_string(struct json_reader *reader, enum json_type type)
{
    struct json_token token = {.type = type, .start = ++reader->offset};
    const char *text = reader->text;
    for (;;) {
        size_t left = reader->length - reader->offset;
        size_t width = plain_ascii_length(text + reader->offset, left);
        reader->offset += width;
        left -= width;
        if (!left)
            return fail(reader, "unfinished string");
        unsigned char c = (unsigned char)text[reader->offset];
        if (c == '"') {
            token.length = reader->offset++ - token.start;
            return token;
        }
        if (c < 0x20)
            return fail(reader, "control character in a string");
        if (c == '\\') {
            width = escape_length(text + reader->offset, left);
            token.escaped = true;
            if (!width)
                return fail(reader, "invalid escape in a string");
        } else {
            width = multibyte_length(text + reader->offset, left);
            if (!width)
                return fail(reader, "invalid UTF-8 in a string");
        }
        reader->offset += width;
    }
}

static size_t write_utf8(int32_t point, char *to)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xc0 | (point >> 6));
        to[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xe0 | (point >> 12));
        to[1] = (char)(0x80 | ((point >> 6) & 0x3f));
        to[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | (point >> 18));
    to[1] = (char)(0x80 | ((point >> 12) & 0x3f));
    to[2] = (char)(0x80 | ((point >> 6) & 0x3f));
    to[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

static char short_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* Replaces a lone surrogate, whose meaning RFC 8259, section 8.2, leaves open. A text that was cut
 * in the middle of an emoji has one, and must still be readable. */
#define REPLACEMENT_CHARACTER 0xfffd

static int32_t code_point(const char *escape, size_t width)
{
    int32_t unit = read_hex4(escape + 2, 4);
    if (width == 12)
        return 0x10000 + ((unit - 0xd800) << 10) + (read_hex4(escape + 8, 4) - 0xdc00);
    bool is_half = is_high_surrogate(unit) || is_low_surrogate(unit);
    return is_half ? REPLACEMENT_CHARACTER : unit;
}

/* Writes the character of the escape at `text`, up to four bytes, and sets *written to their
 * number. Returns the length of the escape; 0 if it is invalid. */
static size_t unescape_one(const char *text, size_t left, char *to, size_t *written)
{
    size_t width = escape_length(text, left);
    if (width == 2) {
        to[0] = short_escape(text[1]);
        *written = 1;
    } else if (width) {
        *written = write_utf8(code_point(text, width), to);
    }
    return width;
}

size_t json_unescape(const char *text, size_t length, char *to)
{
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        const char *escape = memchr(text + at, '\\', length - at);
        size_t plain = escape ? (size_t)(escape - text) - at : length - at;
        memcpy(to + written, text + at, plain);
        written += plain;
        at += plain;
        if (!escape)
            break;
        size_t bytes = 0, width = unescape_one(escape, length - at, to + written, &bytes);
        if (!width)
            break; /* the text is not from json_next() */
        written += bytes;
        at += width;
    }
    return written;
}

bool json_equals(const char *text, size_t length, const char *bytes, size_t count)
{
    size_t matched = 0;
    for (size_t at = 0; at < length;) {
        char meant[4] = {text[at]};
        size_t meant_length = 1, width = 1;
        if (text[at] == '\\')
            width = unescape_one(text + at, length - at, meant, &meant_length);
        if (!width || count - matched < meant_length ||
            memcmp(bytes + matched, meant, meant_length) != 0)
            return false;
        matched += meant_length;
        at += width;
    }
    return matched == count;
}

/* ---- numbers and names ---- */

static bool skip_digits(struct json_reader *reader)
{
    size_t before = reader->offset;
    for (int c = peek(reader); c >= '0' && c <= '9'; c = peek(reader))
        reader->offset++;
    return reader->offset > before;
}

static struct json_token read_number(struct json_reader *reader)
{
    struct json_token token = {.type = JSON_INTEGER, .start = reader->offset};
    if (peek(reader) == '-')
        reader->offset++;
    if (peek(reader) == '0')
        reader->offset++; /* a digit after it is read as the next token, and is an error */
    else if (!skip_digits(reader))
        return fail(reader, "invalid number");
    if (peek(reader) == '.') {
        token.type = JSON_REAL;
        reader->offset++;
        if (!skip_digits(reader))
            return fail(reader, "missing digit after the decimal point");
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        token.type = JSON_REAL;
        reader->offset++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->offset++;
        if (!skip_digits(reader))
            return fail(reader, "missing digit in the exponent");
    }
    token.length = reader->offset - token.start;
    value_done(reader);
    return token;
}

static struct json_token read_name(
    struct json_reader *reader, const char *name, enum json_type type)
{
    size_t length = strlen(name);
    struct json_token token = {.type = type, .start = reader->offset, .length = length};
    if (reader->length - reader->offset < length ||
        memcmp(reader->text + reader->offset, name, length) != 0)
        return fail(reader, "unknown word");
    reader->offset += length;
    value_done(reader);
    return token;
}

/* ---- containers ---- */

static struct json_token open_container(struct json_reader *reader, enum json_type type)
{
    struct json_token token = {.type = type, .start = reader->offset, .length = 1};
    if (reader->depth == JSON_MAX_DEPTH)
        return fail(reader, "nested too deeply");
    unsigned top = reader->depth++;
    uint8_t bit = (uint8_t)(1u << (top % 8));
    if (type == JSON_OBJECT)
        reader->objects[top / 8] |= bit;
    else
        reader->objects[top / 8] &= (uint8_t)~bit;
    reader->expects = type == JSON_OBJECT ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    reader->offset++;
    return token;
}

static struct json_token close_container(struct json_reader *reader, enum json_type type)
{
    struct json_token token = {.type = type, .start = reader->offset, .length = 1};
    reader->offset++;
    reader->depth--;
    value_done(reader);
    return token;
}

static struct json_token read_value(struct json_reader *reader)
{
    int c = peek(reader);
    switch (c) {
    case -1:
        return fail(reader, reader->length ? "unfinished" : "empty");
    case '{':
        return open_container(reader, JSON_OBJECT);
    case '[':
        return open_container(reader, JSON_ARRAY);
    case '"': {
        struct json_token token = read_string(reader, JSON_STRING);
        if (token.type != JSON_ERROR)
            value_done(reader);
        return token;
    }
    case 'n':
        return read_name(reader, "null", JSON_NULL);
    case 't':
        return read_name(reader, "true", JSON_TRUE);
    case 'f':
        return read_name(reader, "false", JSON_FALSE);
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return read_number(reader);
        return fail(reader, "not a JSON value");
    }
}

static struct json_token read_key(struct json_reader *reader)
{
    if (peek(reader) != '"')
        return fail(reader, peek(reader) < 0 ? "unfinished object" : "missing name of a member");
    struct json_token token = read_string(reader, JSON_KEY);
    if (token.type == JSON_ERROR)
        return token;
    skip_space(reader);
    if (peek(reader) != ':')
        return fail(reader, "missing colon after the name of a member");
    reader->offset++;
    reader->expects = EXPECT_VALUE;
    return token;
}

static struct json_token after_value(struct json_reader *reader)
{
    int c = peek(reader);
    bool object = in_object(reader);
    if (c == (object ? '}' : ']'))
        return close_container(reader, object ? JSON_OBJECT_END : JSON_ARRAY_END);
    if (c != ',') {
        if (c < 0)
            return fail(reader, object ? "unfinished object" : "unfinished array");
        return fail(reader, "missing comma between two values");
    }
    reader->offset++;
    skip_space(reader);
    return object ? read_key(reader) : read_value(reader);
}

void json_begin(struct json_reader *reader, const char *text, size_t length)
{
    reader->text = text;
    reader->length = length;
    reader->offset = 0;
    reader->depth = 0;
    reader->expects = EXPECT_VALUE;
    reader->fault = NULL;
}

struct json_token json_next(struct json_reader *reader)
{
    if (reader->expects != EXPECT_FAULT)
        skip_space(reader);
    switch ((enum expectation)reader->expects) {
    case EXPECT_VALUE:
        return read_value(reader);
    case EXPECT_VALUE_OR_END:
        if (peek(reader) == ']')
            return close_container(reader, JSON_ARRAY_END);
        return read_value(reader);
    case EXPECT_KEY_OR_END:
        if (peek(reader) == '}')
            return close_container(reader, JSON_OBJECT_END);
        return read_key(reader);
    case EXPECT_COMMA_OR_END:
        return after_value(reader);
    case EXPECT_NOTHING:
        if (reader->offset < reader->length)
            return fail(reader, "text after the JSON value");
        return (struct json_token){.type = JSON_END, .start = reader->offset};
    default:
        return (struct json_token){.type = JSON_ERROR, .start = reader->offset};
    }
}
