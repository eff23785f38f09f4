/* json.c - a strict reader of JSON text; see json.h. */
#include "json.h"

#include "special.h"
#include "utf8.h"

#include <string.h>

/* json_next() and json_skip() are loops of one function. All that it calls is inlined, so that the
 * compiler keeps the state in registers, and makes no token that is not used. */
#define INLINE __attribute__((always_inline)) static inline

enum expectation {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after "[" */
    EXPECT_KEY,          /* after a comma in an object */
    EXPECT_KEY_OR_END,   /* after "{" */
    EXPECT_COMMA_OR_END, /* after a value in a container */
    EXPECT_NOTHING,      /* after the whole value */
    EXPECT_FAULT
};

/* ---- the state ---- */

INLINE struct json_token fail(struct json_reader *reader, const char *fault)
{
    reader->fault = fault;
    reader->expects = EXPECT_FAULT;
    return (struct json_token){.type = JSON_ERROR, .start = reader->offset};
}

INLINE int peek(const struct json_reader *reader)
{
    return reader->offset < reader->length ? (unsigned char)reader->text[reader->offset] : -1;
}

/* Skips space, and returns the next character. A line begins with many spaces, or with none. */
INLINE int peek_behind_space(struct json_reader *reader)
{
    const char *text = reader->text;
    size_t at = reader->offset, length = reader->length;
    if (at < length && (unsigned char)text[at] > ' ') /* most texts have no space */
        return (unsigned char)text[at];
    while (at < length &&
           (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
        bool is_line = text[at++] == '\n';
        while (is_line && length - at >= 8 && memcmp(text + at, "        ", 8) == 0)
            at += 8;
    }
    reader->offset = at;
    return at < length ? (unsigned char)text[at] : -1;
}

INLINE void value_done(struct json_reader *reader)
{
    reader->expects = reader->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

/* ---- strings ---- */

/* The place of the next special byte, or the end of the text. Short strings are many, so what was
 * found in a block serves for all that is in it. */
INLINE size_t find_special(struct json_reader *reader, size_t at)
{
    size_t into = at - reader->block;
    if (into < SPECIAL_BLOCK) {
        uint64_t bits = reader->specials >> into;
        if (bits)
            return at + (size_t)__builtin_ctzll(bits);
        at = reader->block + SPECIAL_BLOCK;
    }
    for (; reader->length - at >= SPECIAL_BLOCK; at += SPECIAL_BLOCK) {
        uint64_t bits = special_bits(reader->text + at);
        if (bits) {
            reader->block = at;
            reader->specials = bits;
            return at + (size_t)__builtin_ctzll(bits);
        }
    }
    return at + special_find(reader->text + at, reader->length - at);
}

/* The length of the run of valid characters beyond ASCII at `text`; 0 if the first is invalid. */
INLINE size_t multibyte_length(const char *text, size_t left)
{
    size_t length = 0, width;
    do {
        width = utf8_length((const unsigned char *)text + length, left - length);
        length += width;
    } while (width && length < left && (unsigned char)text[length] >= 0x80);
    return length;
}

/* The length of the run of valid escapes at `text`; 0 if the first is invalid. */
INLINE size_t escapes_length(const char *text, size_t left)
{
    size_t length = 0, width;
    do {
        width = json_escape_length(text + length, left - length);
        length += width;
    } while (width && length < left && text[length] == '\\');
    return length;
}

/* Reads to the closing quote of a string. Returns NULL, or the fault at the reader's offset. */
INLINE const char *find_quote(struct json_reader *reader, bool *escaped)
{
    for (;;) {
        reader->offset = find_special(reader, reader->offset);
        const char *special = reader->text + reader->offset;
        size_t left = reader->length - reader->offset, width;
        int c = peek(reader);
        if (c == '"')
            return NULL;
        if (c >= 0x80) {
            width = multibyte_length(special, left);
            if (!width)
                return "invalid UTF-8 in a string";
        } else if (c == '\\') {
            width = escapes_length(special, left);
            *escaped = true;
            if (!width)
                return "invalid escape in a string";
        } else {
            return c < 0 ? "unfinished string" : "control character in a string";
        }
        reader->offset += width;
    }
}

/* Reads a string, or a name with its colon. */
INLINE struct json_token read_string(struct json_reader *reader, bool is_key)
{
    struct json_token token = {.type = is_key ? JSON_KEY : JSON_STRING, .start = ++reader->offset};
    const char *fault = find_quote(reader, &token.escaped);
    if (fault)
        return fail(reader, fault);
    token.length = reader->offset++ - token.start;
    if (!is_key) {
        value_done(reader);
        return token;
    }
    if (peek_behind_space(reader) != ':')
        return fail(reader, "missing colon after the name of a member");
    reader->offset++;
    reader->expects = EXPECT_VALUE;
    return token;
}

/* ---- numbers and names ---- */

INLINE bool skip_digits(struct json_reader *reader)
{
    size_t before = reader->offset;
    while (reader->offset < reader->length && ascii_is_digit(reader->text[reader->offset]))
        reader->offset++;
    return reader->offset > before;
}

INLINE struct json_token read_number(struct json_reader *reader)
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

INLINE struct json_token read_name(
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

INLINE struct json_token open_container(struct json_reader *reader, enum json_type type)
{
    struct json_token token = {.type = type, .start = reader->offset, .length = 1};
    if (reader->depth == JSON_MAX_DEPTH)
        return fail(reader, "nested too deeply");
    unsigned top = reader->depth++;
    uint8_t bit = (uint8_t)(1u << (top % 8));
    reader->in_object = type == JSON_OBJECT;
    if (reader->in_object)
        reader->objects[top / 8] |= bit;
    else
        reader->objects[top / 8] &= (uint8_t)~bit;
    reader->expects = type == JSON_OBJECT ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    reader->offset++;
    return token;
}

INLINE struct json_token close_container(struct json_reader *reader, enum json_type type)
{
    struct json_token token = {.type = type, .start = reader->offset, .length = 1};
    reader->offset++;
    unsigned top = --reader->depth - 1;
    reader->in_object = reader->depth && (reader->objects[top / 8] >> (top % 8)) & 1;
    value_done(reader);
    return token;
}

/* Reads what alone may follow a value in place of a comma. */
INLINE struct json_token read_end(struct json_reader *reader, int c)
{
    bool object = reader->in_object;
    if (c == (object ? '}' : ']'))
        return close_container(reader, object ? JSON_OBJECT_END : JSON_ARRAY_END);
    if (c < 0)
        return fail(reader, object ? "unfinished object" : "unfinished array");
    return fail(reader, "missing comma between two values");
}

/* ---- tokens ---- */

/* Reads a value that is not a string. */
INLINE struct json_token read_other(struct json_reader *reader, int c)
{
    switch (c) {
    case '{':
        return open_container(reader, JSON_OBJECT);
    case '[':
        return open_container(reader, JSON_ARRAY);
    case 'n':
        return read_name(reader, "null", JSON_NULL);
    case 't':
        return read_name(reader, "true", JSON_TRUE);
    case 'f':
        return read_name(reader, "false", JSON_FALSE);
    case -1:
        return fail(reader, reader->length ? "unfinished" : "empty");
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return read_number(reader);
        return fail(reader, "not a JSON value");
    }
}

/* Reads what follows the whole value, or a fault. */
INLINE struct json_token read_nothing(struct json_reader *reader)
{
    if (reader->expects == EXPECT_FAULT)
        return (struct json_token){.type = JSON_ERROR, .start = reader->offset};
    if (peek_behind_space(reader) >= 0)
        return fail(reader, "text after the JSON value");
    return (struct json_token){.type = JSON_END, .start = reader->offset};
}

INLINE struct json_token read_token(struct json_reader *reader)
{
    if (reader->expects >= EXPECT_NOTHING)
        return read_nothing(reader);
    int c = peek_behind_space(reader);
    if (reader->expects == EXPECT_COMMA_OR_END) {
        if (c != ',')
            return read_end(reader, c);
        reader->offset++;
        reader->expects = reader->in_object ? EXPECT_KEY : EXPECT_VALUE;
        c = peek_behind_space(reader);
    }
    bool is_key = reader->expects == EXPECT_KEY || reader->expects == EXPECT_KEY_OR_END;
    if (c == '"')
        return read_string(reader, is_key);
    if (c == '}' && reader->expects == EXPECT_KEY_OR_END)
        return close_container(reader, JSON_OBJECT_END);
    if (c == ']' && reader->expects == EXPECT_VALUE_OR_END)
        return close_container(reader, JSON_ARRAY_END);
    if (is_key)
        return fail(reader, c < 0 ? "unfinished object" : "missing name of a member");
    return read_other(reader, c);
}

/* ---- the interface ---- */

void json_begin(struct json_reader *reader, const char *text, size_t length)
{
    reader->text = text;
    reader->length = length;
    reader->offset = 0;
    reader->depth = 0;
    reader->in_object = false;
    reader->expects = EXPECT_VALUE;
    reader->fault = NULL;
    reader->block = (size_t)0 - SPECIAL_BLOCK; /* none */
    reader->specials = 0;
}

struct json_token json_next(struct json_reader *reader)
{
    return read_token(reader);
}

bool json_skip(struct json_reader *reader)
{
    struct json_reader state = *reader;
    unsigned outside = state.depth - 1;
    do
        read_token(&state);
    while (state.depth > outside && state.expects != EXPECT_FAULT);
    *reader = state;
    return state.expects != EXPECT_FAULT;
}
