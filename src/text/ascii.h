/* ascii.h - words of protocols, compared whatever the locale: strcasecmp() follows it, and in a
 * Turkish one "I" is no capital "i". */
#ifndef CEKURA_ASCII_H
#define CEKURA_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline char ascii_lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether two texts are the same but for the case of A to Z, as far as `length` or their ends. */
static inline bool ascii_same(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
        if (a[i] == '\0')
            return true;
    }
    return true;
}

#endif
