/* buffer.h - bytes that arrive in pieces, up to a limit. */
#ifndef CEKURA_BUFFER_H
#define CEKURA_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *bytes; /* NULL while nothing was added; no terminating NUL */
    size_t length, capacity;
};

enum buffer_result { BUFFER_OK, BUFFER_FULL, BUFFER_NO_MEMORY };

/* Adds bytes. With more than `limit` bytes in all: BUFFER_FULL, and none is added. */
enum buffer_result buffer_append(
    struct buffer *buffer, const void *bytes, size_t length, size_t limit);

/* Forgets the bytes and keeps the memory for the next ones. */
void buffer_clear(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

/* Hands the bytes over: `to` has them afterwards (what it had is freed), `from` is empty. */
void buffer_move(struct buffer *to, struct buffer *from);

bool buffer_equal(const struct buffer *a, const struct buffer *b);

#endif
