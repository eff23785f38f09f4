/* loop.h - the one descriptor that a host watches: an epoll instance that contains a timerfd. */
#ifndef CEKURA_LOOP_H
#define CEKURA_LOOP_H

#include "clock.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#define MAX_EVENTS 64

/* A connection's socket stays watched while it is idle: no system call is needed when it is used
 * again, and input that nobody asked for is noticed. */
struct watched {
    uint8_t asked;   /* EPOLLIN, EPOLLOUT: what libcurl waits for; 0 while the socket is idle */
    uint8_t armed;   /* what epoll waits for */
    bool may_idle;   /* a connection's, whose end loop_forget() will tell */
    bool is_stirred; /* there was input, or an end, while it was idle */
};

struct loop {
    int epoll_fd, timer_fd;
    struct watched *sockets; /* by descriptor */
    int socket_room;
    int64_t armed_us;                      /* when the timerfd fires; CLOCK_NEVER: disarmed */
    int64_t alarm_us;                      /* when the layers above want the descriptor readable */
    bool rang;                             /* the alarm has gone off since it was set */
    struct epoll_event events[MAX_EVENTS]; /* fetched, from next_event on unhandled */
    int next_event, event_count;
};

/* Returns false if no descriptor is free. */
bool loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/* A connection has opened that socket, or is about to close it. */
void loop_adopt(struct loop *loop, int fd);
void loop_forget(struct loop *loop, int fd);

/* Watches a socket for EPOLLIN, EPOLLOUT or both. `known` is a hint: whether the socket is watched
 * already. Returns false if that fails. */
bool loop_watch(struct loop *loop, int fd, uint32_t events, bool known);

/* Ends that. A connection's socket is idle from now on. */
void loop_unwatch(struct loop *loop, int fd);

/* Whether there was input on a connection's socket, or its end, while it was idle. The next call of
 * loop_watch() resets that. */
bool loop_is_stirred(const struct loop *loop, int fd);

/* Arms the timerfd to fire no later than that time and the alarm. */
void loop_arm(struct loop *loop, int64_t due_us);

/* Sets the alarm, which repeats until it is set anew. */
void loop_set_alarm(struct loop *loop, int64_t due_us);

/* LOOP_SIGNAL: none, since the handler of a signal has run. */
enum loop_fetched { LOOP_EVENTS, LOOP_NOTHING, LOOP_SIGNAL };

/* Fetches events if all earlier ones are handled. Waits up to wait_us for the first, with that
 * signal mask unless it is NULL. */
enum loop_fetched loop_fetch(struct loop *loop, int64_t wait_us, const sigset_t *signals);

/* Whether a fetched event is left to be handled. */
bool loop_has_events(const struct loop *loop);

/* Takes the next fetched event. Returns NULL if it was the timerfd's or an idle socket's, which are
 * handled here. */
const struct epoll_event *loop_next(struct loop *loop);

/* The period of the alarm, and of reminders of completions that were not fetched. */
#define LOOP_REMINDER_US 20000

#endif
