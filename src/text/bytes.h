/* bytes.h - up to eight bytes of a text as a number. The first byte is the lowest. */
#ifndef CEKURA_BYTES_H
#define CEKURA_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A one in each byte. */
#define BYTES_ONES UINT64_C(0x0101010101010101)

static inline uint64_t bytes_load8(const char *text)
{
    uint64_t bytes;
    memcpy(&bytes, text, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}

static inline uint64_t bytes_load4(const char *text)
{
    uint32_t bytes;
    memcpy(&bytes, text, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap32(bytes);
#endif
    return bytes;
}

/* The first `length` bytes, or eight if there are more, and zeros behind them. */
static inline uint64_t bytes_load(const char *text, size_t length)
{
    if (length >= 8)
        return bytes_load8(text);
    if (length >= 4) /* the two parts overlap */
        return bytes_load4(text) | bytes_load4(text + length - 4) << (8 * (length - 4));
    uint64_t bytes = 0;
    for (size_t i = 0; i < length; i++)
        bytes |= (uint64_t)(unsigned char)text[i] << (8 * i);
    return bytes;
}

static inline void bytes_store8(char *to, uint64_t bytes)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    memcpy(to, &bytes, 8);
}

#endif
