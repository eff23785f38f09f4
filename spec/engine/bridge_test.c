/* bridge_test.c - a bridge from an engine to a socket. This program is also the engine's server. */
#include "engine/bridge.h"
#include "engine/engine_parts.h"
#include "engine/operation.h"
#include "engine/poller.h"
#include "engine/process.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"

/* A byte that has not arrived by then is missing. */
#define HANGS_MS 60000

static struct engine *engine;
static int listener = -1;
static char url[64];

static int start(void **state, bool report_events)
{
    const struct engine_options options = {
        .max_in_flight = 4, .max_response = 1000, .loopback = true, .report_events = report_events};
    const char *message;
    *state = NULL;
    listener = peer_listen(url, sizeof url);
    engine = engine_new(&options, &message);
    if (listener >= 0 && engine)
        *state = bridge_new(engine, &message);
    return *state ? 0 : -1;
}

static int set_up(void **state)
{
    return start(state, false);
}

static int set_up_with_events(void **state)
{
    return start(state, true);
}

static int tear_down(void **state)
{
    bridge_free(*state);
    engine_free(engine);
    close(listener);
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* The number of bytes that arrive. Waits for the first for up to that time. */
static int bytes(int fd, int wait_ms)
{
    int count = 0;
    char byte;
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    while (poll(&watched, 1, count == 0 ? wait_ms : 20) > 0 && read(fd, &byte, 1) == 1)
        count++;
    return count;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void directory_of(const char *path, char *directory)
{
    strcpy(directory, path);
    *strrchr(directory, '/') = '\0';
}

/* Connects as the host does. Returns its socket. */
static int join(struct bridge *bridge)
{
    const char *message;
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    return fd;
}

static const struct request *request(void)
{
    static struct request get = {.method = "GET", .timeout_us = 600000000};
    get.url = url;
    return &get;
}

/* Sends a request in this thread. The bridge's thread does the rest. */
static struct operation *begin_request(int *peer)
{
    struct operation *operation = operation_new(engine, request(), 7);
    engine_step(engine, 0);
    *peer = accept(listener, NULL, NULL);
    return operation;
}

static void the_thread_steps_the_engine_and_notifies_once(void **state)
{
    struct bridge *bridge = *state;
    int peer, fd = join(bridge);
    struct operation *operation = begin_request(&peer);
    peer_read_request(peer);
    assert_true(bridge_arm(bridge));
    assert_int_equal(bytes(fd, 100), 0);
    assert_null(operation_outcome(operation));
    peer_answer(peer, 200, "", "yes");
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    assert_memory_equal(operation_outcome(operation)->body.bytes, "yes", 3);
    assert_false(bridge_arm(bridge)); /* there is something to fetch */
    assert_int_equal(bytes(fd, 100), 0);
    assert_int_equal(engine_next_finished(engine)->ref, 7);
    assert_null(engine_next_finished(engine));
    assert_true(bridge_arm(bridge));
    operation_free(operation);
    close(peer);
    close(fd);
}

static void fetch_event(enum event_kind kind)
{
    assert_null(engine_next_finished(engine));
    struct event *event = engine_next_event(engine);
    assert_int_equal(event->kind, kind);
    assert_int_equal(event->ref, 7);
    free(event);
}

static void events_come_before_their_completion(void **state)
{
    struct bridge *bridge = *state;
    int peer, fd = join(bridge);
    struct operation *operation = begin_request(&peer);
    assert_false(bridge_arm(bridge));
    fetch_event(EVENT_STARTED);
    assert_true(bridge_arm(bridge));
    peer_read_request(peer);
    peer_answer(peer, 200, "", "yes");
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    fetch_event(EVENT_FINISHED);
    assert_int_equal(engine_next_finished(engine)->ref, 7);
    operation_free(operation);
    close(peer);
    close(fd);
}

/* Begins a poll every 10 ms, whose first answer, "busy", has been fetched. */
static struct poller *begin_poll(struct bridge *bridge, int *peer)
{
    struct poller *poll = poller_new(engine, request(), "", false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, 10000, 8);
    engine_step(engine, 0);
    *peer = accept(listener, NULL, NULL);
    peer_read_request(*peer);
    peer_answer(*peer, 200, "", "busy");
    while (!poller_update(poll))
        usleep(1000);
    assert_int_equal(engine_next_finished(engine)->ref, 8);
    poller_accept(poll);
    engine_step(engine, 0);
    assert_true(bridge_arm(bridge));
    return poll;
}

static void an_unchanged_poll_does_not_notify(void **state)
{
    struct bridge *bridge = *state;
    int peer, fd = join(bridge);
    struct poller *poll = begin_poll(bridge, &peer);
    for (int i = 0; i < 5; i++) {
        peer_read_request(peer);
        assert_int_equal(bytes(fd, 20), 0);
        peer_answer(peer, 200, "", i < 4 ? "busy" : "done");
    }
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    assert_memory_equal(poller_answer(poll)->bytes, "done", 4);
    assert_int_equal(poller_count(poll), 6);
    poller_free(poll);
    close(peer);
    close(fd);
}

static void no_step_is_made_until_completions_are_fetched(void **state)
{
    struct bridge *bridge = *state;
    int fd = join(bridge);
    assert_true(bridge_arm(bridge));
    struct operation *operation = operation_new(engine, request(), 7);
    struct operation *other = operation_new(engine, request(), 8);
    engine_step(engine, 0);
    int peers[2] = {accept(listener, NULL, NULL), accept(listener, NULL, NULL)};
    peer_read_request(peers[0]);
    peer_read_request(peers[1]);
    peer_answer(peers[0], 200, "", "one");
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    peer_answer(peers[1], 200, "", "two");
    usleep(50000);
    assert_int_equal(!operation_outcome(operation) + !operation_outcome(other), 1);
    assert_false(bridge_arm(bridge));
    assert_non_null(engine_next_finished(engine));
    assert_true(bridge_arm(bridge));
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    assert_int_equal(!operation_outcome(operation) + !operation_outcome(other), 0);
    operation_free(operation);
    operation_free(other);
    close(peers[0]);
    close(peers[1]);
    close(fd);
}

static unsigned fetch_events(void)
{
    struct event *event;
    unsigned count = 0;
    for (; (event = engine_next_event(engine)); count++) {
        assert_non_null(event->subject);
        free(event);
    }
    return count;
}

static void step_until(bool in_flight)
{
    int more = in_flight ? 20 : 1; /* a connection takes a few */
    while (more > 0) {
        engine_step(engine, 0);
        usleep(1000);
        more -= (engine_stats(engine).in_flight > 0) == in_flight;
    }
}

/* Otherwise its `ref` could be reused while an item or event still has it. */
static void a_listed_or_reported_poll_is_needed(void **state)
{
    (void)state;
    struct poller *poll = poller_new(engine, request(), "", false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, 50000, 8);
    step_until(true);
    int peer = accept(listener, NULL, NULL);
    peer_read_request(peer);
    poller_unwatch(poll);
    peer_answer(peer, 200, "", "busy");
    step_until(false);
    assert_non_null(poller_update(poll));
    poller_accept(poll);
    assert_true(poller_is_needed(poll)); /* listed, with two events */
    assert_int_equal(fetch_events(), 2);
    assert_true(poller_is_needed(poll)); /* listed */
    assert_int_equal(engine_next_finished(engine)->ref, 8);
    assert_false(poller_is_needed(poll));

    poller_watch(poll, 50000, 9);
    step_until(true);
    peer_read_request(peer);
    peer_answer(peer, 200, "", "busy");
    step_until(false);
    poller_unwatch(poll);
    assert_null(poller_update(poll));
    assert_true(poller_is_needed(poll)); /* two events */
    poller_free(poll);
    struct event *event = engine_next_event(engine);
    assert_null(event->subject);
    free(event);
    close(peer);
}

static void a_bridge_keeps_the_notification_of_another(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    struct bridge *other = bridge_new(engine, &message);
    int fd = join(bridge);
    assert_true(bridge_arm(bridge));
    bridge_free(other);
    engine_alarm(engine, clock_monotonic_us() + 20000);
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    close(fd);
}

static void a_step_does_not_change_what_was_returned(void **state)
{
    struct bridge *bridge = *state;
    int peer, fd = join(bridge);
    struct poller *poll = begin_poll(bridge, &peer);
    peer_read_request(peer);
    peer_answer(peer, 503, "", "one");
    peer_read_request(peer);
    const struct outcome *error = poller_last_error(poll);
    const struct buffer *known = poller_answer(poll);
    peer_answer(peer, 503, "", "two");
    peer_read_request(peer);
    assert_memory_equal(error->body.bytes, "one", 3);
    assert_memory_equal(poller_last_error(poll)->body.bytes, "two", 3);
    assert_memory_equal(known->bytes, "busy", 4);
    peer_answer(peer, 200, "", "done");
    while (!poller_update(poll))
        usleep(1000);
    assert_memory_equal(known->bytes, "busy", 4);
    assert_memory_equal(poller_answer(poll)->bytes, "done", 4);
    assert_true(poller_set_answer(poll, "more", 4));
    assert_memory_equal(poller_update(poll)->body.bytes, "more", 4);
    poller_accept(poll);
    assert_memory_equal(poller_answer(poll)->bytes, "more", 4);
    assert_memory_equal(poller_last_error(poll)->body.bytes, "two", 3);
    poller_forget_error(poll);
    assert_null(poller_last_error(poll));
    poller_free(poll);
    close(peer);
    close(fd);
}

static void the_alarm_notifies(void **state)
{
    struct bridge *bridge = *state;
    int fd = join(bridge);
    assert_true(bridge_arm(bridge));
    engine_alarm(engine, clock_monotonic_us() + 20000);
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    assert_false(bridge_arm(bridge)); /* until it is set anew */
    engine_alarm(engine, CLOCK_NEVER);
    assert_true(bridge_arm(bridge));
    engine_alarm(engine, clock_monotonic_us() + 20000);
    usleep(60000);
    engine_step(engine, 0); /* the host or the thread, whichever steps first */
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    close(fd);
}

static void closing_the_engine_notifies(void **state)
{
    struct bridge *bridge = *state;
    int fd = join(bridge);
    assert_true(bridge_arm(bridge));
    engine_close(engine);
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    assert_false(bridge_arm(bridge));
    assert_false(engine_step_in_background(engine));
    close(fd);
}

static void the_sockets_file_is_private_and_short_lived(void **state)
{
    struct bridge *bridge = *state;
    char directory[128];
    struct stat status;
    const char *message;
    directory_of(bridge_path(bridge), directory);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    assert_false(exists(directory));
    close(fd);
}

static void another_process_is_refused(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    int connected[2];
    char byte;
    assert_int_equal(pipe(connected), 0);
    pid_t child = fork();
    if (child == 0) {
        connect_to(bridge_path(bridge));
        close(connected[1]);
        pause();
    }
    close(connected[1]);
    assert_int_equal(read(connected[0], &byte, 1), 0);
    close(connected[0]);
    assert_false(bridge_accept(bridge, &message));
    assert_string_equal(message, "another process has connected");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void a_missing_connection_is_an_error(void **state)
{
    const char *message;
    assert_false(bridge_accept(*state, &message));
    assert_string_equal(message, "no connection has been made");
}

static void freeing_a_bridge_closes_its_socket_and_removes_its_file(void **state)
{
    const char *message;
    struct bridge *bridge = bridge_new(engine, &message);
    (void)state;
    char byte, directory[128];
    directory_of(bridge_path(bridge), directory);
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    bridge_free(bridge);
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);

    bridge = bridge_new(engine, &message);
    directory_of(bridge_path(bridge), directory);
    bridge_free(bridge);
    assert_false(exists(directory));
}

static void a_forked_child_leaves_the_parents_bridge_alone(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    int status;
    pid_t child = fork();
    if (child == 0) {
        bridge_free(bridge);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    assert_true(bridge_arm(bridge));
    child = fork(); /* again, with the thread running */
    if (child == 0) {
        engine_step(engine, 0);
        engine_free(engine);
        bridge_free(bridge);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(bytes(fd, 100), 0);
    engine_alarm(engine, clock_monotonic_us() + 1000);
    assert_int_equal(bytes(fd, HANGS_MS), 1);
    close(fd);
}

static void callers_do_not_wait_for_the_thread(void **state)
{
    (void)state; /* without a second thread, which could want the engine by itself */
    struct operation *operation = operation_new(engine, request(), 7);
    engine_step_in_background(engine);
    assert_int_equal(engine_stats(engine).requests, 1);
    assert_int_equal(engine_stats(engine).longest_step_us, 0);
    operation_free(operation);
}

static void a_step_ends_when_another_thread_wants_the_engine(void **state)
{
    (void)state;
    engine->step.bytes = 1;
    engine->step.until_us = CLOCK_NEVER;
    assert_false(step_is_over(&engine->step));
    engine->step.background = &engine->gate;
    assert_false(step_is_over(&engine->step));
    atomic_fetch_add(&engine->gate.wanted, 1);
    assert_true(step_is_over(&engine->step));
    engine->step.background = NULL; /* as in a step of the host */
    assert_false(step_is_over(&engine->step));
    atomic_fetch_sub(&engine->gate.wanted, 1);
}

/* Stays in a step for a while. */
static atomic_int in_step;

static void *step_slowly(void *user)
{
    (void)user;
    gate_enter_last(&engine->gate);
    process_hold();
    atomic_store(&in_step, 1);
    usleep(200000);
    atomic_store(&in_step, 0);
    process_release();
    usleep(100000);
    gate_leave_last(&engine->gate);
    return NULL;
}

static void a_fork_waits_for_the_end_of_a_step(void **state)
{
    pthread_t thread;
    int status;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, step_slowly, NULL), 0);
    while (!atomic_load(&in_step))
        usleep(1000);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        engine_step(engine, 0); /* the thread still has the gate */
        _exit(atomic_load(&in_step));
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pthread_join(thread, NULL);
}

static void a_bridge_may_outlive_its_engine(void **state)
{
    struct bridge *bridge = *state;
    int fd = join(bridge);
    engine_free(engine);
    assert_false(bridge_arm(bridge));
    bridge_free(bridge);
    close(fd);
    close(listener);
    assert_int_equal(set_up(state), 0);
}

static void a_closed_engine_gets_no_bridge(void **state)
{
    const char *message;
    (void)state;
    assert_null(bridge_new(engine_none(), &message));
    assert_string_equal(message, "the engine is closed");
}

static void a_bridge_accepts_once(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    int fd = join(bridge), peer;
    assert_false(bridge_accept(bridge, &message));
    assert_string_equal(message, "the connection was accepted before");
    assert_true(bridge_arm(bridge)); /* the bridge still works */
    struct operation *operation = begin_request(&peer);
    peer_read_request(peer);
    peer_answer(peer, 200, "", "{}");
    assert_int_equal(bytes(fd, 5000), 1);
    operation_free(operation);
    close(peer);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_thread_steps_the_engine_and_notifies_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            events_come_before_their_completion, set_up_with_events, tear_down),
        cmocka_unit_test_setup_teardown(
            no_step_is_made_until_completions_are_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_listed_or_reported_poll_is_needed, set_up_with_events, tear_down),
        cmocka_unit_test_setup_teardown(
            a_bridge_keeps_the_notification_of_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_step_does_not_change_what_was_returned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(callers_do_not_wait_for_the_thread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_step_ends_when_another_thread_wants_the_engine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fork_waits_for_the_end_of_a_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unchanged_poll_does_not_notify, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_alarm_notifies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_the_engine_notifies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_sockets_file_is_private_and_short_lived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_process_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_connection_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            freeing_a_bridge_closes_its_socket_and_removes_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_forked_child_leaves_the_parents_bridge_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bridge_may_outlive_its_engine, set_up, tear_down),
        cmocka_unit_test(a_closed_engine_gets_no_bridge),
        cmocka_unit_test_setup_teardown(a_bridge_accepts_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
