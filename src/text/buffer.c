/* buffer.c - bytes that arrive in pieces, up to a limit; see buffer.h. */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* From this capacity on, a buffer maps its own pages, so that mremap() can move them without a
 * copy. realloc() would copy up to 32 MB in one call, which takes many milliseconds. */
#define MIN_MAPPED ((size_t)1024 * 1024)

static bool is_mapped(const struct buffer *buffer)
{
    return buffer->capacity >= MIN_MAPPED;
}

static void free_bytes(const struct buffer *buffer)
{
    if (is_mapped(buffer))
        munmap(buffer->bytes, buffer->capacity);
    else
        free(buffer->bytes);
}

static char *grow_mapping(const struct buffer *buffer, size_t capacity)
{
    if (is_mapped(buffer)) {
        void *moved = mremap(buffer->bytes, buffer->capacity, capacity, MREMAP_MAYMOVE);
        return moved == MAP_FAILED ? NULL : moved;
    }
    void *pages = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    if (buffer->length)
        memcpy(pages, buffer->bytes, buffer->length);
    free_bytes(buffer);
    return pages;
}

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
        char *grown = capacity < MIN_MAPPED ? realloc(buffer->bytes, capacity)
                                            : grow_mapping(buffer, capacity);
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
    free_bytes(buffer);
    *buffer = (struct buffer){0};
}

void buffer_move(struct buffer *to, struct buffer *from)
{
    free_bytes(to);
    *to = *from;
    *from = (struct buffer){0};
}

bool buffer_copy(struct buffer *buffer, const void *bytes, size_t length)
{
    *buffer = (struct buffer){0};
    if (length >= MIN_MAPPED)
        return buffer_append(buffer, bytes, length, SIZE_MAX) == BUFFER_OK;
    if (length == 0)
        return true;
    buffer->bytes = malloc(length);
    if (!buffer->bytes)
        return false;
    memcpy(buffer->bytes, bytes, length);
    buffer->length = buffer->capacity = length;
    return true;
}

/* A buffer grows by doubling, so its bytes may occupy a half of its memory, or less if they are
 * fewer than its first capacity. */
#define WORTH_COPYING ((size_t)4096)

void buffer_keep(struct buffer *to, struct buffer *from)
{
    struct buffer copy;
    if (from->length && from->capacity <= WORTH_COPYING &&
        buffer_copy(&copy, from->bytes, from->length)) {
        buffer_free(from);
        *from = copy;
    }
    buffer_move(to, from);
}

bool buffer_equal(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}
