/* deadline_test.c - deadlines and pauses of an engine to the microsecond. The clock stands still in
 * this program and is moved by hand, for the engine and for libcurl. */
#include "engine_private.h"
#include "operation.h"
#include "poller.h"

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

/* ---- the clock ---- */

static int64_t now_us = 1000 * SECOND; /* monotonic */
static int64_t woken_us;               /* when the engine's timer fires */
static int timer_fd;

/* This and the next are in place of libc's. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(now_us / SECOND);
    time->tv_nsec = (long)(now_us % SECOND) * 1000;
    return 0;
}

static void fire_if_due(void)
{
    const struct itimerspec at_once = {.it_value.tv_nsec = 1}, never = {0};
    syscall(SYS_timerfd_settime, timer_fd, 0, woken_us <= now_us ? &at_once : &never, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *before)
{
    (void)flags;
    (void)before;
    timer_fd = fd;
    woken_us = now_us + (int64_t)when->it_value.tv_sec * SECOND + when->it_value.tv_nsec / 1000;
    fire_if_due();
    return 0;
}

/* ---- an engine and its server ---- */

static struct engine *engine;
static int listener;
static char url[64];

static void start(unsigned max_in_flight)
{
    const struct engine_options options = {
        .max_in_flight = max_in_flight,
        .max_response = 1000,
        .retries = 3,
        .connect_timeout_us = 3600 * SECOND,
        .loopback = true,
    };
    const char *message;
    listener = peer_listen(url, sizeof url);
    engine = engine_new(&options, &message);
    assert_non_null(engine);
}

static void end(void)
{
    engine_free(engine);
    close(listener);
}

static struct request request(const char *method, int64_t timeout_us)
{
    return (struct request){.method = method, .url = url, .timeout_us = timeout_us};
}

static struct operation *submit(const char *method, int64_t timeout_us)
{
    const struct request asked = request(method, timeout_us);
    return operation_new(engine, &asked, 1);
}

/* Does all that can be done with the clock where it is. */
static void settle(void)
{
    for (int i = 0; i < 3; i++)
        do
            engine_step(engine, 0);
        while (engine_due_us(engine) <= now_us);
}

static void step(void)
{
    usleep(1000); /* for the kernel, in which the clock goes on */
    engine_step(engine, 0);
}

static void move_to(int64_t us)
{
    now_us = us;
    fire_if_due();
    settle();
}

static void read_request(int peer)
{
    struct pollfd watched = {.fd = peer, .events = POLLIN};
    while (poll(&watched, 1, 0) == 0)
        step();
    peer_read_request(peer);
}

/* Has the engine connect, and reads what it asks. */
static int take_request(void)
{
    struct pollfd watched = {.fd = listener, .events = POLLIN};
    while (poll(&watched, 1, 0) == 0)
        step();
    int peer = accept(listener, NULL, NULL);
    read_request(peer);
    return peer;
}

static void write_answer(int peer, const char *text)
{
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    peer_write(peer, text);
    while (poll(&watched, 1, 0) == 0)
        usleep(1000);
    do
        step();
    while (
        poll(&watched, 1, 0) > 0); /* bytes_in says nothing yet: libcurl 8 counts after the fact */
    settle();
}

static void answer(int peer, int status, const char *header)
{
    char text[200];
    snprintf(
        text, sizeof text, "HTTP/1.1 %d Whatever\r\n%sContent-Length: 0\r\n\r\n", status, header);
    write_answer(peer, text);
}

static unsigned sent(void)
{
    return (unsigned)engine_stats(engine).requests;
}

static void assert_ended(const struct operation *operation, enum outcome_kind kind, bool was_sent)
{
    const struct outcome *outcome = operation_outcome(operation);
    assert_non_null(outcome);
    assert_int_equal(outcome->kind, kind);
    assert_int_equal(outcome->sent, was_sent);
}

/* ---- deadlines ---- */

static void ends_on_the_microsecond(const struct operation *operation, int64_t deadline_us)
{
    assert_true(engine_due_us(engine) <= deadline_us);
    assert_true(woken_us > now_us && woken_us <= deadline_us);
    move_to(deadline_us - 1);
    assert_null(operation_outcome(operation));
    assert_true(woken_us <= deadline_us);
    move_to(deadline_us);
}

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    start(4);
    int64_t deadline_us = now_us + 30 * SECOND;
    struct operation *operation = submit("POST", 30 * SECOND);
    int peer = take_request();
    ends_on_the_microsecond(operation, deadline_us);
    assert_ended(operation, OUTCOME_TIMEOUT, true);
    operation_free(operation);
    close(peer);
    end();
}

static void half_an_answer_ends_at_the_deadline(void **state)
{
    (void)state;
    start(4);
    int64_t deadline_us = now_us + 30 * SECOND;
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    write_answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    ends_on_the_microsecond(operation, deadline_us);
    assert_ended(operation, OUTCOME_TIMEOUT, true);
    assert_int_equal(operation_outcome(operation)->status, 200);
    operation_free(operation);
    close(peer);
    end();
}

static void what_waits_its_turn_ends_at_its_deadline(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit("GET", 3600 * SECOND);
    int peer = take_request();
    struct operation *second = submit("POST", 30 * SECOND);
    settle();
    ends_on_the_microsecond(second, now_us + 30 * SECOND);
    assert_ended(second, OUTCOME_TIMEOUT, false);
    assert_null(operation_outcome(first));
    operation_free(first);
    operation_free(second);
    close(peer);
    end();
}

/* The queue ate up the time that each had for its answer. */
static void the_time_of_a_poll_runs_only_in_flight(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit("GET", 3600 * SECOND);
    int peer = take_request();
    const struct request asked = request("GET", 2 * SECOND);
    struct poller *poll = poller_new(engine, &asked, false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, SECOND, 8);
    settle(); /* it is in the queue */
    move_to(now_us + 1000 * SECOND);
    assert_int_equal(sent(), 1);
    assert_null(poller_trouble(poll));
    answer(peer, 200, "");
    read_request(peer);
    move_to(now_us + 2 * SECOND - 1);
    assert_null(poller_trouble(poll));
    move_to(now_us + 1);
    assert_int_equal(poller_trouble(poll)->kind, OUTCOME_TIMEOUT);
    poller_free(poll);
    operation_free(first);
    close(peer);
    end();
}

static void a_cancelled_one_ends_at_once(void **state)
{
    (void)state;
    start(1);
    struct operation *operation = submit("GET", 3600 * SECOND), *next = submit("GET", SECOND);
    int peer = take_request();
    operation_cancel(operation);
    assert_ended(operation, OUTCOME_CANCELLED, true);
    close(peer);
    peer = take_request(); /* its place is free */
    operation_free(operation);
    operation_free(next);
    close(peer);
    end();
}

/* ---- Retry-After ---- */

static void a_pause_is_as_long_as_it_is_asked_for(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503, "Retry-After: 7\r\n");
    move_to(now_us + 7 * SECOND - 1);
    assert_int_equal(sent(), 1);
    assert_true(woken_us <= now_us + 1);
    move_to(now_us + 1);
    assert_int_equal(sent(), 2);
    operation_free(operation);
    close(peer);
    end();
}

static void a_date_that_has_passed_is_no_pause(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_int_equal(sent(), 2);
    operation_free(operation);
    close(peer);
    end();
}

static void a_pause_beyond_the_deadline_ends_it_at_once(void **state)
{
    for (int status = 429; status <= 503; status += 503 - 429) {
        (void)state;
        start(4);
        struct operation *operation = submit("POST", 30 * SECOND);
        int peer = take_request();
        answer(peer, status, "Retry-After: 30\r\n");
        assert_ended(operation, OUTCOME_RESPONSE, true);
        assert_int_equal(operation_outcome(operation)->status, status);
        assert_int_equal(operation_outcome(operation)->retry_after_us, 30 * SECOND);
        operation_free(operation);
        close(peer);
        end();
    }
}

static void a_429_holds_back_the_others(void **state)
{
    (void)state;
    start(4);
    struct operation *waiting[3], *refused = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 429, "Retry-After: 60\r\n");
    waiting[0] = submit("POST", 60 * SECOND - 1);
    assert_ended(waiting[0], OUTCOME_HELD, false);
    assert_int_equal(operation_outcome(waiting[0])->retry_after_us, 60 * SECOND);
    waiting[1] = submit("POST", 61 * SECOND);
    move_to(now_us + 60 * SECOND - 1);
    assert_int_equal(sent(), 1);
    assert_true(woken_us <= now_us + 1);
    waiting[2] = submit("POST", 1);
    move_to(now_us + 1);
    assert_int_equal(sent(), 2);
    assert_null(operation_outcome(waiting[1]));
    for (int i = 0; i < 3; i++)
        operation_free(waiting[i]);
    operation_free(refused);
    close(peer);
    end();
}

/* What was refused was not done. */
static void a_refused_start_that_waits_in_vain_was_not_sent(void **state)
{
    (void)state;
    start(1);
    int64_t deadline_us = now_us + 30 * SECOND;
    struct operation *refused = submit("POST", 30 * SECOND);
    int peer = take_request();
    struct operation *before = submit("GET", 3600 * SECOND);
    answer(peer, 429, "Retry-After: 7\r\n");
    move_to(now_us + 7 * SECOND);
    read_request(peer);
    ends_on_the_microsecond(refused, deadline_us);
    assert_ended(refused, OUTCOME_TIMEOUT, false);
    assert_int_equal(sent(), 2);
    operation_free(refused);
    operation_free(before);
    close(peer);
    end();
}

/* ---- the pace ---- */

/* Sends so many, one after the other, and moves the clock only as far as the engine wants. */
static void exchange(int peer, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct operation *operation = submit("GET", 3600 * SECOND);
        unsigned before = sent();
        settle();
        while (sent() == before)
            move_to(engine_due_us(engine));
        read_request(peer);
        answer(peer, 200, "");
        assert_ended(operation, OUTCOME_RESPONSE, true);
        operation_free(operation);
    }
}

static void without_a_429_nothing_waits(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit("GET", 3600 * SECOND);
    int peer = take_request();
    answer(peer, 200, "");
    int64_t began_us = now_us;
    exchange(peer, 50);
    assert_int_equal(now_us, began_us);
    operation_free(first);
    close(peer);
    end();
}

/* The first 429 leaves 7 a second; with each further one, it would be 1 a second in the end. */
static void one_that_is_refused_again_and_again_slows_down_nobody_else(void **state)
{
    (void)state;
    start(1);
    const struct request asked = request("GET", 30 * SECOND);
    struct poller *poll = poller_new(engine, &asked, false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, SECOND / 20, 8);
    int peer = take_request();
    for (unsigned i = 1; i < 20; i++) {
        answer(peer, 429, "Retry-After: 0\r\n");
        while (sent() == i)
            move_to(engine_due_us(engine));
        read_request(peer);
    }
    answer(peer, 429, "Retry-After: 0\r\n");
    engine_wait_for_polls(engine, -1);
    int64_t began_us = now_us;
    exchange(peer, 30);
    assert_true(now_us - began_us < 5 * SECOND);
    poller_free(poll);
    close(peer);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(half_an_answer_ends_at_the_deadline),
        cmocka_unit_test(what_waits_its_turn_ends_at_its_deadline),
        cmocka_unit_test(the_time_of_a_poll_runs_only_in_flight),
        cmocka_unit_test(a_cancelled_one_ends_at_once),
        cmocka_unit_test(a_pause_is_as_long_as_it_is_asked_for),
        cmocka_unit_test(a_date_that_has_passed_is_no_pause),
        cmocka_unit_test(a_pause_beyond_the_deadline_ends_it_at_once),
        cmocka_unit_test(a_429_holds_back_the_others),
        cmocka_unit_test(a_refused_start_that_waits_in_vain_was_not_sent),
        cmocka_unit_test(without_a_429_nothing_waits),
        cmocka_unit_test(one_that_is_refused_again_and_again_slows_down_nobody_else),
    };
    alarm(60); /* should it hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
