/* secret.h - bytes that nobody is to be told: kept, found in texts, wiped. */
#ifndef CEKURA_SECRET_H
#define CEKURA_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *bytes; /* a NUL follows; NULL: none */
    size_t length;
};

/* Makes room for a secret of that length, for the caller to fill in. False: out of memory. */
bool secret_reserve(struct secret *secret, size_t length);

/* May be called again. */
void secret_wipe(struct secret *secret);

/* How many bytes at the beginning of the text stand for the secret: as it is, or with the escapes
 * of JSON or of URLs. Also for its first part, if the text ends there: it may have been cut. 0:
 * something else stands there. */
size_t secret_at(const struct secret *secret, const char *text, size_t length);

/* Frees a text that holds a secret. */
void secret_free_text(char *text);

#endif
