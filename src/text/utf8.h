/* utf8.h - the characters of a UTF-8 text (RFC 3629: no surrogates, no overlong forms). */
#ifndef CEKURA_UTF8_H
#define CEKURA_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the character at `text`; 0 if the bytes are invalid. `left` is at least 1. */
static inline size_t utf8_length(const unsigned char *text, size_t left)
{
    unsigned char first = text[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > left)
        return 0;
    unsigned char least = 0x80, most = 0xbf;
    if (first == 0xe0)
        least = 0xa0; /* overlong below */
    else if (first == 0xed)
        most = 0x9f; /* surrogates above */
    else if (first == 0xf0)
        least = 0x90;
    else if (first == 0xf4)
        most = 0x8f; /* beyond U+10FFFF */
    if (text[1] < least || text[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* The code point of the character of that length, as utf8_length() gave it. */
static inline uint32_t utf8_code_point(const unsigned char *text, size_t length)
{
    static const unsigned char mask_of_first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = text[0] & mask_of_first[length];
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (text[i] & 0x3f);
    return point;
}

#endif
