/* operation.h - one request, with its tries and its one deadline.
 *
 * An operation waits for its turn, is sent, may be sent again, and finishes with one outcome. One
 * monotonic deadline covers queueing, name resolution, connecting, all tries and the pauses between
 * them. The caller owns an operation until operation_free(); see engine.h for threads. */
#ifndef CEKURA_OPERATION_H
#define CEKURA_OPERATION_H

#include "engine.h"
#include "request.h"
#include "text/buffer.h"

struct operation;

/* How an operation ended. */
struct outcome {
    enum outcome_kind kind;
    int status;            /* HTTP status; 0 without an answer */
    struct buffer headers; /* the head of the answer as received, status line first */
    struct buffer body;    /* decompressed; if truncated or too large, what was received */
    char *message;         /* describes the failure; NULL with OUTCOME_RESPONSE */
    unsigned tries;
    bool sent;              /* the last try may have reached the service */
    int64_t retry_after_us; /* from the answer's Retry-After; negative if it has none */
};

/* Whether it is a complete answer with a status of 2xx. */
bool outcome_is_good(const struct outcome *outcome);

/* Queues a copy of the request. When it finishes, its item is listed with `ref`; a long-running
 * request is also listed when it is sent. Returns NULL if memory runs out or the engine is closed.
 */
struct operation *operation_new(struct engine *engine, const struct request *request, int ref);

/* Cancels the operation if it still runs, and frees it. */
void operation_free(struct operation *operation);

/* Ends the operation with OUTCOME_CANCELLED, unless it has finished. Returns whether it had not. */
bool operation_cancel(struct operation *operation);

/* The outcome, which belongs to the operation; NULL while it runs. */
const struct outcome *operation_outcome(const struct operation *operation);

#endif
