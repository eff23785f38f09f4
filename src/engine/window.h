/* window.h - which of the requests that wait is sent next, and when.
 *
 * There are so many places for requests in flight. What a caller waits for goes before polls, which
 * can wait; but while polls are due, they get every fourth place that falls free, so that callers
 * that always want more cannot keep them off. One place is never a poll's, where there are two: so
 * a caller finds one free, however many jobs there are. What ends work goes first of all. */
#ifndef CEKURA_WINDOW_H
#define CEKURA_WINDOW_H

#include "engine_private.h"

/* The request that is sent next; NULL: none waits, or none has a place. */
struct operation *window_next(const struct engine *engine);

/* When it may be sent. */
int64_t window_opens_us(const struct engine *engine);

/* It is sent, and takes up a place; and has left it. */
void window_enter(struct operation *operation);
void window_leave(struct operation *operation);

#endif
