/* json.h - a strict reader of JSON text (RFC 8259).
 *
 * The reader validates as it reads, allocates nothing, does not recurse, and never reads outside
 * its input. It converts no values: a token gives the position of a value in the text. An escape
 * for half a surrogate pair, which the grammar allows, is read as U+FFFD. */
#ifndef CEKURA_JSON_H
#define CEKURA_JSON_H

#include "json_string.h"

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
    JSON_ERROR /* the reader's `fault` describes the error at its `offset` */
};

struct json_token {
    enum json_type type;
    bool escaped;         /* the string has an escape, see json_unescape() */
    size_t start, length; /* in the text; of a string, without its quotes */
};

struct json_reader {
    const char *text;
    size_t length, offset;
    unsigned depth;
    int expects;
    bool in_object;                      /* the innermost open container is one */
    uint8_t objects[JSON_MAX_DEPTH / 8]; /* a bit per open container: set for an object */
    const char *fault;
    size_t block; /* where the bytes of `specials` are, see special.h */
    uint64_t specials;
};

void json_begin(struct json_reader *reader, const char *text, size_t length);

/* Returns the next token. After JSON_END or JSON_ERROR, returns the same token again. */
struct json_token json_next(struct json_reader *reader);

/* Reads to the end of the innermost open container. False: there is a fault before. */
bool json_skip(struct json_reader *reader);

#endif
