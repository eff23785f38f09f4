/* json_string.h - what JSON strings mean, and texts as such strings. */
#ifndef CEKURA_JSON_STRING_H
#define CEKURA_JSON_STRING_H

#include "ascii.h"

#include <limits.h>

/* Decodes an escaped string token into `to`, which has room for `length` bytes. Returns the number
 * of bytes written. The text must have been read by json_next(). */
size_t json_unescape(const char *text, size_t length, char *to);

/* Whether an escaped string token decodes to these bytes. */
bool json_equals(const char *text, size_t length, const char *bytes, size_t count);

/* Writes the text from *text to `end` as the inside of a JSON string, with the escapes that JSON
 * requires. Moves *text behind what was read, and returns the end of what was written. Stops where
 * fewer than JSON_WRITE_ROOM bytes are left before `limit`, or else where the text is not UTF-8. */
#define JSON_WRITE_ROOM 16
char *json_write(const char **text, const char *end, char *to, const char *limit);

/* Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool json_is_utf8(const char *text, size_t length);

/* What the letter of a short escape means; 0 for any other character. */
extern const char json_short_escapes[UCHAR_MAX + 1];

/* The length of the escape at `text`, which begins with a backslash; 0 if it is invalid. Each half
 * of a surrogate pair is an escape. */
static inline size_t json_escape_length(const char *text, size_t left)
{
    if (left >= 2 && json_short_escapes[(unsigned char)text[1]])
        return 2;
    return left >= 6 && text[1] == 'u' && ascii_hex4(text + 2) >= 0 ? 6 : 0;
}

#endif
