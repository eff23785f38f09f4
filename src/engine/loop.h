/* loop.h - the one descriptor that a host watches: an epoll instance that contains a timerfd. */
#ifndef CEKURA_LOOP_H
#define CEKURA_LOOP_H

#include "clock.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#define MAX_EVENTS 64

struct loop {
    int epoll_fd, timer_fd;
    int64_t armed_us;                      /* when the timerfd fires; CLOCK_NEVER: disarmed */
    int64_t alarm_us;                      /* when the layers above want the descriptor readable */
    bool rang;                             /* the alarm has gone off since it was set */
    struct epoll_event events[MAX_EVENTS]; /* fetched, from next_event on unhandled */
    int next_event, event_count;
};

/* Returns false if no descriptor is free. */
bool loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/* Watches a socket for EPOLLIN, EPOLLOUT or both. `known` is a hint: whether the socket is watched
 * already. */
bool loop_watch(struct loop *loop, int fd, uint32_t events, bool known);
void loop_unwatch(struct loop *loop, int fd);

/* Arms the timerfd to fire no later than that time and the alarm. */
void loop_arm(struct loop *loop, int64_t due_us);

/* Sets the alarm, which repeats until it is set anew. */
void loop_set_alarm(struct loop *loop, int64_t due_us);

/* Fetches events if all earlier ones are handled. Waits up to wait_us for the first, with that
 * signal mask unless it is NULL. Returns false if there is none: none came in time, or the handler
 * of a signal has run. */
bool loop_fetch(struct loop *loop, int64_t wait_us, const sigset_t *signals);

/* Whether a fetched event is left to be handled. */
bool loop_has_events(const struct loop *loop);

/* Takes the next fetched event. Returns NULL if it was the timerfd's, which is handled here. */
const struct epoll_event *loop_next(struct loop *loop);

/* The period of the alarm, and of reminders of completions that were not fetched. */
#define LOOP_REMINDER_US 20000

#endif
