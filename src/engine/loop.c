/* loop.c - the one descriptor that a host watches; see loop.h. */
#include "loop.h"

#include <errno.h>
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
}

/* libcurl may have closed a socket without notice, and the kernel may have reused its number. Then
 * ADD fails where MOD is right, or the other way round. */
bool loop_watch(struct loop *loop, int fd, uint32_t events, bool known)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    int action = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int other = known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    return epoll_ctl(loop->epoll_fd, action, fd, &event) == 0 ||
           epoll_ctl(loop->epoll_fd, other, fd, &event) == 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
    struct epoll_event event = {.data.fd = fd};
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, &event); /* EBADF, ENOENT: closed already */
}

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

static int wait_ms(int64_t wait_us)
{
    return wait_us > INT64_C(3600000000) ? 3600000 : (int)((wait_us + 999) / 1000);
}

bool loop_fetch(struct loop *loop, int64_t wait_us, const sigset_t *signals)
{
    if (loop_has_events(loop))
        return true;
    loop->next_event = 0;
    loop->event_count =
        epoll_pwait(loop->epoll_fd, loop->events, MAX_EVENTS, wait_ms(wait_us), signals);
    return loop->event_count > 0;
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
    if (event->data.fd != loop->timer_fd)
        return event;
    take_timer(loop);
    return NULL;
}
