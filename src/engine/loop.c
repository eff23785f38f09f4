/* loop.c - the one descriptor that a host watches; see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

bool loop_open(struct loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN};
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    event.data.fd = loop->timer_fd;
    return loop->epoll_fd >= 0 && loop->timer_fd >= 0 &&
           epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &event) == 0;
}

void loop_close(struct loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    loop->epoll_fd = loop->timer_fd = -1;
    free(loop->sockets);
    loop->sockets = NULL;
    loop->socket_room = 0;
}

/* ---- sockets ---- */

/* Returns NULL for a socket that the loop does not know. */
static struct watched *find(const struct loop *loop, int fd)
{
    return fd >= 0 && fd < loop->socket_room ? &loop->sockets[fd] : NULL;
}

/* Without memory the socket remains unknown, and is not watched while it is idle. */
void loop_adopt(struct loop *loop, int fd)
{
    if (fd >= loop->socket_room) {
        int room = 2 * fd + 16;
        struct watched *longer = realloc(loop->sockets, (size_t)room * sizeof *longer);
        if (!longer)
            return;
        memset(longer + loop->socket_room, 0, (size_t)(room - loop->socket_room) * sizeof *longer);
        loop->sockets = longer;
        loop->socket_room = room;
    }
    loop->sockets[fd] = (struct watched){.may_idle = true};
}

static void remove_fd(struct loop *loop, int fd)
{
    struct epoll_event event = {.data.fd = fd};
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, &event); /* EBADF, ENOENT: closed already */
}

/* Closing the descriptor alone would not remove it from epoll if a forked child has a copy. */
void loop_forget(struct loop *loop, int fd)
{
    struct watched *socket = find(loop, fd);
    if (!socket)
        return;
    if (socket->armed)
        remove_fd(loop, fd);
    *socket = (struct watched){0};
}

/* libcurl may have closed a socket of its resolver without notice, and the kernel may have reused
 * its number. Then ADD fails where MOD is right, or the other way round. */
static bool arm(struct loop *loop, int fd, uint32_t events, bool known)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    int action = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int other = known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    return epoll_ctl(loop->epoll_fd, action, fd, &event) == 0 ||
           epoll_ctl(loop->epoll_fd, other, fd, &event) == 0;
}

bool loop_watch(struct loop *loop, int fd, uint32_t events, bool known)
{
    struct watched *socket = find(loop, fd);
    if (!socket || !socket->may_idle)
        return arm(loop, fd, events, known);
    if (socket->armed != events && !arm(loop, fd, events, socket->armed != 0))
        return false;
    socket->asked = socket->armed = (uint8_t)events;
    socket->is_stirred = false;
    return true;
}

void loop_unwatch(struct loop *loop, int fd)
{
    struct watched *socket = find(loop, fd);
    if (!socket || !socket->may_idle)
        remove_fd(loop, fd);
    else
        socket->asked = 0;
}

bool loop_is_stirred(const struct loop *loop, int fd)
{
    const struct watched *socket = find(loop, fd);
    return !socket || socket->is_stirred;
}

/* Whether an event is of an idle socket, which is then no longer watched: its input would be
 * reported again and again. */
static bool take_idle(struct loop *loop, int fd)
{
    struct watched *socket = find(loop, fd);
    if (!socket || !socket->may_idle || socket->asked)
        return false;
    remove_fd(loop, fd);
    socket->armed = 0;
    socket->is_stirred = true;
    return true;
}

/* ---- the timer ---- */

/* A timerfd that is armed for an earlier time is left alone: a system call for every request costs
 * more than an occasional spurious wake-up. */
void loop_arm(struct loop *loop, int64_t due_us)
{
    if (loop->alarm_us < due_us)
        due_us = loop->alarm_us;
    if (due_us >= loop->armed_us)
        return;
    int64_t span_us = due_us - clock_monotonic_us();
    struct itimerspec when = {0};
    if (span_us > 0) {
        when.it_value.tv_sec = (time_t)(span_us / 1000000);
        when.it_value.tv_nsec = (long)(span_us % 1000000) * 1000;
    } else {
        when.it_value.tv_nsec = 1; /* 0 would disarm it */
    }
    if (timerfd_settime(loop->timer_fd, 0, &when, NULL) == 0)
        loop->armed_us = due_us;
}

void loop_set_alarm(struct loop *loop, int64_t due_us)
{
    loop->alarm_us = due_us;
    loop->rang = false;
}

/* ---- waiting ---- */

static int wait_ms(int64_t wait_us)
{
    if (wait_us < 0)
        return 0;
    return wait_us > INT64_C(3600000000) ? 3600000 : (int)((wait_us + 999) / 1000);
}

enum loop_fetched loop_fetch(struct loop *loop, int64_t wait_us, const sigset_t *signals)
{
    if (loop_has_events(loop))
        return LOOP_EVENTS;
    loop->next_event = 0;
    loop->event_count =
        epoll_pwait(loop->epoll_fd, loop->events, MAX_EVENTS, wait_ms(wait_us), signals);
    if (loop->event_count == 0)
        return LOOP_NOTHING;
    return loop->event_count > 0 ? LOOP_EVENTS : LOOP_SIGNAL;
}

bool loop_has_events(const struct loop *loop)
{
    return loop->next_event < loop->event_count;
}

static void take_timer(struct loop *loop)
{
    uint64_t expirations;
    if (read(loop->timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        return;
    loop->armed_us = CLOCK_NEVER;
    int64_t now_us = clock_monotonic_us();
    if (loop->alarm_us <= now_us) {
        loop->alarm_us = now_us + LOOP_REMINDER_US;
        loop->rang = true;
    }
}

const struct epoll_event *loop_next(struct loop *loop)
{
    const struct epoll_event *event = &loop->events[loop->next_event++];
    if (event->data.fd == loop->timer_fd)
        take_timer(loop);
    else if (!take_idle(loop, event->data.fd))
        return event;
    return NULL;
}
