/* operation_private.h - operations as members of other objects: of polls. */
#ifndef CEKURA_OPERATION_PRIVATE_H
#define CEKURA_OPERATION_PRIVATE_H

#include "engine_parts.h"
#include "operation.h"

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
    enum item_kind item;
    /* Called when it has finished, in a step or in the function that ended it. Must not free it. */
    void (*done)(struct operation *operation);
    /* Called when the engine is being closed. */
    void (*end)(struct item *item);
    /* A schedule repeats the operation. It has one try, and its deadline runs only while that is in
     * flight: if it ran in the queue, too, a long queue would leave each request no time for its
     * answer. Otherwise one deadline covers queueing, tries and pauses. */
    bool is_scheduled;
};

struct operation {
    struct engine *engine;
    const struct operation_kind *kind;
    struct item item; /* of the operation, or of the object that contains it */

    enum operation_state state;
    struct turn turn;
    struct timer timer; /* PAUSED: the next try; else the deadline */
    int64_t submitted_us;
    int64_t deadline_us; /* CLOCK_NEVER if scheduled and not in flight */
    unsigned late_reads; /* extensions of an expired deadline, see may_have_come() */

    struct request request; /* points into block */
    char *block;
    bool stale_excused;
    unsigned tries;
    unsigned starved;          /* tries for which no descriptor was free */
    bool is_starved;           /* the last try was one of these */
    unsigned paid;             /* tokens that the last repetition took from the engine's quota */
    struct transfer *transfer; /* IN_FLIGHT */
    struct outcome outcome;
};

/* These are called inside the gate, between engine_enter() and engine_leave(). */

/* Initializes an idle operation, which holds a reference to the engine. Returns false if memory
 * runs out. */
bool operation_init(struct operation *operation, struct engine *engine,
    const struct request *request, const struct operation_kind *kind);

/* Frees its members. The caller releases its reference to the engine after leaving the gate. */
void operation_destroy(struct operation *operation);

/* Discards the last outcome. */
void operation_clear(struct operation *operation);

/* Queues the operation, for the first time or again. */
void operation_start(struct operation *operation);

/* Makes the operation idle, without an outcome. */
void operation_withdraw(struct operation *operation);

/* Whether it is queued, in flight or paused. */
bool operation_is_active(const struct operation *operation);

/* Finishes the operation with that outcome if it is active. */
void operation_end(struct operation *operation, enum outcome_kind kind, const char *message);

#endif
