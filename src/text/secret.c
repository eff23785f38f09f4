/* secret.c - bytes that nobody is to be told; see secret.h. */
#include "secret.h"

#include <stdlib.h>
#include <string.h>

/* The beginning of a secret that is shorter than this gives nothing away. */
#define LEAST_PART 8

enum reading { AS_IT_IS, AS_JSON, AS_URL, READINGS };

bool secret_reserve(struct secret *secret, size_t length)
{
    secret->bytes = calloc(1, length + 1);
    secret->length = secret->bytes ? length : 0;
    return secret->bytes != NULL;
}

void secret_wipe(struct secret *secret)
{
    if (secret->bytes)
        explicit_bzero(secret->bytes, secret->length);
    free(secret->bytes);
    *secret = (struct secret){0};
}

void secret_free_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number that `count` hexadecimal digits stand for; -1: they are none. */
static int hex_number(const char *digits, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        int value = hex_value(digits[i]);
        if (value < 0)
            return -1;
        number = number * 16 + value;
    }
    return number;
}

/* JSON in a text of JSON has its escapes escaped once more: so there may be any number of
 * backslashes. */
static size_t read_escape(const char *text, size_t length, int *c)
{
    size_t run = 1;
    while (run < length && text[run] == '\\')
        run++;
    size_t left = length - run;
    const char *next = text + run;
    if (left == 0 || (*next == 'u' && left < 5))
        return 0;
    *c = '\\';
    if (*next == '"' || *next == '/')
        *c = (unsigned char)*next;
    else if (*next == 'u')
        *c = hex_number(next + 1, 4);
    else
        return run < 2 ? 1 : 2;
    return run + (*next == 'u' ? 5 : 1);
}

/* How many bytes the next character is written with, and which it is; 0: the text ends within it.
 */
static size_t read_char(enum reading reading, const char *text, size_t length, int *c)
{
    *c = (unsigned char)*text;
    if (reading == AS_URL && *text == '%') {
        *c = length < 3 ? -1 : hex_number(text + 1, 2);
        return length < 3 ? 0 : 3;
    }
    return reading == AS_JSON && *text == '\\' ? read_escape(text, length, c) : 1;
}

static size_t stands_there(
    enum reading reading, const struct secret *secret, const char *text, size_t length)
{
    size_t at = 0, known = 0;
    while (known < secret->length && at < length) {
        int c;
        size_t width = read_char(reading, text + at, length - at, &c);
        if (width == 0) {
            at = length;
            break;
        }
        if (c != (unsigned char)secret->bytes[known])
            return 0;
        known++;
        at += width;
    }
    return known == secret->length || known >= LEAST_PART ? at : 0;
}

size_t secret_at(const struct secret *secret, const char *text, size_t length)
{
    if (secret->length == 0 || length == 0)
        return 0;
    bool escaped = *text == '\\' || *text == '%';
    if (!escaped && *text != *secret->bytes) /* nearly always */
        return 0;
    for (enum reading reading = AS_IT_IS; reading < READINGS; reading++) {
        size_t width = stands_there(reading, secret, text, length);
        if (width)
            return width;
    }
    return 0;
}
