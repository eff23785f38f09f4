/* secret.h - a secret: kept, found in texts, wiped. */
#ifndef CEKURA_SECRET_H
#define CEKURA_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *bytes; /* a NUL follows; NULL: none */
    size_t length;
};

/* Allocates room for a secret of that length, which the caller fills in. False: out of memory. */
bool secret_reserve(struct secret *secret, size_t length);

/* Wipes and frees it. Idempotent. */
void secret_wipe(struct secret *secret);

/* How many bytes at the start of the text stand for the secret: as it is, or with the escapes of
 * JSON or of URLs. The text may have been cut, so a prefix of the secret counts where the text ends
 * with it. 0: the text starts with something else. */
size_t secret_at(const struct secret *secret, const char *text, size_t length);

/* Wipes and frees a text that holds a secret; NULL is allowed. */
void secret_free_text(char *text);

#endif
