/* operation.h - one request, with its tries and its one deadline.
 *
 * An operation waits its turn, is sent, is perhaps sent again, and finishes with one outcome. One
 * monotonic deadline covers all of that: queueing, name resolution, connecting, tries, pauses. */
#ifndef CEKURA_OPERATION_H
#define CEKURA_OPERATION_H

#include "engine.h"

struct operation;

struct request {
    const char *method; /* upper case */
    const char *url;
    const char *const *headers; /* "Name: value", in place of the engine's header of that name */
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_length;
    int64_t timeout_us;
    bool once;            /* is not repeated, also where that would do no harm */
    const char *endpoint; /* a URL that says in place of its own which endpoint it is, or NULL */
    bool urgent;          /* is sent before all that is not */
};

/* Queues a request; it is copied. By `ref` it is listed. NULL: out of memory, or the engine is
 * closed. */
struct operation *operation_new(struct engine *engine, const struct request *request, int ref);

/* Frees it, cancelling it first if it still runs. */
void operation_free(struct operation *operation);

/* Ends it with OUTCOME_CANCELLED, unless it has finished. */
void operation_cancel(struct operation *operation);

/* Lists it once more, for an end that could not be taken in. */
void operation_relist(struct operation *operation);

/* How it ended; NULL while it runs. */
const struct outcome *operation_outcome(const struct operation *operation);

#endif
