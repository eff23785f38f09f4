/* endpoint.h - what requests are sent to, as far as a service distinguishes it: method and path.
 * Here they wait for a place in the window.
 *
 * Segments of a path that are digits or a UUID name a record and are left out, so that all records
 * of a collection are one endpoint. An endpoint that has answered 429 is held for as long as it
 * asked; what waits for others passes by. */
#ifndef CEKURA_ENDPOINT_H
#define CEKURA_ENDPOINT_H

#include "timers.h"

#include <sys/queue.h>

/* What is sent first: what ends work, then what a caller waits for, then polls; see window.h. */
enum priority { PRIORITY_URGENT, PRIORITY_CALL, PRIORITY_POLL, PRIORITIES };

/* Endpoints that have something ready to be sent are in the heap of that priority. */
enum endpoint_heap { ENDPOINTS_HELD = PRIORITIES, ENDPOINTS_UNUSED, ENDPOINT_HEAPS };

/* The endpoints of an engine. */
struct endpoints {
    struct heap heaps[ENDPOINT_HEAPS];
    void *known; /* all of them, a tree of tsearch() */
};

/* What waits for its turn: a part of an operation. */
struct turn {
    void (*fire)(struct turn *turn); /* the turn has come, and it is to leave the queue */
    enum priority priority;
    struct endpoint *endpoint;
    int64_t queued_us; /* since when it waits */
    int64_t sent_us;   /* when it was sent last */
    bool tests;        /* in flight, as the test of rest.h */
    TAILQ_ENTRY(turn) queued;
};

TAILQ_HEAD(turn_queue, turn);

/* What waits for its turn at one endpoint, the longest first. */
struct lane {
    struct heap_node ready; /* in the heap of that priority, while the endpoint is not held */
    struct turn_queue queue;
};

struct endpoint {
    struct endpoints *endpoints;
    struct timer wake; /* HELD: its end; UNUSED: when it may be forgotten */
    unsigned users;    /* operations */
    int64_t held_us;   /* until then */
    bool refused;      /* its last answer was a 429 */
    struct lane lanes[PRIORITIES];
    char key[];
};

/* The endpoint of that URL, to be given back. NULL: out of memory. */
struct endpoint *endpoint_take(struct endpoints *endpoints, const char *method, const char *url);
void endpoint_give_back(struct endpoint *endpoint);

/* The turn waits at its endpoint, behind the others of its priority; and no longer. */
void endpoint_enqueue(struct turn *turn);
void endpoint_dequeue(struct turn *turn);

/* Nothing is sent to it before. */
void endpoint_hold(struct endpoint *endpoint, int64_t until_us);

/* Of all that wait with that priority at endpoints that are not held, the one that has waited
 * longest; NULL: none does. */
struct turn *endpoint_first(const struct endpoints *endpoints, enum priority priority);

/* Frees those that are remembered, once no operation is left. */
void endpoint_forget_all(struct endpoints *endpoints);

#endif
