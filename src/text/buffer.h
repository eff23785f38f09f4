/* buffer.h - bytes that arrive in pieces, up to a limit. */
#ifndef CEKURA_BUFFER_H
#define CEKURA_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *bytes; /* NULL until something is appended; no terminating NUL */
    size_t length, capacity;
};

enum buffer_result { BUFFER_OK, BUFFER_FULL, BUFFER_NO_MEMORY };

/* Appends bytes. Returns BUFFER_FULL, and appends nothing, if the total would exceed `limit`. */
enum buffer_result buffer_append(
    struct buffer *buffer, const void *bytes, size_t length, size_t limit);

/* Discards the bytes, and keeps the memory for later ones. */
void buffer_clear(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

/* Moves the bytes: frees those of `to`, and leaves `from` empty. */
void buffer_move(struct buffer *to, struct buffer *from);

/* Fills an empty buffer with a copy of the bytes. Returns false if memory runs out. */
bool buffer_copy(struct buffer *buffer, const void *bytes, size_t length);

/* The same as buffer_move(), for bytes that are kept for long: few of them are copied to memory of
 * their size, if there is some. */
void buffer_keep(struct buffer *to, struct buffer *from);

bool buffer_equal(const struct buffer *a, const struct buffer *b);

#endif
