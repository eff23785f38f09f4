/* operation.h - one request, with its tries and its one deadline.
 *
 * An operation waits its turn, is sent, is perhaps sent again, and finishes with one outcome. One
 * monotonic deadline covers all of that: queueing, name resolution, connecting, tries, pauses. */
#ifndef CEKURA_OPERATION_H
#define CEKURA_OPERATION_H

#include "engine.h"
#include "request.h"
#include "text/buffer.h"

struct operation;

/* How an operation ended. */
struct outcome {
    enum outcome_kind kind;
    int status;            /* HTTP status, 0 where none came */
    struct buffer headers; /* the head of the answer as it came, status line first */
    struct buffer body;    /* decompressed; of a truncated or too large one, what came */
    char *message;         /* what went wrong, in words; NULL with OUTCOME_RESPONSE */
    unsigned tries;
    bool sent;              /* the last try may have reached the service */
    int64_t retry_after_us; /* what the answer asked for; negative: nothing */
};

/* Queues a copy of the request, to be listed by `ref`. NULL: out of memory, or closed. */
struct operation *operation_new(struct engine *engine, const struct request *request, int ref);

/* Frees it, cancelling it first if it still runs. */
void operation_free(struct operation *operation);

/* Ends it with OUTCOME_CANCELLED, unless it has finished. */
void operation_cancel(struct operation *operation);

/* Lists it once more, for an outcome that could not be handled. */
void operation_relist(struct operation *operation);

/* How it ended; NULL while it runs. */
const struct outcome *operation_outcome(const struct operation *operation);

#endif
