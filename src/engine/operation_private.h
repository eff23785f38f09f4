/* operation_private.h - operations as engine.c and poller.c see them. */
#ifndef CEKURA_OPERATION_PRIVATE_H
#define CEKURA_OPERATION_PRIVATE_H

#include "endpoint.h"
#include "engine_private.h"
#include "operation.h"

/* IDLE -> QUEUED -> IN_FLIGHT -> DONE, with PAUSED -> QUEUED between two tries. */
enum operation_state {
    OPERATION_IDLE,
    OPERATION_QUEUED,
    OPERATION_IN_FLIGHT,
    OPERATION_PAUSED,
    OPERATION_DONE,
};

/* EAGER: one deadline over queueing, tries and pauses. PATIENT, for what a schedule repeats: one
 * try, and its time runs only while it is in flight. If it ran in the queue too, a long queue would
 * send every request with no time left for an answer. */
enum operation_manner { OPERATION_EAGER, OPERATION_PATIENT };

struct operation {
    struct engine *engine;
    struct item *subject; /* whose events these are */
    void (*done)(struct operation *);
    LIST_ENTRY(operation) link;

    enum operation_state state;
    struct endpoint *endpoint;
    enum turn turn;
    TAILQ_ENTRY(operation) lined_up; /* QUEUED: at its endpoint */
    int64_t lined_up_us;             /* since when */
    struct timer timer;              /* PAUSED: the next try; else the deadline */
    int64_t submitted_us, deadline_us;
    int64_t tried_us;    /* when the last try was sent off */
    unsigned late_looks; /* at what has come, since the deadline passed */

    struct request request; /* points into block */
    char *block;
    bool repeatable, patient, stale_excused;
    bool tests; /* IN_FLIGHT: it finds out whether the service takes requests, see rest.h */
    unsigned tries, most_tries;
    unsigned starved;          /* of the tries, those for which no descriptor was free */
    bool is_starved;           /* the last one was of them */
    unsigned paid;             /* what its last repetition took from the engine's quota */
    struct transfer *transfer; /* IN_FLIGHT */
    struct outcome outcome;
};

/* Makes an idle operation. `done` is called when it has finished, from inside a step or from
 * whatever ended it; it must not free the operation. False: out of memory. */
bool operation_init(struct operation *operation, struct engine *engine,
    const struct request *request, enum operation_manner manner, struct item *subject,
    void (*done)(struct operation *));

/* What is left to do for the caller, once he has left the gate, is engine_release(). */
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

/* Its turn has come. */
void operation_try(struct operation *operation);

/* libcurl has ended the try. */
void operation_try_ended(struct operation *operation, CURLcode code);

#endif
