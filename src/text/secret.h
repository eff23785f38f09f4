/* secret.h - stores a secret, finds it in texts, and wipes it. */
#ifndef CEKURA_SECRET_H
#define CEKURA_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *bytes; /* followed by a NUL; NULL if there is no secret */
    size_t length;
};

/* Allocates room for a secret of that length, which the caller fills in. Returns false if memory
 * runs out. */
bool secret_reserve(struct secret *secret, size_t length);

/* Wipes and frees it. Idempotent. */
void secret_wipe(struct secret *secret);

/* The number of bytes at the start of the text that represent the secret, literally or with the
 * escapes of JSON or URLs; 0 if the text starts with anything else. A text that was cut may end
 * with a prefix of the secret, which counts, too. */
size_t secret_at(const struct secret *secret, const char *text, size_t length);

/* Wipes and frees a text that holds a secret; NULL is allowed. */
void secret_free_text(char *text);

#endif
