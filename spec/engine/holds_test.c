/* holds_test.c - the holds of endpoints, out of an engine and into another, to the microsecond. */
#include "by_hand.h"

#include <string.h>

/* The name of an endpoint of the server: "GET" and "a" give "GET/http:/127.0.0.1:1234/a".
 * Overwrites the last one. */
static const char *name_of(const char *method, const char *path)
{
    static char name[200];
    snprintf(name, sizeof name, "%s/http:/%s%s", method, url + strlen("http://"), path);
    return name;
}

/* Sends requests to all of the paths, a list that ends with NULL, and answers each with 429, in
 * their order. */
static void refuse_all(const char *retry_after, const char *const *paths)
{
    size_t count = 0;
    while (paths[count])
        count++;
    struct operation *operations[4];
    int peers[4];
    for (size_t i = 0; i < count; i++) {
        operations[i] = submit_to("GET", paths[i], 30 * SECOND);
        peers[i] = take_request();
    }
    for (size_t i = 0; i < count; i++) {
        answer(peers[i], 429, retry_after);
        operation_free(operations[i]);
        close(peers[i]);
    }
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define A_MINUTE "Retry-After: 60\r\n"

/* Asserts what the engine reports after the 429 of that number, and returns the next number. */
static int64_t assert_next(int64_t number, const char *path, int64_t left_us)
{
    struct engine_hold hold = {.number = number};
    assert_true(engine_next_hold(engine, &hold));
    assert_string_equal(hold.endpoint, name_of("GET", path));
    assert_int_equal(hold.left_us, left_us);
    return hold.number;
}

/* Asserts that it reports nothing, after that many 429. */
static void assert_none_after(int64_t number, int64_t last)
{
    struct engine_hold hold = {.number = number};
    assert_false(engine_next_hold(engine, &hold));
    assert_int_equal(hold.number, last);
}

/* ---- out of an engine ---- */

static void an_endpoint_that_answered_429_is_reported(void **state)
{
    (void)state;
    start(4);
    assert_none_after(0, 0);
    refuse_all(A_MINUTE, PATHS("a/17/"));
    assert_int_equal(assert_next(0, "a", 60 * SECOND), 1);
    assert_none_after(1, 1);
    move_to(now_us + 20 * SECOND);
    assert_next(0, "a", 40 * SECOND);
    move_to(now_us + 40 * SECOND);
    assert_next(0, "a", 0);
    end();
}

static void a_429_without_a_retry_after_is_reported(void **state)
{
    (void)state;
    start(4);
    refuse_all("", PATHS("a/"));
    struct engine_hold hold = {0};
    assert_true(engine_next_hold(engine, &hold));
    assert_int_equal(hold.number, 1);
    end();
}

static void other_answers_are_not_reported(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_to("POST", "a/", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503, A_MINUTE);
    assert_none_after(0, 0);
    end_with(operation, peer);
}

static void endpoints_are_reported_in_the_order_of_their_last_429(void **state)
{
    (void)state;
    start(4);
    refuse_all(A_MINUTE, PATHS("a/", "b/", "c/", "a/"));
    int64_t number = assert_next(0, "b", 60 * SECOND);
    assert_int_equal(number, 2);
    number = assert_next(number, "c", 60 * SECOND);
    number = assert_next(number, "a", 60 * SECOND);
    assert_none_after(number, 4);
    end();
}

static void a_429_of_a_poll_is_reported(void **state)
{
    (void)state;
    start(4);
    engine_wait_for_polls(engine, 1);
    const struct request asked = request_to("GET", "a/", 30 * SECOND);
    struct poller *poll = poller_new(engine, &asked, "", false, 0);
    poller_watch(poll, SECOND, 7);
    settle();
    int peer = take_request();
    answer(peer, 429, A_MINUTE);
    assert_next(0, "a", 60 * SECOND);
    poller_free(poll);
    close(peer);
    end();
}

static void a_later_429_does_not_shorten_the_hold(void **state)
{
    (void)state;
    start(4);
    struct operation *operations[2];
    int peers[2];
    for (int i = 0; i < 2; i++) {
        operations[i] = submit_to("GET", "a/", 30 * SECOND);
        peers[i] = take_request();
    }
    answer(peers[0], 429, A_MINUTE);
    answer(peers[1], 429, "Retry-After: 10\r\n");
    assert_int_equal(assert_next(1, "a", 60 * SECOND), 2);
    operation_free(operations[0]);
    close(peers[0]);
    end_with(operations[1], peers[1]);
}

/* An endpoint is forgotten a minute after the end of its hold, when another one is released. */
static void a_forgotten_endpoint_is_not_reported(void **state)
{
    (void)state;
    start(4);
    refuse_all(A_MINUTE, PATHS("a/", "b/"));
    move_to(now_us + 121 * SECOND);
    operation_free(submit_to("GET", "c/", SECOND));
    assert_none_after(0, 2);
    refuse_all(A_MINUTE, PATHS("a/"));
    assert_int_equal(assert_next(0, "a", 60 * SECOND), 3);
    end();
}

static void an_endpoint_with_a_long_name_is_left_out(void **state)
{
    (void)state;
    char longest[ENGINE_ENDPOINT_SIZE]; /* as a name, it has four more bytes */
    memset(longest, 'x', sizeof longest);
    start(4);
    for (size_t spare = 4; spare <= 5; spare++) {
        struct request asked = request_to("GET", "a/", 30 * SECOND);
        longest[sizeof longest - spare] = '\0';
        asked.endpoint = longest;
        struct operation *operation = operation_new(engine, &asked, 1);
        int peer = take_request();
        answer(peer, 429, "Retry-After: 1\r\n");
        operation_free(operation);
        close(peer);
        move_to(now_us + 10 * SECOND);
    }
    struct engine_hold hold = {0};
    assert_true(engine_next_hold(engine, &hold));
    assert_int_equal(hold.number, 2);
    assert_int_equal(strlen(hold.endpoint), sizeof hold.endpoint - 1);
    end();
}

/* ---- into an engine ---- */

static void a_hold_delays_its_endpoint_and_is_not_reported(void **state)
{
    (void)state;
    start(4);
    assert_true(engine_hold(engine, name_of("GET", "a"), 1000 * SECOND));
    struct operation *waiting = submit_to("GET", "a/17/", 3600 * SECOND);
    assert_none_after(0, 0);
    assert_sent_after(1000 * SECOND);
    operation_free(waiting);
    end();
}

static void a_hold_lasts_for_a_day_at_most(void **state)
{
    (void)state;
    start(4);
    assert_true(engine_hold(engine, name_of("GET", "a"), CLOCK_LONGEST_US));
    struct operation *waiting = submit_to("GET", "a/", 100 * 86400 * SECOND);
    assert_sent_after(86400 * SECOND);
    operation_free(waiting);
    end();
}

static void a_hold_is_never_shortened(void **state)
{
    (void)state;
    start(4);
    assert_true(engine_hold(engine, name_of("GET", "a"), 60 * SECOND));
    assert_true(engine_hold(engine, name_of("GET", "a"), 10 * SECOND));
    assert_true(engine_hold(engine, name_of("GET", "a"), -1));
    struct operation *waiting = submit_to("GET", "a/", 3600 * SECOND);
    assert_sent_after(60 * SECOND);
    operation_free(waiting);
    end();
}

/* Only what the service asked of this engine is to be shared. */
static void a_429_is_reported_without_the_longer_hold(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit_to("GET", "a/", 30 * SECOND);
    int peer = take_request();
    assert_true(engine_hold(engine, name_of("GET", "a"), 60 * SECOND));
    answer(peer, 429, "Retry-After: 10\r\n");
    assert_next(0, "a", 10 * SECOND);
    move_to(now_us + 10 * SECOND);
    assert_next(0, "a", 0);
    char a[100];
    snprintf(a, sizeof a, "%sa/", url);
    assert_int_equal(engine_held_us(engine, "GET", a), 50 * SECOND);
    end_with(operation, peer);
}

static void the_client_rests_and_sends_a_probe(void **state)
{
    (void)state;
    start(4);
    assert_true(engine_hold(engine, name_of("GET", "a"), 300 * SECOND));
    struct operation *waiting[2];
    for (int i = 0; i < 2; i++)
        waiting[i] = submit_to("GET", "b/", 100 * SECOND);
    assert_sent_after(5 * SECOND);
    int peer = take_request();
    move_to(now_us + 5 * SECOND - 1); /* none before the probe's answer */
    assert_int_equal(sent(), 1);
    answer(peer, 200, "");
    go_on_for(SECOND);
    assert_int_equal(sent(), 2);
    operation_free(waiting[1]);
    end_with(waiting[0], peer);
}

/* As after the 429 of a client that sends little: at seven requests in a second. */
static void the_client_slows_down(void **state)
{
    (void)state;
    start(4);
    assert_true(engine_hold(engine, name_of("GET", "a"), 0));
    struct operation *waiting[2];
    for (int i = 0; i < 2; i++)
        waiting[i] = submit_to("GET", "b/", 100 * SECOND);
    int peer = take_request();
    answer(peer, 200, "");
    assert_sent_after(SECOND / 7);
    operation_free(waiting[1]);
    end_with(waiting[0], peer);
}

/* The same hold may come from several clients, and this one may get a 429 itself: the client rests
 * once. */
static void a_further_hold_concerns_the_endpoint_alone(void **state)
{
    (void)state;
    start(4);
    struct operation *refused = submit_to("GET", "a/", 30 * SECOND);
    int peer = take_request();
    assert_true(engine_hold(engine, name_of("GET", "a"), 3 * SECOND));
    struct operation *probe = submit_to("GET", "b/", 100 * SECOND);
    assert_sent_after(3 * SECOND);
    int other = take_request();
    answer(other, 200, "");
    assert_true(engine_hold(engine, name_of("GET", "a"), 60 * SECOND));
    answer(peer, 429, A_MINUTE);
    struct operation *waiting = submit_to("GET", "b/", 100 * SECOND);
    assert_sent_after(SECOND / 7); /* by the pace */
    operation_free(waiting);
    operation_free(probe);
    close(other);
    end_with(refused, peer);
}

static void requests_that_cannot_meet_their_deadlines_end(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit_to("GET", "c/", 3600 * SECOND);
    int peer = take_request();
    struct operation *hasty = submit_to("GET", "a/", 30 * SECOND);
    struct operation *patient = submit_to("GET", "a/", 61 * SECOND);
    settle();
    woken_us = CLOCK_NEVER;
    assert_true(engine_hold(engine, name_of("GET", "a"), 60 * SECOND));
    assert_ended(hasty, OUTCOME_HELD, false);
    assert_int_equal(operation_outcome(hasty)->retry_after_us, 60 * SECOND);
    assert_null(operation_outcome(patient));
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 1000), 1); /* the host fetches the outcome */
    operation_free(patient);
    operation_free(hasty);
    end_with(first, peer);
}

static void what_names_no_endpoint_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "GET", "/", "GET/", "/a", "get/a", "GET a", "GET//a",
        "GET/a/", "GET/a//b", "GET/a/17", "GET/17/a", "GET/123e4567-e89b-12d3-a456-426614174000",
        "GET/a?b", "GET/a#b", "GET/a b", "GET/a\n", "GET/\x7f", "GET/caf\xc3\xa9"};
    char longest[ENGINE_ENDPOINT_SIZE + 1] = "GET/";
    start(4);
    for (size_t i = 0; i < COUNT(names); i++)
        if (engine_hold(engine, names[i], 60 * SECOND))
            fail_msg("%s", names[i]);
    memset(longest + 4, 'x', sizeof longest - 5);
    assert_false(engine_hold(engine, longest, 60 * SECOND));
    struct operation *operation = submit_to("GET", "a/", 30 * SECOND);
    int peer = take_request(); /* at once: none of them had an effect */
    answer(peer, 200, "");
    longest[sizeof longest - 2] = '\0';
    assert_true(engine_hold(engine, longest, 60 * SECOND));
    end_with(operation, peer);
}

static void a_closed_engine_has_no_holds(void **state)
{
    (void)state;
    start(4);
    refuse_all(A_MINUTE, PATHS("a/"));
    engine_close(engine);
    assert_none_after(0, 1);
    assert_false(engine_hold(engine, name_of("GET", "b"), 60 * SECOND));
    end();
    engine = engine_none();
    assert_none_after(0, 0);
    assert_false(engine_hold(engine, "GET/a", 60 * SECOND));
    assert_int_equal(engine_held_us(engine, "GET", "http://a/"), 0);
}

/* ---- a look ahead ---- */

static void assert_held(const char *method, const char *path, int64_t span_us)
{
    char whole[200];
    snprintf(whole, sizeof whole, "%s%s", url, path);
    if (engine_held_us(engine, method, whole) != span_us)
        fail_msg("%s %s", method, path);
}

static void the_hold_of_any_endpoint_can_be_seen(void **state)
{
    (void)state;
    start(4);
    assert_held("GET", "a/", 0);
    refuse_all(A_MINUTE, PATHS("a/"));
    assert_true(engine_hold(engine, name_of("POST", "b/c"), 30 * SECOND));
    assert_held("GET", "a/17/?page=2", 60 * SECOND);
    assert_held("POST", "b//c", 30 * SECOND);
    assert_held("POST", "a/", 0);
    assert_held("GET", "c/", 0); /* the rest is not a hold */
    move_to(now_us + 30 * SECOND);
    assert_held("GET", "a/", 30 * SECOND);
    assert_held("POST", "b/c/", 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_that_answered_429_is_reported),
        cmocka_unit_test(a_429_without_a_retry_after_is_reported),
        cmocka_unit_test(other_answers_are_not_reported),
        cmocka_unit_test(endpoints_are_reported_in_the_order_of_their_last_429),
        cmocka_unit_test(a_429_of_a_poll_is_reported),
        cmocka_unit_test(a_later_429_does_not_shorten_the_hold),
        cmocka_unit_test(a_forgotten_endpoint_is_not_reported),
        cmocka_unit_test(an_endpoint_with_a_long_name_is_left_out),
        cmocka_unit_test(a_hold_delays_its_endpoint_and_is_not_reported),
        cmocka_unit_test(a_hold_lasts_for_a_day_at_most),
        cmocka_unit_test(a_hold_is_never_shortened),
        cmocka_unit_test(a_429_is_reported_without_the_longer_hold),
        cmocka_unit_test(the_client_rests_and_sends_a_probe),
        cmocka_unit_test(the_client_slows_down),
        cmocka_unit_test(a_further_hold_concerns_the_endpoint_alone),
        cmocka_unit_test(requests_that_cannot_meet_their_deadlines_end),
        cmocka_unit_test(what_names_no_endpoint_is_refused),
        cmocka_unit_test(a_closed_engine_has_no_holds),
        cmocka_unit_test(the_hold_of_any_endpoint_can_be_seen),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
