/* form.h - what the requests of many polls have in common: everything but an id in the URL.
 *
 * A program may have a hundred thousand polls of a few kinds. Each of them has a form, and an id.
 */
#ifndef CEKURA_FORM_H
#define CEKURA_FORM_H

#include "endpoint.h"
#include "request_copy.h"

struct form {
    void **known; /* the tree that it is in */
    unsigned users;
    struct endpoint *endpoint;
    struct request_copy copy;
};

/* Finds or creates the form of a request, which has neither headers nor a body, in the tree of an
 * engine's forms, and adds a user. Returns NULL if memory runs out. */
struct form *form_acquire(void **known, struct endpoints *endpoints, const struct request *request);

/* The form of the same requests at another URL of the same endpoint. Adds a user. Returns NULL if
 * memory runs out. */
struct form *form_at(const struct form *form, const char *url, const char *url_rest);

/* Adds a user. */
void form_retain(struct form *form);

/* Removes a user, and frees a form without users. */
void form_release(struct form *form);

#endif
