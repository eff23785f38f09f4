/* engine_test.c - the engine as a whole, by engine.h: options, the descriptor, completions, events,
 * alarm, notification, the background step, close, fork and exit.
 *
 * Requests are tested in operation_test.c, polls in poller_test.c, the window in fair_test.c, and
 * the wait of a fork in process_test.c. */
#include "by_hand.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void start_reporting(unsigned max_in_flight)
{
    struct engine_options options = options_for(max_in_flight);
    options.report_events = true;
    start_with(options);
}

static struct operation *submit_as(int ref)
{
    const struct request asked = request("GET", 3600 * SECOND);
    return operation_new(engine, &asked, ref);
}

static bool is_readable(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, 0) > 0;
}

static void assert_next(int ref)
{
    struct item *item = engine_next_finished(engine);
    assert_non_null(item);
    assert_int_equal(item->kind, ITEM_OPERATION);
    assert_int_equal(item->ref, ref);
}

static unsigned version_calls;

/* Replaces libcurl's function. */
__attribute__((visibility("default"))) curl_version_info_data *curl_version_info(CURLversion age)
{
    curl_version_info_data *(*real)(CURLversion age);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_version_info");
    version_calls++;
    return real(age);
}

/* ---- options ---- */

static void the_options_are_copied(void **state)
{
    (void)state;
    char agent[] = "agent/1", header[] = "X-Key: secret", head[1000];
    const char *headers[] = {header};
    struct engine_options options = options_for(4);
    options.user_agent = agent;
    options.headers = headers;
    options.header_count = 1;
    start_with(options);
    memset(agent, 'x', strlen(agent));
    memset(header, 'x', strlen(header));
    headers[0] = NULL;
    struct operation *operation = submit_as(1);
    int peer = next_request(-1, head, sizeof head);
    assert_non_null(strstr(head, "\r\nUser-Agent: agent/1\r\n"));
    assert_non_null(strstr(head, "\r\nX-Key: secret\r\n"));
    assert_non_null(strstr(head, "\r\nAccept-Encoding: gzip\r\n"));
    end_with(operation, peer);
}

static void an_invalid_proxy_fails_the_creation(void **state)
{
    (void)state;
    struct engine_options options = options_for(4);
    const char *message = NULL;
    options.proxy = "gopher://somewhere";
    assert_null(engine_new(&options, &message));
    assert_non_null(message);
}

static void without_descriptors_the_creation_fails(void **state)
{
    (void)state;
    struct rlimit before, scarce;
    const struct engine_options options = options_for(4);
    const char *message = NULL;
    int next = dup(0); /* the lowest free descriptor */
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int room = 0; room < 2; room++) { /* for none, then for one of two */
        scarce = before;
        scarce.rlim_cur = (rlim_t)(next + room);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &scarce), 0);
        struct engine *made = engine_new(&options, &message);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_null(made);
        assert_string_equal(message, "no descriptor for epoll or timerfd");
    }
    int same = dup(0);
    assert_int_equal(same, next); /* none has leaked */
    close(same);
}

/* curl_version_info() writes to static memory without a lock, and any thread may create engines. */
static void libcurls_version_is_queried_once(void **state)
{
    (void)state;
    start(4);
    end();
    unsigned before = version_calls;
    assert_true(before > 0);
    start(4);
    end();
    assert_int_equal(version_calls, before);
}

static void in_flight_requests_never_exceed_the_window(void **state)
{
    (void)state;
    struct operation *operations[5];
    char head[1000];
    int peers[2];
    start(2);
    for (int i = 0; i < 5; i++)
        operations[i] = submit_as(i);
    for (int i = 0; i < 2; i++)
        peers[i] = next_request(-1, head, sizeof head);
    settle();
    assert_int_equal(sent(), 2);
    assert_int_equal(engine_stats(engine).in_flight, 2);
    answer(peers[0], 200, "");
    assert_int_equal(sent(), 3);
    for (int i = 0; i < 5; i++)
        operation_free(operations[i]);
    assert_int_equal(engine_stats(engine).in_flight, 0);
    assert_int_equal(engine_stats(engine).most_in_flight, 2);
    for (int i = 0; i < 2; i++)
        close(peers[i]);
    end();
}

/* ---- what is due ---- */

static void an_idle_engine_has_nothing_due(void **state)
{
    (void)state;
    start(4);
    settle();
    assert_int_equal(engine_due_us(engine), CLOCK_NEVER);
    assert_false(engine_is_busy(engine));
    assert_false(is_readable(engine_fd(engine)));
    end();
}

static void a_request_is_due_at_once_and_so_is_its_answer(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(1);
    assert_true(engine_due_us(engine) <= now_us);
    assert_true(engine_is_busy(engine));
    int peer = take_request();
    settle();
    assert_true(engine_due_us(engine) > now_us);
    assert_false(is_readable(engine_fd(engine)));
    assert_true(engine_is_busy(engine));
    peer_write(peer, OK);
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 10000), 1);
    assert_null(operation_outcome(operation)); /* only a step reads it */
    take_in();
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_true(engine_is_busy(engine)); /* it is listed */
    assert_next(1);
    assert_false(engine_is_busy(engine));
    end_with(operation, peer);
}

static void an_engine_is_busy_with_polls_while_there_is_a_waiter(void **state)
{
    (void)state;
    start(4);
    const struct request asked = request("GET", SECOND);
    struct poller *poll = poller_new(engine, &asked, "", true, 5 * SECOND);
    engine_wait_for_polls(engine, -1); /* it stays at zero */
    engine_wait_for_polls(engine, 1);
    assert_false(engine_is_busy(engine));
    poller_watch(poll, 0, 7);
    assert_true(engine_is_busy(engine));
    engine_wait_for_polls(engine, -1);
    assert_false(engine_is_busy(engine));
    assert_int_equal(engine_stats(engine).polls, 1);
    poller_free(poll);
    end();
}

/* The kernel's clock, which runs while a step waits. */
static int64_t kernel_us(void)
{
    struct timespec time;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec / 1000;
}

static void a_blocking_step_waits_until_there_is_something_to_fetch(void **state)
{
    (void)state;
    start(4);
    int64_t began_us = kernel_us();
    engine_step(engine, 30000);
    assert_true(kernel_us() - began_us >= 30000);
    struct operation *operation = submit_as(1);
    int peer = take_request();
    settle();
    peer_write(peer, OK);
    engine_step(engine, 1000 * SECOND);
    assert_non_null(operation_outcome(operation));
    engine_step(engine, 1000 * SECOND); /* does not wait: it is listed */
    assert_next(1);
    end_with(operation, peer);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
    (void)signal;
    alarms++;
}

/* Sends SIGALRM again and again: the first may come before the step waits. */
static void set_alarms(int interval_us)
{
    const struct itimerval timer = {{0, interval_us}, {0, interval_us}};
    signal(SIGALRM, count_alarm);
    setitimer(ITIMER_REAL, &timer, NULL);
    alarms = 0;
}

static void a_blocking_step_ends_when_a_signal_has_been_handled(void **state)
{
    (void)state;
    start(4);
    set_alarms(20000);
    engine_step(engine, 1000 * SECOND);
    assert_true(alarms > 0);
    set_alarms(0);
    end();
}

static void a_blocking_step_may_step_several_engines(void **state)
{
    (void)state;
    const char *message;
    struct engine_options options = options_for(4);
    struct engine *engines[] = {engine_new(&options, &message), NULL};
    struct pollfd room[2];
    start(4);
    engines[1] = engine;
    int64_t began_us = kernel_us();
    engine_step_all(engines, 2, room, 30000);
    assert_true(kernel_us() - began_us >= 30000);
    set_alarms(20000);
    engine_step_all(engines, 2, room, 1000 * SECOND);
    assert_true(alarms > 0);
    set_alarms(0);
    struct operation *operation = submit_as(1);
    int peer = take_request();
    settle();
    peer_write(peer, OK);
    engine_step_all(engines, 2, room, 1000 * SECOND);
    assert_non_null(operation_outcome(operation));
    engine_step_all(engines, 2, room, 1000 * SECOND); /* does not wait: it is listed */
    assert_next(1);
    engine_free(engines[0]);
    end_with(operation, peer);
}

/* ---- completions ---- */

static void completions_are_listed_in_the_order_of_their_ends(void **state)
{
    (void)state;
    static const int order[] = {2, 0, 1};
    struct operation *operations[3];
    char head[1000];
    int peers[3];
    start(4);
    for (int i = 0; i < 3; i++) {
        operations[i] = submit_as(i);
        peers[i] = next_request(-1, head, sizeof head);
    }
    for (int i = 0; i < 3; i++)
        answer(peers[order[i]], 200, "");
    for (int i = 0; i < 3; i++)
        assert_next(order[i]);
    assert_null(engine_next_finished(engine));
    for (int i = 0; i < 3; i++) {
        operation_free(operations[i]);
        close(peers[i]);
    }
    end();
}

static void the_handler_of_a_completion_may_close_the_engine(void **state)
{
    (void)state;
    struct operation *operations[2];
    start(1);
    for (int i = 0; i < 2; i++)
        operations[i] = submit_as(i);
    int peer = take_request();
    answer(peer, 200, "");
    assert_next(0);
    engine_close(engine);
    assert_next(1);
    assert_ended(operations[1], OUTCOME_CLOSED, true);
    assert_null(engine_next_finished(engine));
    for (int i = 0; i < 2; i++)
        operation_free(operations[i]);
    close(peer);
    end();
}

static void assert_event(enum event_kind kind, struct event expected)
{
    struct event *event = engine_next_event(engine);
    assert_non_null(event);
    assert_int_equal(event->kind, kind);
    assert_int_equal(event->ref, 7);
    assert_int_equal(event->tries, expected.tries);
    assert_int_equal(event->elapsed_us, expected.elapsed_us);
    assert_int_equal(event->pause_us, expected.pause_us);
    if (kind != EVENT_STARTED) {
        assert_int_equal(event->status, expected.status);
        assert_int_equal(event->outcome, OUTCOME_RESPONSE);
    }
    free(event);
}

static void events_come_before_the_completion(void **state)
{
    (void)state;
    start_reporting(4);
    struct operation *operation = submit_as(7);
    int peer = take_request();
    move_to(now_us + SECOND);
    answer(peer, 503, "Retry-After: 2\r\n");
    move_to(now_us + 2 * SECOND);
    read_request(peer);
    move_to(now_us + SECOND);
    answer(peer, 200, "");
    assert_null(engine_next_finished(engine));
    assert_event(EVENT_STARTED, (struct event){.tries = 1});
    assert_event(EVENT_RETRIED,
        (struct event){.tries = 1, .status = 503, .pause_us = 2 * SECOND, .elapsed_us = SECOND});
    assert_event(EVENT_STARTED, (struct event){.tries = 2, .elapsed_us = 3 * SECOND});
    assert_null(engine_next_finished(engine));
    assert_event(
        EVENT_FINISHED, (struct event){.tries = 2, .status = 200, .elapsed_us = 4 * SECOND});
    assert_null(engine_next_event(engine));
    assert_next(7);
    end_with(operation, peer);
}

static void an_event_has_its_subject_until_that_is_freed(void **state)
{
    (void)state;
    start_reporting(4);
    struct operation *operation = submit_as(7);
    int peer = take_request();
    answer(peer, 200, "");
    struct event *event = engine_next_event(engine);
    struct item *subject = event->subject;
    assert_int_equal(subject->ref, 7);
    assert_int_equal(subject->events, 1); /* its end */
    free(event);
    operation_free(operation);
    event = engine_next_event(engine);
    assert_null(event->subject);
    assert_int_equal(event->ref, 7);
    free(event);
    assert_null(engine_next_event(engine));
    assert_null(engine_next_finished(engine));
    close(peer);
    end();
}

static void events_are_reported_only_if_the_option_is_set(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(7);
    int peer = take_request();
    answer(peer, 200, "");
    assert_null(engine_next_event(engine));
    end_with(operation, peer);
}

static void events_that_are_not_fetched_are_freed_with_the_engine(void **state)
{
    (void)state;
    start_reporting(4);
    struct operation *operation = submit_as(7);
    int peer = take_request();
    answer(peer, 200, "");
    operation_free(operation);
    close(peer);
    end(); /* LeakSanitizer checks that they are freed */
}

static void the_stats_count(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(1);
    assert_int_equal(engine_stats(engine).retry_quota, 500);
    int peer = take_request();
    answer(peer, 503, "Retry-After: 0\r\n");
    read_request(peer);
    struct engine_stats stats = engine_stats(engine);
    assert_int_equal(stats.requests, 2);
    assert_int_equal(stats.retries, 1);
    assert_int_equal(stats.retry_quota, 495);
    assert_int_equal(stats.in_flight, 1);
    answer(peer, 200, "");
    stats = engine_stats(engine);
    assert_int_equal(stats.retry_quota, 500); /* the success has returned its cost */
    assert_int_equal(stats.connections, 1);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.most_in_flight, 1);
    assert_int_equal(stats.longest_step_us, 0); /* the clock stands still */
    end_with(operation, peer);
}

/* ---- the alarm ---- */

/* Whether the descriptor becomes readable when the clock is moved there. Then the engine steps. */
static bool rings_at(int64_t us)
{
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    bool fires = woken_us <= us;
    now_us = us;
    fire_if_due();
    bool rings = poll(&watched, 1, fires ? 10000 : 0) > 0;
    engine_step(engine, 0);
    return rings;
}

/* A timer that was armed before may fire once more. */
static void assert_rings_no_more(void)
{
    if (woken_us < CLOCK_NEVER)
        rings_at(woken_us);
    assert_false(rings_at(now_us + 3600 * SECOND));
}

static void the_alarm_repeats_until_it_is_set_anew(void **state)
{
    (void)state;
    start(4);
    int64_t due_us = now_us + 10 * SECOND;
    engine_alarm(engine, due_us);
    assert_false(rings_at(due_us - 1));
    assert_true(rings_at(due_us));
    for (int i = 0; i < 3; i++)
        assert_true(rings_at(woken_us));
    assert_in_range(now_us - due_us, 1, SECOND); /* soon */
    engine_alarm(engine, now_us + SECOND);
    due_us = now_us + SECOND;
    assert_true(rings_at(due_us));
    engine_alarm(engine, CLOCK_NEVER);
    assert_rings_no_more();
    end();
}

static void the_alarm_reminds_of_completions_that_were_not_fetched(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(1);
    int peer = take_request();
    answer(peer, 200, "");
    engine_alarm(engine, CLOCK_NEVER);
    assert_in_range(woken_us, now_us + 1, now_us + SECOND / 10);
    assert_true(rings_at(woken_us));
    assert_next(1);
    engine_alarm(engine, CLOCK_NEVER);
    assert_rings_no_more();
    end_with(operation, peer);
}

/* ---- notification ---- */

static int sockets[2]; /* [1] is read */

static void open_sockets(void)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
}

static void close_sockets(void)
{
    close(sockets[0]);
    close(sockets[1]);
}

static unsigned notified(void)
{
    char bytes[10];
    ssize_t count = read(sockets[1], bytes, sizeof bytes);
    return count > 0 ? (unsigned)count : 0;
}

static void one_byte_is_sent_for_a_completion(void **state)
{
    (void)state;
    struct operation *operations[2];
    char head[1000];
    int peers[2];
    start(4);
    open_sockets();
    for (int i = 0; i < 2; i++) {
        operations[i] = submit_as(i);
        peers[i] = next_request(-1, head, sizeof head);
    }
    assert_true(engine_notify(engine, sockets[0]));
    engine_step(engine, 0);
    assert_int_equal(notified(), 0);
    answer(peers[0], 200, "");
    assert_int_equal(notified(), 1);
    assert_false(engine_notify(engine, sockets[0])); /* there is something already */
    answer(peers[1], 200, "");
    assert_int_equal(notified(), 0);
    assert_next(0);
    assert_next(1);
    assert_true(engine_notify(engine, sockets[0]));
    engine_close(engine);
    assert_int_equal(notified(), 1);
    assert_false(engine_notify(engine, sockets[0]));
    assert_int_equal(notified(), 0);
    for (int i = 0; i < 2; i++) {
        operation_free(operations[i]);
        close(peers[i]);
    }
    close_sockets();
    end();
}

static void one_byte_is_sent_for_events_and_the_alarm(void **state)
{
    (void)state;
    start_reporting(4);
    open_sockets();
    assert_true(engine_notify(engine, sockets[0]));
    struct operation *operation = submit_as(7);
    int peer = take_request();
    assert_int_equal(notified(), 1); /* it has started */
    free(engine_next_event(engine));
    assert_true(engine_notify(engine, sockets[0]));
    engine_alarm(engine, now_us + SECOND);
    assert_true(rings_at(now_us + SECOND));
    assert_int_equal(notified(), 1);
    assert_false(engine_notify(engine, sockets[0]));
    engine_alarm(engine, CLOCK_NEVER);
    assert_true(engine_notify(engine, sockets[0]));
    end_with(operation, peer);
    close_sockets();
}

static void a_notification_is_cancelled_only_for_its_socket(void **state)
{
    (void)state;
    start(4);
    open_sockets();
    assert_true(engine_notify(engine, sockets[0]));
    engine_cancel_notify(engine, sockets[1]); /* of another */
    struct operation *first = submit_as(1), *second = submit_as(2);
    operation_cancel(first);
    engine_step(engine, 0);
    assert_int_equal(notified(), 1);
    assert_next(1);
    assert_true(engine_notify(engine, sockets[0]));
    engine_cancel_notify(engine, sockets[0]);
    operation_cancel(second);
    engine_step(engine, 0);
    assert_int_equal(notified(), 0);
    operation_free(first);
    operation_free(second);
    close_sockets();
    end();
}

/* ---- the step in the background ---- */

static void a_background_step_returns_whether_to_go_on(void **state)
{
    (void)state;
    start(4);
    assert_true(engine_step_in_background(engine));
    struct operation *operation = submit_as(1);
    int peer = take_request();
    assert_true(engine_step_in_background(engine));
    peer_write(peer, OK);
    while (engine_step_in_background(engine))
        ;
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_false(engine_step_in_background(engine)); /* not fetched yet */
    assert_next(1);
    assert_true(engine_step_in_background(engine));
    engine_close(engine);
    assert_false(engine_step_in_background(engine));
    end_with(operation, peer);
}

static void *step_in_background(void *user)
{
    (void)user;
    while (engine_step_in_background(engine))
        ;
    return NULL;
}

/* The main thread only serves and reads outcomes, while another thread steps. */
static void a_thread_may_step_beside_the_host(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, step_in_background, NULL), 0);
    int peer = accept(listener, NULL, NULL);
    peer_read_request(peer);
    for (int i = 0; i < 1000; i++) {
        assert_null(operation_outcome(operation));
        assert_null(engine_next_finished(engine));
    }
    peer_write(peer, OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_next(1);
    end_with(operation, peer);
}

static void a_thread_ends_when_the_engine_is_closed(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, step_in_background, NULL), 0);
    int peer = accept(listener, NULL, NULL);
    engine_close(engine);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(operation_outcome(operation)->kind, OUTCOME_CLOSED);
    end_with(operation, peer);
}

/* ---- the end ---- */

static void close_ends_everything_and_lists_it(void **state)
{
    (void)state;
    enum { PAUSED, IN_FLIGHT, QUEUED, MOST };
    struct operation *operations[MOST];
    char byte;
    start(1);
    operations[PAUSED] = submit_as(PAUSED);
    int peer = take_request();
    answer(peer, 503, "Retry-After: 100\r\n");
    operations[IN_FLIGHT] = submit_as(IN_FLIGHT);
    operations[QUEUED] = submit_as(QUEUED);
    read_request(peer);
    engine_close(engine);
    engine_close(engine);
    bool seen[MOST] = {false};
    for (int i = 0; i < MOST; i++) {
        struct item *item = engine_next_finished(engine);
        assert_non_null(item);
        seen[item->ref] = true;
    }
    assert_null(engine_next_finished(engine));
    assert_true(seen[PAUSED] && seen[IN_FLIGHT] && seen[QUEUED]);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(operation_outcome(operations[i])->kind, OUTCOME_CLOSED);
    assert_true(operation_outcome(operations[IN_FLIGHT])->sent);
    assert_false(operation_outcome(operations[QUEUED])->sent);
    assert_int_equal(recv(peer, &byte, 1, 0), 0); /* the connection has ended */
    for (int i = 0; i < MOST; i++)
        operation_free(operations[i]);
    close(peer);
    end();
}

static void assert_is_closed(struct engine *closed)
{
    assert_true(engine_is_closed(closed));
    assert_int_equal(engine_fd(closed), -1);
    assert_int_equal(engine_due_us(closed), CLOCK_NEVER);
    assert_false(engine_is_busy(closed));
    engine_step(closed, 0);
    engine_step(closed, 3600 * SECOND);
    engine_alarm(closed, now_us);
    engine_wait_for_polls(closed, 1);
    assert_false(engine_step_in_background(closed));
    assert_false(engine_notify(closed, 0));
    engine_cancel_notify(closed, 0);
    assert_null(engine_next_finished(closed));
    assert_null(engine_next_event(closed));
    assert_int_equal(engine_stats(closed).in_flight, 0);
    const struct request asked = {.method = "GET", .url = "http://127.0.0.1:1/"};
    assert_null(operation_new(closed, &asked, 1));
    assert_null(poller_new(closed, &asked, "", false, 0));
    engine_close(closed);
}

static void a_closed_engine_does_nothing(void **state)
{
    (void)state;
    start(4);
    assert_false(engine_is_closed(engine));
    engine_close(engine);
    assert_is_closed(engine);
    end();
}

static void engine_none_is_closed(void **state)
{
    (void)state;
    assert_is_closed(engine_none());
    engine_retain(engine_none());
    engine_release(engine_none());
    assert_is_closed(engine_none());
}

/* The sanitizer detects a use after free, and a leak. */
static void the_memory_stays_until_the_last_reference_is_released(void **state)
{
    (void)state;
    start_reporting(4);
    const struct request asked = request("GET", SECOND);
    struct operation *operation = submit_as(1);
    struct poller *poll = poller_new(engine, &asked, "", false, 0);
    close(take_request());
    engine_retain(engine);
    engine_free(engine);
    assert_int_equal(operation_outcome(operation)->kind, OUTCOME_CLOSED);
    operation_free(operation);
    assert_false(poller_is_needed(poll));
    poller_free(poll);
    assert_true(engine_is_closed(engine));
    engine_release(engine);
    close(listener);
}

/* ---- fork and exit ---- */

/* A failure in the child is its exit status, since cmocka would longjmp into the parent's
 * frames. */
#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition))                                                                          \
            _exit(__LINE__ % 200 + 1);                                                             \
    while (0)

static void assert_ends_well(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child's status is %d", status);
}

static void use_in_child(struct operation *operation, const struct poller *poll)
{
    CHECK(engine_is_closed(engine));
    CHECK(engine_fd(engine) == -1);
    CHECK(engine_due_us(engine) == 0); /* a step, which closes it, is due */
    CHECK(!submit_as(9));
    CHECK(!engine_step_in_background(engine));
    CHECK(!operation_outcome(operation));
    engine_step(engine, 0);
    CHECK(engine_due_us(engine) == CLOCK_NEVER);
    CHECK(operation_outcome(operation)->kind == OUTCOME_CLOSED);
    CHECK(poller_update(poll)->kind == OUTCOME_CLOSED);
    unsigned listed = 0;
    while (engine_next_finished(engine))
        listed++;
    CHECK(listed == 2);
    operation_free(operation);
    start(4); /* a new engine works */
    operation = submit_as(1);
    close(take_request());
    operation_free(operation);
    end();
}

static void in_a_forked_child_it_is_closed_without_touching_the_connections(void **state)
{
    (void)state;
    start(4);
    const struct request asked = request("GET", SECOND);
    struct poller *poll = poller_new(engine, &asked, "", true, 5 * SECOND);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, 0, 7);
    struct operation *operation = submit_as(1);
    int peer = take_request();
    pid_t child = fork();
    if (child == 0) {
        use_in_child(operation, poll);
        _exit(0);
    }
    assert_ends_well(child);
    assert_false(engine_is_closed(engine));
    answer(peer, 200, "");
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_int_equal(engine_stats(engine).connections, 1);
    poller_free(poll);
    end_with(operation, peer);
}

/* Registered before the first engine is created, so it is called after the engine's handler. */
static bool is_leaving;

static void close_at_exit(void)
{
    if (!is_leaving)
        return;
    CHECK(engine_is_closed(engine));
    CHECK(engine_fd(engine) == -1);
    engine_close(engine);
    struct item *item = engine_next_finished(engine);
    CHECK(item && item->ref == 1);
    _exit(0);
}

static void at_exit_it_counts_as_closed(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_as(1);
    int peer = take_request();
    pid_t child = fork();
    if (child == 0) {
        start(4);
        (void)submit_as(1);
        is_leaving = true;
        exit(1);
    }
    assert_ends_well(child);
    end_with(operation, peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_options_are_copied),
        cmocka_unit_test(an_invalid_proxy_fails_the_creation),
        cmocka_unit_test(without_descriptors_the_creation_fails),
        cmocka_unit_test(libcurls_version_is_queried_once),
        cmocka_unit_test(in_flight_requests_never_exceed_the_window),
        cmocka_unit_test(an_idle_engine_has_nothing_due),
        cmocka_unit_test(a_request_is_due_at_once_and_so_is_its_answer),
        cmocka_unit_test(an_engine_is_busy_with_polls_while_there_is_a_waiter),
        cmocka_unit_test(a_blocking_step_waits_until_there_is_something_to_fetch),
        cmocka_unit_test(a_blocking_step_ends_when_a_signal_has_been_handled),
        cmocka_unit_test(a_blocking_step_may_step_several_engines),
        cmocka_unit_test(completions_are_listed_in_the_order_of_their_ends),
        cmocka_unit_test(the_handler_of_a_completion_may_close_the_engine),
        cmocka_unit_test(events_come_before_the_completion),
        cmocka_unit_test(an_event_has_its_subject_until_that_is_freed),
        cmocka_unit_test(events_are_reported_only_if_the_option_is_set),
        cmocka_unit_test(events_that_are_not_fetched_are_freed_with_the_engine),
        cmocka_unit_test(the_stats_count),
        cmocka_unit_test(the_alarm_repeats_until_it_is_set_anew),
        cmocka_unit_test(the_alarm_reminds_of_completions_that_were_not_fetched),
        cmocka_unit_test(one_byte_is_sent_for_a_completion),
        cmocka_unit_test(one_byte_is_sent_for_events_and_the_alarm),
        cmocka_unit_test(a_notification_is_cancelled_only_for_its_socket),
        cmocka_unit_test(a_background_step_returns_whether_to_go_on),
        cmocka_unit_test(a_thread_may_step_beside_the_host),
        cmocka_unit_test(a_thread_ends_when_the_engine_is_closed),
        cmocka_unit_test(close_ends_everything_and_lists_it),
        cmocka_unit_test(a_closed_engine_does_nothing),
        cmocka_unit_test(engine_none_is_closed),
        cmocka_unit_test(the_memory_stays_until_the_last_reference_is_released),
        cmocka_unit_test(in_a_forked_child_it_is_closed_without_touching_the_connections),
        cmocka_unit_test(at_exit_it_counts_as_closed),
    };
    atexit(close_at_exit);
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
