/* operation_private.h - operations as a part of something else: of a poll. */
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

/* What an operation is for. */
struct operation_kind {
    enum item_kind item;
    /* It has finished; called from inside a step, or from what ended it. Must not free it. */
    void (*done)(struct operation *operation);
    /* The engine is being closed. */
    void (*end)(struct item *item);
    /* A schedule repeats the operation. It has one try, and its time runs only while that is in
     * flight: if it ran in the queue too, a long queue would send every request with no time left
     * for an answer. Otherwise one deadline covers queueing, tries and pauses. */
    bool is_scheduled;
};

struct operation {
    struct engine *engine;
    const struct operation_kind *kind;
    struct item item; /* the operation's, or of what it is a part of */

    enum operation_state state;
    struct turn turn;
    struct timer timer; /* PAUSED: the next try; else the deadline */
    int64_t submitted_us;
    int64_t deadline_us; /* CLOCK_NEVER: it is scheduled, and not in flight */
    unsigned late_reads; /* of what has come, since the deadline passed */

    struct request request; /* points into block */
    char *block;
    bool stale_excused;
    unsigned tries;
    unsigned starved;          /* of the tries, those for which no descriptor was free */
    bool is_starved;           /* the last one was of them */
    unsigned paid;             /* what its last repetition took from the engine's quota */
    struct transfer *transfer; /* IN_FLIGHT */
    struct outcome outcome;
};

/* Makes an idle operation. False: out of memory. */
bool operation_init(struct operation *operation, struct engine *engine,
    const struct request *request, const struct operation_kind *kind);

/* The caller calls engine_release() once it has left the gate. */
void operation_destroy(struct operation *operation);

/* Forgets the last outcome. */
void operation_clear(struct operation *operation);

/* Queues it, anew. */
void operation_start(struct operation *operation);

/* Back to idle, without an outcome. */
void operation_withdraw(struct operation *operation);

bool operation_is_active(const struct operation *operation);

/* Finishes one that is active with that outcome. */
void operation_end(struct operation *operation, enum outcome_kind kind, const char *message);

#endif
