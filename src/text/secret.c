/* secret.c - stores a secret, finds it in texts, and wipes it; see secret.h. */
#include "secret.h"

#include "ascii.h"

#include <stdlib.h>
#include <string.h>

/* A shorter prefix of a secret reveals nothing. */
#define MIN_PREFIX 8

enum encoding { LITERAL, AS_JSON, AS_URL, ENCODINGS };

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

/* Sets *c to the character of a JSON escape, and returns the escape's length; 0 if the text ends
 * within it. A JSON text inside a JSON string has its escapes escaped again, so an escape may begin
 * with any number of backslashes. */
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
        *c = ascii_hex4(next + 1);
    else
        return run < 2 ? 1 : 2;
    return run + (*next == 'u' ? 5 : 1);
}

/* Sets *c to the next character, and returns the number of bytes that encode it; 0 if the text ends
 * within them. */
static size_t read_char(enum encoding encoding, const char *text, size_t length, int *c)
{
    *c = (unsigned char)*text;
    if (encoding == AS_URL && *text == '%') {
        *c = length < 3 ? -1 : ascii_hex2(text + 1);
        return length < 3 ? 0 : 3;
    }
    return encoding == AS_JSON && *text == '\\' ? read_escape(text, length, c) : 1;
}

static size_t match(
    enum encoding encoding, const struct secret *secret, const char *text, size_t length)
{
    size_t at = 0, matched = 0;
    while (matched < secret->length && at < length) {
        int c;
        size_t width = read_char(encoding, text + at, length - at, &c);
        if (width == 0) {
            at = length;
            break;
        }
        if (c != (unsigned char)secret->bytes[matched])
            return 0;
        matched++;
        at += width;
    }
    return matched == secret->length || matched >= MIN_PREFIX ? at : 0;
}

size_t secret_at(const struct secret *secret, const char *text, size_t length)
{
    if (secret->length == 0 || length == 0)
        return 0;
    bool escaped = *text == '\\' || *text == '%';
    if (!escaped && *text != *secret->bytes) /* the usual case, without the loop */
        return 0;
    for (enum encoding encoding = LITERAL; encoding < ENCODINGS; encoding++) {
        size_t width = match(encoding, secret, text, length);
        if (width)
            return width;
    }
    return 0;
}
