/* buffer.c - bytes that arrive in pieces, up to a limit; see buffer.h. */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum buffer_result buffer_append(
    struct buffer *buffer, const void *bytes, size_t length, size_t limit)
{
    if (buffer->length > limit || length > limit - buffer->length)
        return BUFFER_FULL;
    size_t needed = buffer->length + length;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 512;
        while (capacity < needed)
            capacity = capacity > SIZE_MAX / 2 ? needed : 2 * capacity;
        char *grown = realloc(buffer->bytes, capacity);
        if (!grown)
            return BUFFER_NO_MEMORY;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    if (length)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length = needed;
    return BUFFER_OK;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

void buffer_move(struct buffer *to, struct buffer *from)
{
    free(to->bytes);
    *to = *from;
    *from = (struct buffer){0};
}

bool buffer_equal(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}
