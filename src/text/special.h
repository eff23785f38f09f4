/* special.h - the special bytes of a text: those that end a plain part of a JSON string, that is
 * quotes, backslashes, control characters, and all bytes beyond ASCII; in a string that was read,
 * only its backslashes. Most bytes of most texts are plain, so many are examined at once. */
#ifndef CEKURA_SPECIAL_H
#define CEKURA_SPECIAL_H

#include "bytes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SPECIAL_BLOCK 64

/* The highest bit of each of the eight bytes that is special. Only the lower bits are added, so
 * that no sum carries into the next byte; its highest bit is missing if the byte is a control
 * character, a quote, a backslash. */
static inline uint64_t special_tops(uint64_t bytes)
{
    const uint64_t ones = BYTES_ONES, lows = ones * 0x7f, low = bytes & lows;
    uint64_t plain = (low + ones * (0x80 - ' ')) & ((low ^ (ones * '"')) + lows) &
                     ((low ^ (ones * '\\')) + lows);
    return (bytes | ~plain) & ~lows;
}

/* The number of plain bytes before the first special one. */
static inline size_t special_find(const char *text, size_t left)
{
    size_t at = 0;
    for (; left - at >= 8; at += 8) {
        uint64_t tops = special_tops(bytes_load8(text + at));
        if (tops)
            return at + (size_t)__builtin_ctzll(tops) / 8;
    }
    for (; at < left; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c < ' ' || c >= 0x80 || c == '"' || c == '\\')
            break;
    }
    return at;
}

/* A bit for each of the SPECIAL_BLOCK bytes at `text`, set for the special ones; the first byte has
 * the lowest bit. */
static inline uint64_t special_bits(const char *text)
{
    uint64_t bits = 0;
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' '), quote = _mm_set1_epi8('"'),
                  backslash = _mm_set1_epi8('\\');
    for (int i = 0; i < SPECIAL_BLOCK; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        __m128i special = _mm_cmplt_epi8(bytes, space); /* signed: also the bytes beyond ASCII */
        special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, quote));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, backslash));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(special) << i;
    }
#else
    for (int i = 0; i < SPECIAL_BLOCK; i += 8) /* the product gathers the eight bits */
        bits |= ((special_tops(bytes_load8(text + i)) >> 7) * UINT64_C(0x0102040810204080) >> 56)
                << i;
#endif
    return bits;
}

/* Copies the text up to its first backslash, and returns the length. `to` has room for all that is
 * left, which may be written to. */
static inline size_t special_copy(const char *text, size_t left, char *to)
{
    size_t at = 0;
#ifdef __SSE2__
    const __m128i backslash = _mm_set1_epi8('\\');
    for (; left - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        _mm_storeu_si128((__m128i *)(void *)(to + at), bytes);
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash));
        if (found)
            return at + (size_t)__builtin_ctz((unsigned)found);
    }
#endif
    for (; left - at >= 8; at += 8) {
        const uint64_t ones = BYTES_ONES;
        uint64_t bytes = bytes_load8(text + at), others = bytes ^ (ones * '\\');
        bytes_store8(to + at, bytes);
        uint64_t found = (others - ones) & ~others & (ones * 0x80); /* the lowest is right */
        if (found)
            return at + (size_t)__builtin_ctzll(found) / 8;
    }
    for (; at < left && text[at] != '\\'; at++)
        to[at] = text[at];
    return at;
}

#endif
