/* json_string.c - what JSON strings mean, and texts as such strings; see json_string.h. */
#include "json_string.h"

#include "special.h"
#include "utf8.h"

#include <string.h>

const char json_short_escapes[UCHAR_MAX + 1] = {['"'] = '"',
    ['\\'] = '\\',
    ['/'] = '/',
    ['b'] = '\b',
    ['f'] = '\f',
    ['n'] = '\n',
    ['r'] = '\r',
    ['t'] = '\t'};

/* ---- reading ---- */

/* Writes a code point, and returns the end. */
static inline char *write_utf8(int32_t point, char *to)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char)(0xc0 | (point >> 6));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | (point >> 12));
        *to++ = (char)(0x80 | ((point >> 6) & 0x3f));
    } else {
        *to++ = (char)(0xf0 | (point >> 18));
        *to++ = (char)(0x80 | ((point >> 12) & 0x3f));
        *to++ = (char)(0x80 | ((point >> 6) & 0x3f));
    }
    *to++ = (char)(0x80 | (point & 0x3f));
    return to;
}

/* Replaces a lone surrogate, whose meaning RFC 8259, section 8.2, leaves open. A text that was cut
 * in the middle of an emoji has one, and must still be readable. */
#define REPLACEMENT_CHARACTER 0xfffd

static bool is_surrogate(int32_t unit, int32_t first)
{
    return unit >= first && unit < first + 0x400;
}

/* Writes the character of an escape of a UTF-16 unit at `text`, up to four bytes, and returns the
 * end. *width is the length of the escape. The two halves of a surrogate pair, in order, are one
 * character. */
static inline char *unescape_unit(const char *text, size_t left, char *to, size_t *width)
{
    int32_t unit = ascii_hex4(text + 2), low = -1;
    bool is_high = is_surrogate(unit, 0xd800);
    if (is_high && left >= 12 && text[6] == '\\' && text[7] == 'u')
        low = ascii_hex4(text + 8);
    *width = 6;
    if (is_surrogate(low, 0xdc00)) {
        *width = 12;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else if (is_high || is_surrogate(unit, 0xdc00)) {
        unit = REPLACEMENT_CHARACTER;
    }
    return write_utf8(unit, to);
}

/* Writes the character of the escape at `text`, and returns the end. *width is the length of the
 * escape; 0 if it is invalid. */
static inline char *unescape_one(const char *text, size_t left, char *to, size_t *width)
{
    *width = json_escape_length(text, left);
    if (*width > 2)
        return unescape_unit(text, left, to, width);
    if (*width)
        *to++ = json_short_escapes[(unsigned char)text[1]];
    return to;
}

size_t json_unescape(const char *text, size_t length, char *to)
{
    char *first = to;
    const char *end = text + length;
    while (text < end) {
        size_t width = special_copy(text, (size_t)(end - text), to);
        text += width;
        to += width;
        for (; text < end && *text == '\\'; text += width) {
            to = unescape_one(text, (size_t)(end - text), to, &width);
            if (!width)
                return (size_t)(to - first); /* not in a text from json_next() */
        }
    }
    return (size_t)(to - first);
}

bool json_equals(const char *text, size_t length, const char *bytes, size_t count)
{
    size_t matched = 0;
    for (size_t at = 0; at < length;) {
        char meant[4] = {text[at]}, *end = meant + 1;
        size_t width = 1;
        if (text[at] == '\\')
            end = unescape_one(text + at, length - at, meant, &width);
        size_t meant_length = (size_t)(end - meant);
        if (!width || count - matched < meant_length ||
            memcmp(bytes + matched, meant, meant_length) != 0)
            return false;
        matched += meant_length;
        at += width;
    }
    return matched == count;
}

/* ---- writing ---- */

/* The letters of the escapes of the characters that have to be escaped. */
#define U8 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u'
static const char letters[UCHAR_MAX + 1] = {
    U8, 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u', U8, U8, ['"'] = '"', ['\\'] = '\\'};
#undef U8

/* Writes the escapes of the characters at *text, and moves *text behind them. */
static char *write_escapes(const char **text, const char *end, char *to, const char *limit)
{
    static const char hex[] = "0123456789abcdef";
    const char *at = *text;
    for (; at < end && limit - to >= JSON_WRITE_ROOM; at++) {
        unsigned char c = (unsigned char)*at;
        if (!letters[c])
            break;
        *to++ = '\\';
        *to++ = letters[c];
        if (letters[c] == 'u') {
            *to++ = '0';
            *to++ = '0';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    *text = at;
    return to;
}

/* Copies the characters beyond ASCII at *text, and moves *text behind them. Stops at invalid ones.
 */
static char *copy_multibyte(const char **text, const char *end, char *to, const char *limit)
{
    const char *first = *text, *at = first;
    size_t width = 1, room = (size_t)(limit - to) - JSON_WRITE_ROOM;
    while (at < end && (unsigned char)*at >= 0x80 && (size_t)(at - first) <= room && width) {
        width = utf8_length((const unsigned char *)at, (size_t)(end - at));
        at += width;
    }
    memcpy(to, first, (size_t)(at - first));
    *text = at;
    return to + (at - first);
}

/* Copies a plain part of the text, and returns its length. Writes all the bytes that it examines:
 * eight, or many if there is room. */
static inline size_t copy_part(const char *text, size_t left, char *to, size_t room)
{
    if (left >= SPECIAL_BLOCK && room >= SPECIAL_BLOCK) {
        uint64_t bits = special_bits(text);
        memcpy(to, text, SPECIAL_BLOCK);
        return bits ? (size_t)__builtin_ctzll(bits) : SPECIAL_BLOCK;
    }
    left = left < 8 ? left : 8;
    uint64_t bytes = bytes_load(text, left);
    uint64_t tops = special_tops(bytes) << (8 * (8 - left)) >> (8 * (8 - left));
    bytes_store8(to, bytes);
    return tops ? (size_t)__builtin_ctzll(tops) / 8 : left;
}

char *json_write(const char **text, const char *end, char *to, const char *limit)
{
    const char *at = *text;
    size_t plain = 8;
    while (at < end && limit - to >= JSON_WRITE_ROOM) {
        /* Where special characters are many, it takes longer to examine many bytes. */
        size_t room = plain < 8 ? 8 : (size_t)(limit - to);
        plain = copy_part(at, (size_t)(end - at), to, room);
        const char *first = at += plain;
        to += plain;
        if (at == end || limit - to < JSON_WRITE_ROOM)
            break;
        if ((unsigned char)*at < 0x80)
            to = write_escapes(&at, end, to, limit);
        else
            to = copy_multibyte(&at, end, to, limit);
        if (at == first && !plain)
            break;
    }
    *text = at;
    return to;
}

bool json_is_utf8(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t width = utf8_length((const unsigned char *)text + at, length - at);
        if (!width)
            return false;
        at += width;
    }
    return true;
}
