/* window.c - which of the requests that wait is sent next; see window.h. */
#include "window.h"

#include "endpoint.h"
#include "operation_private.h"

/* While polls are due, no more than so many places in a row are given to others. */
#define OTHERS_IN_A_ROW 3

/* Each of these has a timer in libcurl, by which it tries another address after a fifth of a
 * second. When they run out together, libcurl goes on with all of those handshakes in one call. */
#define CONNECTING_AT_ONCE 32

/* The first of the polls that are due. */
static struct operation *due_poll(const struct engine *engine)
{
    return engine->waiting ? endpoint_first(engine, TURN_POLL) : NULL;
}

/* One is no poll's, neither of those in flight nor of those that connect. */
static bool polls_have_place(const struct engine *engine)
{
    return (engine->polls_in_flight == 0 || engine->polls_in_flight + 1 < engine->max_in_flight) &&
           engine->connecting + 1 < CONNECTING_AT_ONCE;
}

struct operation *window_next(const struct engine *engine)
{
    if (engine->stats.in_flight >= engine->max_in_flight ||
        engine->connecting >= CONNECTING_AT_ONCE)
        return NULL;
    struct operation *poll = polls_have_place(engine) ? due_poll(engine) : NULL;
    struct operation *next = endpoint_first(engine, TURN_URGENT);
    if (!next && !(poll && engine->others_in_a_row >= OTHERS_IN_A_ROW))
        next = endpoint_first(engine, TURN_CALL);
    return next ? next : poll;
}

int64_t window_opens_us(const struct engine *engine)
{
    int64_t rested_us = rest_until_us(&engine->rest);
    return rested_us > engine->pace.next_us ? rested_us : engine->pace.next_us;
}

void window_enter(struct operation *operation)
{
    struct engine *engine = operation->engine;
    if (operation->turn == TURN_POLL)
        engine->others_in_a_row = 0;
    else if (due_poll(engine))
        engine->others_in_a_row++;
    engine->polls_in_flight += operation->turn == TURN_POLL;
    if (++engine->stats.in_flight > engine->stats.most_in_flight)
        engine->stats.most_in_flight = engine->stats.in_flight;
}

void window_leave(struct operation *operation)
{
    operation->engine->stats.in_flight--;
    operation->engine->polls_in_flight -= operation->turn == TURN_POLL;
}
