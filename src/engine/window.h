/* window.h - which of the queued requests is sent next, and when.
 *
 * The window has max_in_flight places for requests. Urgent requests, which cancel work, go first.
 * Requests that a caller waits for go before polls; but while polls are due, they get every fourth
 * place that becomes free, so callers that always have more to send cannot starve them. Polls never
 * take the last of two or more places, so a caller finds one free however many jobs there are.
 *
 * Long-running requests occupy a place for minutes, so they have max_long places of their own, and
 * neither wait for the others nor keep them waiting. */
#ifndef CEKURA_WINDOW_H
#define CEKURA_WINDOW_H

#include "endpoint.h"
#include "pace.h"
#include "rest.h"

struct window {
    struct endpoints endpoints; /* the queues of requests */
    unsigned max_in_flight;
    unsigned in_flight, most_in_flight, polls_in_flight; /* without long-running requests */
    unsigned max_long, long_in_flight;
    unsigned others_in_a_row; /* requests sent since the last poll, while polls were due */
    unsigned waiters;         /* for polls, which are sent only while there is one */
    struct rest rest;
    struct pace pace;
};

/* Adds (1) or removes (-1) a waiter for polls. */
void window_count_waiter(struct window *window, int change);

/* Whether polls are sent. */
bool window_takes_polls(const struct window *window);

/* The turn that comes next, while that many transfers are connecting. Returns NULL if nothing is
 * queued, or there is no place for it. */
struct turn *window_next(const struct window *window, unsigned connecting);

/* The earliest time at which rest and pace allow the next request. */
int64_t window_opens_us(const struct window *window);

/* A lower bound of the time at which that turn can come, from its endpoint's hold and the rest. */
int64_t window_certain_us(const struct window *window, const struct turn *turn);

/* The request is sent, and occupies a place; and leaves it. */
void window_enter(struct window *window, struct turn *turn);
void window_leave(struct window *window, struct turn *turn);

/* The request was answered with 429. Holds its endpoint for that span. */
void window_refused(struct window *window, struct turn *turn, int64_t span_us);

/* Does what window_refused() would do if a request to that endpoint, sent now, had been answered
 * so; but the hold does not count as one that the service asked for. */
void window_hold(struct window *window, struct endpoint *endpoint, int64_t span_us);

/* The request was answered with any other status. */
void window_accepted(struct window *window, struct turn *turn);

#endif
