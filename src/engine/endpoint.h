/* endpoint.h - what requests are sent to, as far as a service tells one from another: method and
 * path. Here they wait for a place in the window.
 *
 * Segments of a path that are digits or a UUID name a record and are left out, so that all records
 * of a collection are one endpoint. An endpoint that has answered 429 is held for as long as it
 * asked; what waits for others passes by. */
#ifndef CEKURA_ENDPOINT_H
#define CEKURA_ENDPOINT_H

#include "engine_private.h"

TAILQ_HEAD(operation_line, operation);

/* What waits for its turn, the longest first. */
struct lane {
    struct heap_node ready; /* in the engine's heap of that turn, while the endpoint is not held */
    struct operation_line line;
};

struct endpoint {
    struct engine *engine;
    struct timer wake; /* HELD: its end; UNUSED: when it may be forgotten */
    unsigned users;    /* operations */
    int64_t held_us;   /* until then */
    bool refused;      /* its last answer was a 429 */
    struct lane lanes[TURNS];
    char key[];
};

/* The endpoint of that URL, which the caller gives back. NULL: out of memory. */
struct endpoint *endpoint_take(struct engine *engine, const char *method, const char *url);
void endpoint_give_back(struct endpoint *endpoint);

/* The operation waits at its endpoint from now on, behind the others of its turn; and no longer. */
void endpoint_line_up(struct operation *operation);
void endpoint_step_out(struct operation *operation);

/* Nothing is sent to it before. */
void endpoint_hold(struct endpoint *endpoint, int64_t until_us);

/* Of all that wait for that turn at endpoints that are not held, the one that has waited longest;
 * NULL: none does. */
struct operation *endpoint_first(const struct engine *engine, enum turn turn);

/* Frees those that were kept in mind, once there are no operations any more. */
void endpoint_forget_all(struct engine *engine);

#endif
