/* endpoint.h - the endpoints of a service, and the queues of requests to them.
 *
 * An endpoint is a method and a path template, the unit by which a service limits its rate. Path
 * segments that are digits or a UUID name a record and are left out, so all records of a collection
 * share an endpoint. Requests wait in the queues of their endpoint until the window has a place.
 * An endpoint that has answered 429 is held for as long as it asked; requests to other endpoints
 * overtake those that wait for it. The answers with 429 are counted, so that a caller can tell
 * which holds are new. */
#ifndef CEKURA_ENDPOINT_H
#define CEKURA_ENDPOINT_H

#include "timers.h"

#include <sys/queue.h>

/* Cancellations, long-running requests, requests that a caller waits for, polls; see window.h. */
enum priority { PRIORITY_URGENT, PRIORITY_LONG, PRIORITY_CALL, PRIORITY_POLL, PRIORITIES };

/* Each priority has a heap of the endpoints with a request that may be sent. Beside these are
 * the heap of held endpoints with a queued request, and the heap of endpoints that no operation
 * uses. */
enum endpoint_heap { ENDPOINTS_HELD = PRIORITIES, ENDPOINTS_UNUSED, ENDPOINT_HEAPS };

/* The endpoints of an engine. */
struct endpoints {
    struct heap heaps[ENDPOINT_HEAPS];
    void *known;                    /* all endpoints, a tree of tsearch() */
    LIST_HEAD(, endpoint) refusing; /* those that have answered 429, the last one first */
    int64_t refusals;               /* answers with 429 so far */
    int64_t turns;                  /* that were queued so far */
};

/* The place of an operation or a poll in the queue of its endpoint; a member of either. */
struct turn {
    void (*fire)(struct turn *turn); /* called when its turn comes; dequeues it */
    enum priority priority;
    bool is_probe; /* in flight, as the probe of rest.h */
    struct endpoint *endpoint;
    int64_t number;  /* the turns that were queued before it */
    int64_t sent_us; /* when it was sent last */
    TAILQ_ENTRY(turn) queued;
};

TAILQ_HEAD(turn_queue, turn);

/* The queue of one priority at one endpoint, first in, first out. */
struct lane {
    struct heap_node ready; /* in the heap of its priority unless the endpoint is held */
    struct turn_queue queue;
};

struct endpoint {
    struct endpoints *endpoints;
    struct timer wake; /* in HELD: the end of the hold; in UNUSED: when it may be freed */
    unsigned users;    /* operations and forms that refer to it */
    int64_t held_us;   /* the end of the hold */
    bool refused;      /* its last answer was a 429 */
    int64_t refusal;   /* the number of its last 429; 0: none */
    int64_t asked_us;  /* the end of the hold that its answers asked for */
    LIST_ENTRY(endpoint) refusing;
    struct lane lanes[PRIORITIES];
    char key[];
};

/* Finds or creates the endpoint of that URL, and adds a user. Returns NULL if memory runs out. */
struct endpoint *endpoint_acquire(struct endpoints *endpoints, const char *method, const char *url);

/* The same for an endpoint that is given by its key, which has the same bytes in every process.
 * Returns NULL, too, if that is not a key. */
struct endpoint *endpoint_acquire_key(struct endpoints *endpoints, const char *key);

/* Finds the endpoint of that URL, which the next call may free. Returns NULL if it is not known, or
 * memory runs out. */
const struct endpoint *endpoint_find(
    struct endpoints *endpoints, const char *method, const char *url);

/* Adds a user. */
void endpoint_retain(struct endpoint *endpoint);

/* Removes a user. An endpoint without users is kept until a minute after the end of its hold. */
void endpoint_release(struct endpoint *endpoint);

/* Appends the turn to the queue of its priority at its endpoint, or removes it. */
void endpoint_enqueue(struct turn *turn);
void endpoint_dequeue(struct turn *turn);

/* Holds the endpoint: nothing is sent to it before that time. A hold is never shortened. */
void endpoint_hold(struct endpoint *endpoint, int64_t until_us);

/* The endpoint has answered 429, and is to be held until that time. */
void endpoint_refused(struct endpoint *endpoint, int64_t until_us);

/* Of the endpoints whose last 429 came after that number of them, the one whose 429 came first, or
 * NULL. */
const struct endpoint *endpoint_next_refusing(const struct endpoints *endpoints, int64_t refusals);

/* The longest queued turn of that priority at the endpoints that are not held, or NULL. */
struct turn *endpoint_first(const struct endpoints *endpoints, enum priority priority);

/* Frees all endpoints and heaps. No operation may be left. */
void endpoint_forget_all(struct endpoints *endpoints);

#endif
