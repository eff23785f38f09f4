/* window.h - which of the requests that wait is sent next, and when.
 *
 * There are so many places for requests in flight. What a caller waits for goes before polls, which
 * can wait; but while polls are due, they get every fourth place that falls free, so that callers
 * that always want more cannot keep them off. Where there are two places, one is never a poll's: so
 * a caller finds one free, however many jobs there are. What ends work goes first of all. */
#ifndef CEKURA_WINDOW_H
#define CEKURA_WINDOW_H

#include "endpoint.h"
#include "pace.h"
#include "rest.h"

struct window {
    struct endpoints endpoints; /* where requests wait */
    unsigned max_in_flight;
    unsigned in_flight, most_in_flight, polls_in_flight;
    unsigned others_in_a_row; /* were sent since a poll was, while polls were due */
    unsigned waiters;         /* for polls, which are sent only while there are some */
    struct rest rest;         /* that the service asked for */
    struct pace pace;         /* and how fast requests are sent afterwards */
};

/* A waiter for polls has come, 1, or has left, -1. */
void window_count_waiter(struct window *window, int change);

/* Whether polls are sent. */
bool window_takes_polls(const struct window *window);

/* The turn that comes next, while so many connections are being made; NULL: none waits, or none has
 * a place. */
struct turn *window_next(const struct window *window, unsigned connecting);

/* When it may come. */
int64_t window_opens_us(const struct window *window);

/* The earliest time at which a turn can come, as far as it is certain. */
int64_t window_certain_us(const struct window *window, const struct turn *turn);

/* The request is sent, and takes up a place; and has left it. */
void window_enter(struct window *window, struct turn *turn);
void window_leave(struct window *window, struct turn *turn);

/* The service has answered the request with 429, and asks for a pause of that span. The endpoint is
 * held for so long. */
void window_refused(struct window *window, struct turn *turn, int64_t span_us);

/* The service has answered it with anything else. */
void window_accepted(struct window *window, struct turn *turn);

#endif
