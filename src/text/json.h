/* json.h - a strict reader of JSON text (RFC 8259).
 *
 * It validates while it reads, allocates nothing, does not recurse, and never reads outside its
 * input. Values are not converted: a token says where in the text a value stands. An escape of half
 * a surrogate pair, which the grammar allows, is read as U+FFFD. */
#ifndef CEKURA_JSON_H
#define CEKURA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 512

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER, /* a number without fraction and exponent */
    JSON_REAL,
    JSON_STRING,
    JSON_KEY, /* a string that names a member; its value follows */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_END,  /* of the whole text */
    JSON_ERROR /* `fault` of the reader says what is wrong at its `offset` */
};

struct json_token {
    enum json_type type;
    size_t start, length; /* in the text; of a string, without its quotes */
    bool escaped;         /* a string with a backslash: json_unescape() it */
};

struct json_reader {
    const char *text;
    size_t length, offset;
    unsigned depth;
    int expects;
    uint8_t objects[JSON_MAX_DEPTH / 8]; /* a bit for each open container: object, or array */
    const char *fault;
};

void json_begin(struct json_reader *reader, const char *text, size_t length);

/* Returns the next token. After JSON_END or JSON_ERROR, it returns the same one again. */
struct json_token json_next(struct json_reader *reader);

/* Writes the bytes of an escaped string token to `to`, which has room for `length` bytes, and
 * returns their number. The text must have been read by json_next(). */
size_t json_unescape(const char *text, size_t length, char *to);

/* Whether an escaped string token stands for these bytes. */
bool json_equals(const char *text, size_t length, const char *bytes, size_t count);

/* Writes the bytes, which are UTF-8, as a JSON string with its quotes to `to`, and returns the
 * string's length. `to` may be NULL, to get only the length. It escapes what lua-cjson escapes,
 * slashes and DEL included. */
size_t json_quote(const char *text, size_t length, char *to);

/* Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool json_is_utf8(const char *text, size_t length);

#endif
