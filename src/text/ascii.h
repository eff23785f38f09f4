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
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number written as `count` hexadecimal digits; -1 if one of them is not a digit. */
static inline int ascii_hex_number(const char *digits, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        int value = ascii_hex_value(digits[i]);
        if (value < 0)
            return -1;
        number = number * 16 + value;
    }
    return number;
}

#endif
