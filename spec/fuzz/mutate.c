/* mutate.c - mutations of whole words.
 *
 * The inputs consist of numbers, words and lines. libFuzzer mutates bytes, and rarely turns one
 * date into another, so every fourth mutation changes a whole number, word or line. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

static uint32_t state;

static size_t below(size_t bound)
{
    state = state * 1664525u + 1013904223u;
    return bound ? (state >> 8) % bound : 0;
}

/* ---- pieces: numbers, words, lines, or a single other byte ---- */

struct piece {
    size_t start, length;
};

static int class_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return 1;
    return (c | 32) >= 'a' && (c | 32) <= 'z' ? 2 : 0;
}

static bool joined(const uint8_t *data, size_t at, bool line)
{
    if (line)
        return data[at] != '\n';
    return class_of(data[at]) && class_of(data[at]) == class_of(data[at + 1]);
}

static struct piece any_piece(const uint8_t *data, size_t size)
{
    size_t start = below(size), end = start;
    bool line = below(4) == 0;
    while (start > 0 && joined(data, start - 1, line))
        start--;
    while (end + 1 < size && joined(data, end, line))
        end++;
    return (struct piece){start, end + 1 - start};
}

/* Replaces a piece by `with`. Returns the new size, or the old one if there is no room. */
static size_t replace(
    uint8_t *data, size_t size, size_t room, struct piece piece, const uint8_t *with, size_t length)
{
    size_t rest = piece.start + piece.length;
    if (size - piece.length + length > room)
        return size;
    memmove(data + piece.start + length, data + rest, size - rest);
    memcpy(data + piece.start, with, length);
    return size - piece.length + length;
}

/* ---- mutations ---- */

/* Changes a number, often to one with as many digits: a neighbour, or a boundary value. */
static size_t other_number(uint8_t *data, size_t size, size_t room, struct piece piece)
{
    static const unsigned long long edges[] = {0, 1, 2, 4, 12, 13, 23, 24, 28, 29, 30, 31, 32, 59,
        60, 61, 99, 100, 366, 400, 1899, 1900, 1969, 1970, 2000, 2024, 9999, 10000, 4294967296,
        9007199254740992, 9007199254740993, 9223372036854775807, 9223372036854775808ull};
    char text[24] = "";
    memcpy(text, data + piece.start, piece.length < 20 ? piece.length : 20);
    unsigned long long value = strtoull(text, NULL, 10) + below(3) - 1;
    if (below(2))
        value = edges[below(sizeof edges / sizeof *edges)];
    int width = below(3) && piece.length < 20 ? (int)piece.length : 1;
    int length = snprintf(text, sizeof text, "%0*llu", width, value);
    return replace(data, size, room, piece, (const uint8_t *)text, (size_t)length);
}

static size_t mutate_piece(uint8_t *data, size_t size, size_t room)
{
    uint8_t copy[256];
    struct piece piece = any_piece(data, size), other = any_piece(data, size);
    if (class_of(data[piece.start]) == 1 && piece.length < 20 && below(2))
        return other_number(data, size, room, piece);
    if (below(4) == 0)
        return replace(data, size, room, piece, copy, 0);
    if (other.length > sizeof copy)
        return size;
    memcpy(copy, data + other.start, other.length);
    if (below(2)) /* inserts it before the piece */
        piece.length = 0;
    return replace(data, size, room, piece, copy, other.length);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    state = seed;
    if (!size || below(4))
        return LLVMFuzzerMutate(data, size, room);
    return mutate_piece(data, size, room);
}
