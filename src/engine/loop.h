/* loop.h - the one descriptor that a host waits for: epoll, with a timerfd in it. */
#ifndef CEKURA_LOOP_H
#define CEKURA_LOOP_H

#include "clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#define EVENTS_AT_ONCE 64

struct loop {
    int epoll_fd, timer_fd;
    int64_t armed_us; /* when the timerfd fires; CLOCK_NEVER: it does not */
    int64_t alarm_us; /* when the layers above want the descriptor readable */
    bool rang;        /* it was, for that */
    struct epoll_event events[EVENTS_AT_ONCE]; /* fetched, and not all acted on yet */
    int next_event, event_count;
};

/* False: no descriptor is free. */
bool loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/* Waits for EPOLLIN, EPOLLOUT or both of a socket. `known`: whether it is waited for already, which
 * may be wrong. */
bool loop_watch(struct loop *loop, int fd, uint32_t events, bool known);
void loop_unwatch(struct loop *loop, int fd);

/* Has the timerfd fire at that time, and at the alarm's, at the latest. */
void loop_arm(struct loop *loop, int64_t due_us);

/* Sets the alarm. It rings again and again, until it is set anew. */
void loop_set_alarm(struct loop *loop, int64_t due_us);

/* Fetches events if all of the last ones have been acted on; waits up to wait_us for the first. */
void loop_fetch(struct loop *loop, int64_t wait_us);

bool loop_has_events(const struct loop *loop);

/* The next event that was fetched, if it is a socket's; NULL: it was the timerfd's. */
const struct epoll_event *loop_next(struct loop *loop);

/* How soon the layers above are notified again of what they have not fetched. */
#define LOOP_LEFT_OVER_US 20000

#endif
