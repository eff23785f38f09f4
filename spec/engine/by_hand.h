/* by_hand.h - an engine and a service that a test controls. The monotonic clock of the engine
 * and of libcurl stands still until the test moves it. The test reads the requests and writes
 * the answers. */
#ifndef CEKURA_BY_HAND_H
#define CEKURA_BY_HAND_H

#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/operation.h"
#include "engine/poller.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"

#define SECOND INT64_C(1000000)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the clock ---- */

static int64_t now_us = 1000 * SECOND; /* monotonic */
static int64_t woken_us = CLOCK_NEVER; /* when the engine's timer fires */
static int timer_fd;

/* This function and timerfd_settime() replace those of libc. This one must be visible, since
 * libcurl calls it, too. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(now_us / SECOND);
    time->tv_nsec = (long)(now_us % SECOND) * 1000;
    return 0;
}

/* A timerfd fires once. */
static inline void fire_if_due(void)
{
    const struct itimerspec at_once = {.it_value.tv_nsec = 1};
    if (woken_us > now_us)
        return;
    woken_us = CLOCK_NEVER;
    syscall(SYS_timerfd_settime, timer_fd, 0, &at_once, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *before)
{
    const struct itimerspec never = {0};
    (void)flags;
    (void)before;
    timer_fd = fd;
    woken_us = now_us + (int64_t)when->it_value.tv_sec * SECOND + when->it_value.tv_nsec / 1000;
    syscall(SYS_timerfd_settime, timer_fd, 0, &never, NULL);
    fire_if_due();
    return 0;
}

/* ---- an engine and its server ---- */

static struct engine *engine;
static int listener;
static char url[64];

static inline struct engine_options options_for(unsigned max_in_flight)
{
    return (struct engine_options){
        .max_in_flight = max_in_flight,
        .max_response = 1000,
        .retries = 3,
        .connect_timeout_us = 3600 * SECOND,
        .loopback = true,
    };
}

static inline void start_with(struct engine_options options)
{
    const char *message;
    listener = peer_listen(url, sizeof url);
    engine = engine_new(&options, &message);
    assert_non_null(engine);
}

static inline void start(unsigned max_in_flight)
{
    start_with(options_for(max_in_flight));
}

static inline void end(void)
{
    engine_free(engine);
    close(listener);
}

/* Overwrites the URL of the last request, of which the engine has a copy. */
static inline struct request request_to(const char *method, const char *path, int64_t timeout_us)
{
    static char whole[200];
    snprintf(whole, sizeof whole, "%s%s", url, path);
    return (struct request){.method = method, .url = whole, .timeout_us = timeout_us};
}

static inline struct request request(const char *method, int64_t timeout_us)
{
    return request_to(method, "", timeout_us);
}

static inline struct operation *submit_to(const char *method, const char *path, int64_t timeout_us)
{
    const struct request asked = request_to(method, path, timeout_us);
    return operation_new(engine, &asked, 1);
}

static inline struct operation *submit(const char *method, int64_t timeout_us)
{
    return submit_to(method, "", timeout_us);
}

/* Steps until nothing is due at the current time. */
static inline void settle(void)
{
    for (int i = 0; i < 3; i++)
        do
            engine_step(engine, 0);
        while (engine_due_us(engine) <= now_us);
}

static inline void step(void)
{
    usleep(1000); /* gives the kernel time, whose clock runs */
    engine_step(engine, 0);
}

static inline void move_to(int64_t us)
{
    assert_true(us < CLOCK_NEVER); /* something is due */
    now_us = us;
    fire_if_due();
    settle();
}

static inline void read_request(int peer)
{
    struct pollfd watched = {.fd = peer, .events = POLLIN};
    while (poll(&watched, 1, 0) == 0)
        step();
    peer_read_request(peer);
}

/* Accepts the engine's next connection, and reads a request from it. */
static inline int take_request(void)
{
    struct pollfd watched = {.fd = listener, .events = POLLIN};
    while (poll(&watched, 1, 0) == 0)
        step();
    int peer = accept(listener, NULL, NULL);
    read_request(peer);
    return peer;
}

/* Reads the next request from that connection (-1: none) or from a new one, which replaces it.
 * Returns the connection; the request's head is in `head`. */
static inline int next_request(int peer, char *head, size_t room)
{
    struct pollfd watched[] = {{.fd = listener, .events = POLLIN}, {.fd = peer, .events = POLLIN}};
    char byte;
    for (;;) {
        if (poll(watched, 2, 0) == 0) {
            step();
        } else if (watched[0].revents) {
            if (peer >= 0)
                close(peer);
            peer = accept(listener, NULL, NULL);
            break;
        } else if (recv(peer, &byte, 1, MSG_PEEK) > 0) {
            break;
        } else { /* the engine has closed it */
            close(peer);
            watched[1].fd = peer = -1;
        }
    }
    struct pollfd readable = {.fd = peer, .events = POLLIN};
    while (poll(&readable, 1, 0) == 0)
        step();
    peer_read_head(peer, head, room);
    return peer;
}

/* Steps until the engine has read what the test wrote, or the end of the connection. */
static inline void take_in(void)
{
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    while (poll(&watched, 1, 0) == 0)
        usleep(1000);
    do
        step();
    while (poll(&watched, 1, 0) > 0); /* not by bytes_in, which libcurl 8 counts later */
    settle();
}

static inline void write_answer(int peer, const char *text)
{
    peer_write(peer, text);
    take_in();
}

static inline void answer(int peer, int status, const char *header)
{
    char text[200];
    snprintf(
        text, sizeof text, "HTTP/1.1 %d Whatever\r\n%sContent-Length: 0\r\n\r\n", status, header);
    write_answer(peer, text);
}

/* How the service answers a request: it writes the bytes, if any, and then keeps the connection,
 * closes it or resets it. */
struct reply {
    const char *bytes;
    enum { KEEP, CUT, RESET } ending;
    size_t length; /* 0: that of the text */
};

/* Returns the connection, or -1 if it has ended. */
static inline int give(int peer, struct reply reply)
{
    const struct linger at_once = {.l_onoff = 1};
    if (reply.bytes)
        peer_write_bytes(peer, reply.bytes, reply.length ? reply.length : strlen(reply.bytes));
    if (reply.ending == RESET) { /* a reset discards bytes that were not read */
        if (reply.bytes)
            take_in();
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    if (reply.ending != KEEP)
        close(peer);
    take_in();
    return reply.ending == KEEP ? peer : -1;
}

static inline unsigned sent(void)
{
    return (unsigned)engine_stats(engine).requests;
}

/* Moves the clock from each due time to the next. */
static inline void go_on_for(int64_t span_us)
{
    int64_t end_us = now_us + span_us;
    for (settle(); engine_due_us(engine) < end_us; move_to(engine_due_us(engine)))
        ;
    move_to(end_us);
}

/* Asserts that the next request is sent after exactly that time. */
static inline void assert_sent_after(int64_t span_us)
{
    unsigned before = sent();
    settle();
    assert_int_equal(sent(), before);
    move_to(now_us + span_us - 1);
    assert_int_equal(sent(), before);
    assert_true(woken_us <= now_us + 1);
    move_to(now_us + 1);
    assert_int_equal(sent(), before + 1);
}

static inline void assert_ended(
    const struct operation *operation, enum outcome_kind kind, bool was_sent)
{
    const struct outcome *outcome = operation_outcome(operation);
    assert_non_null(outcome);
    assert_int_equal(outcome->kind, kind);
    assert_int_equal(outcome->sent, was_sent);
}

/* Ends a test of one operation on one connection. */
static inline void end_with(struct operation *operation, int peer)
{
    operation_free(operation);
    close(peer);
    end();
}

#endif
