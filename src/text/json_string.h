/* json_string.h - the escapes of JSON strings, for the reader and for what decodes them. */
#ifndef CEKURA_JSON_STRING_H
#define CEKURA_JSON_STRING_H

#include "ascii.h"

#include <limits.h>

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
