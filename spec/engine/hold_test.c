/* hold_test.c - what a 429 delays, and for how long, to the microsecond. */
#include "by_hand.h"

#define UUID "123e4567-e89b-12d3-a456-426614174000"

/* The operation to GET /a/, which was answered with 429, and its connection. */
static struct operation *refused;
static int peer;

static void begin_refused(unsigned max_in_flight, const char *retry_after)
{
    start(max_in_flight);
    refused = submit_to("GET", "a/", 30 * SECOND);
    peer = take_request();
    answer(peer, 429, retry_after);
}

static void end_refused(void)
{
    operation_free(refused);
    close(peer);
    end();
}

/* ---- the endpoint ---- */

static void an_endpoint_is_held_for_as_long_as_it_asks(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 1000\r\n");
    struct operation *waiting = submit_to("GET", "a/", 3600 * SECOND);
    assert_sent_after(1000 * SECOND);
    operation_free(waiting);
    end_refused();
}

static void an_endpoint_is_held_for_a_day_at_most(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 99999999999\r\n");
    struct operation *waiting = submit_to("GET", "a/", 100 * 86400 * SECOND);
    assert_sent_after(86400 * SECOND);
    operation_free(waiting);
    end_refused();
}

static void digits_and_uuids_do_not_distinguish_endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_held;
    } rows[] = {
        {"a/", true},
        {"a", true},
        {"a/?page=2", true},
        {"a/7/", true},
        {"5181749/a", true},
        {"a/" UUID "/", true},
        {"a/123E4567-E89B-12D3-A456-426614174000", true},
        {"b/", false},
        {"a/b/", false},
        {"a/7x/", false},
        {"a/-7/", false},
        {"a/" UUID "0/", false},
        {"a/123e4567xe89b-12d3-a456-426614174000/", false},
        {"a/123e4567-e89b-12d3-a456-42661417400g/", false},
        {"b/?a/", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin_refused(4, "Retry-After: 60\r\n");
        struct operation *waiting = submit_to("GET", rows[i].path, 30 * SECOND);
        if (rows[i].is_held != (operation_outcome(waiting) != NULL))
            fail_msg("%s", rows[i].path);
        operation_free(waiting);
        end_refused();
    }
}

static void methods_distinguish_endpoints(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 60\r\n");
    struct operation *waiting = submit_to("POST", "a/", 30 * SECOND);
    assert_sent_after(5 * SECOND);
    operation_free(waiting);
    end_refused();
}

static void a_request_may_name_its_endpoint(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 60\r\n");
    struct request asked = request_to("GET", "a/some-name/", 30 * SECOND);
    char endpoint[100];
    snprintf(endpoint, sizeof endpoint, "%sa//", url);
    asked.endpoint = endpoint;
    struct operation *waiting = operation_new(engine, &asked, 1);
    assert_ended(waiting, OUTCOME_HELD, false);
    operation_free(waiting);
    end_refused();
}

static void a_request_that_cannot_be_sent_before_its_deadline_ends_at_once(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 60\r\n");
    struct operation *waiting = submit_to("GET", "a/", 60 * SECOND - 1);
    assert_ended(waiting, OUTCOME_HELD, false);
    assert_int_equal(operation_outcome(waiting)->tries, 0);
    assert_int_equal(operation_outcome(waiting)->retry_after_us, 60 * SECOND);
    struct operation *patient = submit_to("GET", "a/", 60 * SECOND);
    assert_null(operation_outcome(patient));
    operation_free(patient);
    operation_free(waiting);
    end_refused();
}

static void so_does_a_queued_request(void **state)
{
    (void)state;
    start(1);
    refused = submit_to("GET", "a/", 30 * SECOND);
    peer = take_request();
    struct operation *same = submit_to("GET", "a/", 30 * SECOND);
    struct operation *later = submit_to("GET", "a/", 100 * SECOND);
    struct operation *other = submit_to("GET", "b/", 30 * SECOND);
    answer(peer, 429, "Retry-After: 60\r\n");
    assert_ended(same, OUTCOME_HELD, false);
    assert_null(operation_outcome(later));
    assert_null(operation_outcome(other));
    operation_free(other);
    operation_free(later);
    operation_free(same);
    end_refused();
}

/* A queued poll has no deadline. It waits for the end of the hold, and others overtake it. */
static void polls_of_a_held_endpoint_wait_and_others_are_sent(void **state)
{
    (void)state;
    struct poller *polls[2];
    begin_refused(4, "Retry-After: 60\r\n");
    engine_wait_for_polls(engine, 1);
    for (int i = 0; i < 2; i++) {
        const struct request asked = request_to("GET", i == 0 ? "a/" : "b/", 30 * SECOND);
        polls[i] = poller_new(engine, &asked, "", false, 0);
        poller_watch(polls[i], 1000 * SECOND, 7 + i);
    }
    assert_sent_after(5 * SECOND);
    read_request(peer);
    answer(peer, 200, "");
    assert_int_equal(poller_count(polls[1]), 1);
    assert_sent_after(55 * SECOND);
    for (int i = 0; i < 2; i++)
        poller_free(polls[i]);
    end_refused();
}

/* Another request's answer asked for it while the poll was in flight. */
static void a_poll_without_an_answer_keeps_the_retry_after(void **state)
{
    (void)state;
    start(4);
    engine_wait_for_polls(engine, 1);
    const struct request asked = request_to("GET", "a/", 30 * SECOND);
    struct poller *poll = poller_new(engine, &asked, "", false, 0);
    poller_watch(poll, SECOND, 7);
    settle();
    int connection = take_request();
    poller_postpone(poll, 60 * SECOND);
    close(connection);
    while (engine_stats(engine).in_flight > 0)
        step();
    assert_sent_after(60 * SECOND);
    poller_free(poll);
    end();
}

/* ---- the rest of the client ---- */

static void the_rest_is_held_for_five_seconds_at_most(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 300\r\n");
    struct operation *waiting = submit_to("GET", "b/", 30 * SECOND);
    assert_sent_after(5 * SECOND);
    operation_free(waiting);
    end_refused();
}

static void the_rest_is_no_longer_than_the_retry_after(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 2\r\n");
    struct operation *waiting = submit_to("GET", "b/", 30 * SECOND);
    assert_sent_after(2 * SECOND);
    operation_free(waiting);
    end_refused();
}

/* Three requests to `b/` that wait for the end of the rest. */
static struct operation *waiting[3];

static void begin_waiting(const char *const *paths)
{
    begin_refused(4, "Retry-After: 300\r\n");
    for (int i = 0; i < 3; i++)
        waiting[i] = submit_to("GET", paths ? paths[i] : "b/", 100 * SECOND);
    assert_sent_after(5 * SECOND);
    read_request(peer);
}

static void end_waiting(void)
{
    for (int i = 0; i < 3; i++)
        operation_free(waiting[i]);
    end_refused();
}

static void one_request_is_sent_as_a_probe(void **state)
{
    (void)state;
    begin_waiting(NULL);
    move_to(now_us + 5 * SECOND - 1); /* none before the probe's answer */
    assert_int_equal(sent(), 2);
    answer(peer, 200, "");
    assert_ended(waiting[0], OUTCOME_RESPONSE, true);
    go_on_for(SECOND); /* the pace spaces them */
    assert_int_equal(sent(), 4);
    end_waiting();
}

/* The probe's answer may arrive at any time, so even a request with less than five seconds left is
 * kept. */
static void requests_are_not_given_up_while_a_probe_is_in_flight(void **state)
{
    (void)state;
    begin_waiting(NULL);
    struct operation *hasty = submit_to("GET", "c/", 2 * SECOND);
    assert_null(operation_outcome(hasty));
    answer(peer, 200, "");
    go_on_for(SECOND);
    assert_int_equal(sent(), 5);
    operation_free(hasty);
    end_waiting();
}

/* The service has accepted the request, whatever its result. */
static void any_status_other_than_429_ends_the_rest(void **state)
{
    (void)state;
    begin_waiting(NULL);
    answer(peer, 404, "");
    go_on_for(SECOND);
    assert_int_equal(sent(), 4);
    end_waiting();
}

static void a_refused_probe_extends_the_rest_by_five_seconds(void **state)
{
    (void)state;
    begin_waiting((const char *const[]){"b/", "c/", "d/"});
    answer(peer, 429, "Retry-After: 300\r\n");
    assert_sent_after(5 * SECOND);
    read_request(peer);
    answer(peer, 200, "");
    go_on_for(SECOND);
    assert_int_equal(sent(), 4);
    end_waiting();
}

static void without_an_answer_a_probe_is_sent_every_five_seconds(void **state)
{
    (void)state;
    begin_waiting(NULL);
    assert_sent_after(5 * SECOND);
    assert_sent_after(5 * SECOND);
    end_waiting();
}

static void after_a_cancelled_probe_another_is_sent_at_once(void **state)
{
    (void)state;
    begin_waiting(NULL);
    operation_cancel(waiting[0]);
    go_on_for(SECOND); /* by the pace */
    assert_int_equal(sent(), 3);
    end_waiting();
}

static void after_a_probe_that_is_cut_off_another_is_sent_at_once(void **state)
{
    (void)state;
    begin_waiting(NULL);
    close(peer);
    peer = take_request(); /* libcurl repeats it by itself, once */
    close(peer);
    while (engine_stats(engine).in_flight > 0)
        step();
    go_on_for(SECOND); /* by the pace */
    assert_int_equal(sent(), 3);
    peer = take_request();
    end_waiting();
}

/* Answers to requests that were sent before the 429 have no effect. */
static void a_request_sent_before_the_429_is_not_a_probe(void **state)
{
    (void)state;
    start(4);
    struct operation *before = submit_to("GET", "b/", 30 * SECOND);
    int other = take_request();
    refused = submit_to("GET", "a/", 30 * SECOND);
    peer = take_request();
    answer(peer, 429, "Retry-After: 300\r\n");
    answer(other, 200, "");
    assert_ended(before, OUTCOME_RESPONSE, true);
    struct operation *after = submit_to("GET", "b/", 30 * SECOND);
    assert_sent_after(5 * SECOND);
    operation_free(after);
    operation_free(before);
    close(other);
    end_refused();
}

/* Further 429 to requests that were sent before the first do not extend the rest. */
static void simultaneous_429_count_once(void **state)
{
    (void)state;
    start(4);
    struct operation *also = submit_to("GET", "b/", 30 * SECOND);
    int other = take_request();
    refused = submit_to("GET", "a/", 30 * SECOND);
    peer = take_request();
    answer(peer, 429, "Retry-After: 300\r\n");
    move_to(now_us + 4 * SECOND);
    answer(other, 429, "Retry-After: 300\r\n");
    struct operation *third = submit_to("GET", "c/", 30 * SECOND);
    assert_sent_after(SECOND);
    operation_free(third);
    operation_free(also);
    close(other);
    end_refused();
}

/* The 429 concern this endpoint, since requests to others are accepted. That holds even if a
 * program requests it repeatedly, with no other request in between. */
static void an_endpoint_that_refuses_repeatedly_holds_no_other(void **state)
{
    (void)state;
    begin_refused(4, "Retry-After: 2\r\n");
    for (int i = 0; i < 10; i++) {
        operation_free(refused);
        move_to(now_us + 3 * SECOND);
        operation_free(submit_to("GET", "c/", SECOND)); /* drops endpoints that may be forgotten */
        refused = submit_to("GET", "a/", 2 * SECOND);
        settle();
        read_request(peer);
        answer(peer, 429, "Retry-After: 2\r\n");
        assert_ended(refused, OUTCOME_RESPONSE, true);
        struct operation *other = submit_to("GET", "b/", 30 * SECOND);
        go_on_for(SECOND / 5); /* by the pace */
        read_request(peer);
        answer(peer, 200, "");
        assert_ended(other, OUTCOME_RESPONSE, true);
        operation_free(other);
    }
    end_refused();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_held_for_as_long_as_it_asks),
        cmocka_unit_test(an_endpoint_is_held_for_a_day_at_most),
        cmocka_unit_test(digits_and_uuids_do_not_distinguish_endpoints),
        cmocka_unit_test(methods_distinguish_endpoints),
        cmocka_unit_test(a_request_may_name_its_endpoint),
        cmocka_unit_test(a_request_that_cannot_be_sent_before_its_deadline_ends_at_once),
        cmocka_unit_test(so_does_a_queued_request),
        cmocka_unit_test(polls_of_a_held_endpoint_wait_and_others_are_sent),
        cmocka_unit_test(a_poll_without_an_answer_keeps_the_retry_after),
        cmocka_unit_test(the_rest_is_held_for_five_seconds_at_most),
        cmocka_unit_test(the_rest_is_no_longer_than_the_retry_after),
        cmocka_unit_test(one_request_is_sent_as_a_probe),
        cmocka_unit_test(requests_are_not_given_up_while_a_probe_is_in_flight),
        cmocka_unit_test(any_status_other_than_429_ends_the_rest),
        cmocka_unit_test(a_refused_probe_extends_the_rest_by_five_seconds),
        cmocka_unit_test(without_an_answer_a_probe_is_sent_every_five_seconds),
        cmocka_unit_test(after_a_cancelled_probe_another_is_sent_at_once),
        cmocka_unit_test(after_a_probe_that_is_cut_off_another_is_sent_at_once),
        cmocka_unit_test(a_request_sent_before_the_429_is_not_a_probe),
        cmocka_unit_test(simultaneous_429_count_once),
        cmocka_unit_test(an_endpoint_that_refuses_repeatedly_holds_no_other),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
