/* grammar.c - a reference recognizer of JSON text; see grammar.h.
 *
 * There is a function for each rule of RFC 8259 and of the table of RFC 3629. It takes the start of
 * its part and returns the end, or NULL if the text does not match; given NULL, it returns NULL. No
 * code is shared with src/text/json.c. */
#include "grammar.h"

#include <string.h>

typedef const unsigned char *place;

static place value(place at, place end, unsigned depth);

static bool between(place at, place end, int least, int most)
{
    return at && at < end && *at >= least && *at <= most;
}

static place one(place at, place end, int least, int most)
{
    return between(at, end, least, most) ? at + 1 : NULL;
}

static place sign(place at, place end, char c)
{
    return one(at, end, c, c);
}

static place space(place at, place end)
{
    while (
        between(at, end, ' ', ' ') || between(at, end, '\t', '\n') || between(at, end, '\r', '\r'))
        at++;
    return at;
}

static place digits(place at, place end)
{
    place after = one(at, end, '0', '9');
    while (between(after, end, '0', '9'))
        after++;
    return after;
}

static place number(place at, place end)
{
    if (between(at, end, '-', '-'))
        at++;
    at = between(at, end, '0', '0') ? at + 1 : digits(at, end);
    if (between(at, end, '.', '.'))
        at = digits(at + 1, end);
    if (between(at, end, 'e', 'e') || between(at, end, 'E', 'E')) {
        at++;
        if (between(at, end, '+', '+') || between(at, end, '-', '-'))
            at++;
        at = digits(at, end);
    }
    return at;
}

static place hex(place at, place end)
{
    place digit = one(at, end, '0', '9');
    if (!digit)
        digit = one(at, end, 'a', 'f');
    return digit ? digit : one(at, end, 'A', 'F');
}

/* After "\u": any four hexadecimal digits. */
static place unit(place at, place end)
{
    return hex(hex(hex(hex(at, end), end), end), end);
}

static place tail(place at, place end)
{
    return one(at, end, 0x80, 0xbf);
}

static place character(place at, place end)
{
    int first = *at++;
    if (first == '\\') {
        if (between(at, end, 'u', 'u'))
            return unit(at + 1, end);
        return at < end && *at && strchr("\"\\/bfnrt", *at) ? at + 1 : NULL;
    }
    if (first < 0x20)
        return NULL;
    if (first < 0x80)
        return at;
    if (first >= 0xc2 && first <= 0xdf)
        return tail(at, end);
    if (first == 0xe0)
        return tail(one(at, end, 0xa0, 0xbf), end);
    if (first == 0xed)
        return tail(one(at, end, 0x80, 0x9f), end);
    if (first >= 0xe1 && first <= 0xef)
        return tail(tail(at, end), end);
    if (first == 0xf0)
        return tail(tail(one(at, end, 0x90, 0xbf), end), end);
    if (first >= 0xf1 && first <= 0xf3)
        return tail(tail(tail(at, end), end), end);
    if (first == 0xf4)
        return tail(tail(one(at, end, 0x80, 0x8f), end), end);
    return NULL;
}

static place string(place at, place end)
{
    at = sign(at, end, '"');
    while (at && at < end && *at != '"')
        at = character(at, end);
    return sign(at, end, '"');
}

static place word(place at, place end, const char *letters)
{
    for (; at && *letters; letters++)
        at = sign(at, end, *letters);
    return at;
}

static place member(place at, place end, unsigned depth)
{
    place colon = space(string(space(at, end), end), end);
    return value(sign(colon, end, ':'), end, depth);
}

/* `depth` is the number of levels that are allowed, including this one. */
static place container(place at, place end, unsigned depth)
{
    bool object = *at == '{';
    char closing = object ? '}' : ']';
    place inside = space(at + 1, end);
    if (!depth)
        return NULL;
    if (between(inside, end, closing, closing))
        return inside + 1;
    do {
        at = object ? member(at + 1, end, depth - 1) : value(at + 1, end, depth - 1);
    } while (between(at, end, ',', ','));
    return sign(at, end, closing);
}

/* The value with the space around it. */
static place value(place at, place end, unsigned depth)
{
    at = space(at, end);
    if (!at || at == end)
        return NULL;
    switch (*at) {
    case '{':
    case '[':
        return space(container(at, end, depth), end);
    case '"':
        return space(string(at, end), end);
    case 'n':
        return space(word(at, end, "null"), end);
    case 't':
        return space(word(at, end, "true"), end);
    case 'f':
        return space(word(at, end, "false"), end);
    default:
        return space(number(at, end), end);
    }
}

bool grammar_accepts(const unsigned char *text, size_t length, unsigned depth)
{
    return length && value(text, text + length, depth) == text + length;
}
