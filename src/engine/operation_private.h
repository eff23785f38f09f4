/* operation_private.h - operations, for those that polls send. */
#ifndef CEKURA_OPERATION_PRIVATE_H
#define CEKURA_OPERATION_PRIVATE_H

#include "engine_parts.h"
#include "form.h"
#include "operation.h"
#include "request_copy.h"

/* IDLE -> QUEUED -> IN_FLIGHT -> DONE, with PAUSED -> QUEUED between two tries. */
enum operation_state {
    OPERATION_IDLE,
    OPERATION_QUEUED,
    OPERATION_IN_FLIGHT,
    OPERATION_PAUSED,
    OPERATION_DONE,
};

/* How an operation differs by its use. */
struct operation_kind {
    /* Called when it has finished, in a step or in the function that ended it. May free it. */
    void (*done)(struct operation *operation);
    /* A schedule repeats the operation. It has one try, and its deadline runs only while that is in
     * flight: if it ran in the queue, too, a long queue would leave each request no time for its
     * answer. Otherwise one deadline covers queueing, tries and pauses. */
    bool is_scheduled;
};

struct operation {
    struct engine *engine;
    const struct operation_kind *kind;
    struct item *item; /* what is listed, and what events are about: its own, or its poll's */
    struct item own_item;

    enum operation_state state;
    struct turn turn;
    struct timer timer; /* PAUSED: the next try; else the deadline */
    int64_t submitted_us;
    int64_t deadline_us; /* CLOCK_NEVER if scheduled and not in flight */
    unsigned late_reads; /* extensions of an expired deadline, see may_have_come() */

    struct request_copy copy;
    struct form *form; /* that the request shares, or NULL */
    bool stale_excused;
    unsigned tries;
    unsigned starved;          /* tries for which no descriptor was free */
    bool is_starved;           /* the last try was one of these */
    unsigned paid;             /* tokens that the last repetition took from the engine's quota */
    struct transfer *transfer; /* IN_FLIGHT */
    struct outcome outcome;
};

/* These are called inside the gate, between engine_enter() and engine_leave(). */

/* Creates an idle operation for one request of a poll, which sets its item. Returns NULL if memory
 * runs out. */
struct operation *operation_of_poll(
    struct engine *engine, const struct operation_kind *kind, struct form *form, const char *id);

/* Sends the request, as the next try. */
void operation_send(struct operation *operation);

/* Takes the operation out of the queue, or off the wire, without an outcome, and frees it. */
void operation_discard(struct operation *operation);

/* Whether it is queued, in flight or paused. */
bool operation_is_active(const struct operation *operation);

/* Finishes the operation with that outcome if it is active. */
void operation_end(struct operation *operation, enum outcome_kind kind, const char *message);

/* Finishes the queued operations that cannot be sent before their deadlines, since the endpoint is
 * held. */
void operation_end_hopeless(struct endpoint *endpoint);

/* Frees what an outcome has, and leaves it empty. */
void outcome_free(struct outcome *outcome);

#endif
