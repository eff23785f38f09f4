/* ascii.h - ASCII letters and hexadecimal digits, independent of the locale. strcasecmp() depends
 * on it: in a Turkish locale "I" is not the capital of "i". */
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

/* Whether two texts are equal, ignoring the case of A to Z, up to `length` or their ends. */
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

/* The value of a hexadecimal digit; -1 for any other character. */
static inline int ascii_hex_value(char c)
{
#define ASCII_NO_8 -1, -1, -1, -1, -1, -1, -1, -1
#define ASCII_NO_32 ASCII_NO_8, ASCII_NO_8, ASCII_NO_8, ASCII_NO_8
    static const int8_t values[] = {ASCII_NO_32, ASCII_NO_8, ASCII_NO_8, 0, 1, 2, 3, 4, 5, 6, 7, 8,
        9, -1, -1, -1, -1, -1, -1, -1, 10, 11, 12, 13, 14, 15, -1, ASCII_NO_8, ASCII_NO_8,
        ASCII_NO_8, -1, 10, 11, 12, 13, 14, 15, -1, ASCII_NO_8, ASCII_NO_8, ASCII_NO_8, ASCII_NO_32,
        ASCII_NO_32, ASCII_NO_32, ASCII_NO_32};
    return values[(unsigned char)c];
#undef ASCII_NO_8
#undef ASCII_NO_32
}

/* The number written as two hexadecimal digits; negative if one of them is not a digit. */
static inline int ascii_hex2(const char *digits)
{
    return ascii_hex_value(digits[0]) * 16 | ascii_hex_value(digits[1]);
}

/* The same for four digits. */
static inline int ascii_hex4(const char *digits)
{
    return ascii_hex2(digits) * 256 | ascii_hex2(digits + 2);
}

#endif
