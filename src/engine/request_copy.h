/* request_copy.h - copies of requests. */
#ifndef CEKURA_REQUEST_COPY_H
#define CEKURA_REQUEST_COPY_H

#include "request.h"

/* A copy of a request, whose texts and bytes are in one block. */
struct request_copy {
    struct request request;
    char *block;
    size_t secret_length; /* bytes at the beginning of the block which may hold a secret */
};

/* Copies a request, and opens its files anew. Returns false if that fails, or memory runs out. */
bool request_copy(struct request_copy *copy, const struct request *request);

/* The request of a poll: copies the URL with that id, and shares all else with `request`, which
 * must stay and has no parts. Returns false if memory runs out. */
bool request_copy_for(struct request_copy *copy, const struct request *request, const char *id);

/* Closes the files of its parts, which it then has no more. */
void request_close_files(struct request_copy *copy);

/* Frees a copy, and wipes its headers. */
void request_free(struct request_copy *copy);

#endif
