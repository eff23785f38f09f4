/* deadline_test.c - deadlines and pauses of an engine to the microsecond. */
#include "by_hand.h"
#include "coded.h"

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
    end_with(operation, peer);
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
    end_with(operation, peer);
}

static void a_queued_request_ends_at_its_deadline(void **state)
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

/* Once, time in the queue was taken from the time for the answer. */
static void the_deadline_of_a_poll_runs_only_in_flight(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit("GET", 3600 * SECOND);
    int peer = take_request();
    const struct request asked = request("GET", 2 * SECOND);
    struct poller *poll = poller_new(engine, &asked, "", false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, SECOND, 8);
    settle(); /* the second one is queued */
    move_to(now_us + 1000 * SECOND);
    assert_int_equal(sent(), 1);
    assert_null(poller_last_error(poll));
    answer(peer, 200, "");
    read_request(peer);
    move_to(now_us + 2 * SECOND - 1);
    assert_null(poller_last_error(poll));
    move_to(now_us + 1);
    assert_int_equal(poller_last_error(poll)->kind, OUTCOME_TIMEOUT);
    poller_free(poll);
    operation_free(first);
    close(peer);
    end();
}

static void a_cancelled_request_ends_at_once(void **state)
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

/* ---- a host that steps late ---- */

/* Steps until nothing is left to read. */
static void step_after(int64_t us)
{
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 10000), 1); /* the answer has arrived */
    now_us = us;
    fire_if_due();
    while (poll(&watched, 1, 0) > 0)
        engine_step(engine, 0);
}

static void an_answer_that_arrived_in_time_counts_however_late_it_is_read(void **state)
{
    (void)state;
    static char zeros[1 << 20];
    static struct bytes body;
    char head[100];
    struct engine_options options = options_for(4);
    options.max_response = sizeof zeros;
    start_with(options);
    add_coded(&body, GZIP, zeros, sizeof zeros); /* more than one step reads */
    struct operation *operation = submit("POST", 30 * SECOND);
    int peer = take_request();
    settle();
    snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", body.length);
    peer_write(peer, head);
    peer_write_bytes(peer, body.data, body.length);
    step_after(now_us + 3600 * SECOND);
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(operation)->body.length, sizeof zeros);
    end_with(operation, peer);
}

static void an_endless_answer_ends_after_its_deadline(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    settle();
    peer_write(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; !operation_outcome(operation); i++) {
        assert_true(i < 500);
        peer_write(peer, "1\r\na\r\n");
        step_after(now_us + 31 * SECOND);
    }
    assert_ended(operation, OUTCOME_TIMEOUT, true);
    end_with(operation, peer);
}

/* ---- Retry-After ---- */

static void a_pause_is_as_long_as_retry_after_says(void **state)
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
    end_with(operation, peer);
}

static void a_date_in_the_past_means_no_pause(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_int_equal(sent(), 2);
    end_with(operation, peer);
}

static void a_pause_beyond_the_deadline_ends_a_request_at_once(void **state)
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

/* The clocks of the service and of this machine may differ by any amount. */
static void a_date_counts_from_the_date_of_the_answer(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503,
        "Retry-After: Sun, 06 Nov 1994 08:49:44 GMT\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    move_to(now_us + 7 * SECOND - 1);
    assert_int_equal(sent(), 1);
    move_to(now_us + 1);
    assert_int_equal(sent(), 2);
    end_with(operation, peer);
}

static void without_a_valid_date_header_a_date_counts_from_now(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: yesterday\r\n");
    assert_int_equal(sent(), 2);
    end_with(operation, peer);
}

static struct poller *watch(int64_t interval_us)
{
    const struct request asked = request("GET", 30 * SECOND);
    struct poller *poll = poller_new(engine, &asked, "", false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(poll, interval_us, 8);
    return poll;
}

static void assert_polled_after(int64_t span_us)
{
    unsigned before = sent();
    move_to(now_us + span_us - 1);
    assert_int_equal(sent(), before);
    assert_true(woken_us <= now_us + 1);
    move_to(now_us + 1);
    assert_int_equal(sent(), before + 1);
}

static void retry_after_in_a_good_answer_delays_the_next_poll(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int64_t span_us;
    } rows[] = {
        {"Retry-After: 20\r\n", 20 * SECOND},
        {"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            60 * SECOND},
        {"Retry-After: 99999999999\r\n", 86400 * SECOND},
    };
    start(4);
    struct poller *poll = watch(SECOND);
    int peer = take_request();
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (i > 0)
            read_request(peer);
        answer(peer, 200, rows[i].header);
        poller_accept(poll); /* the first is an update */
        assert_polled_after(rows[i].span_us);
    }
    poller_free(poll);
    close(peer);
    end();
}

/* A Retry-After shorter than the pause does not advance the poll. */
static void the_longer_of_pause_and_retry_after_applies(void **state)
{
    (void)state;
    start(4);
    struct poller *poll = watch(100 * SECOND);
    int peer = take_request();
    answer(peer, 200, "Retry-After: 20\r\n");
    poller_accept(poll);
    move_to(now_us + 90 * SECOND - 1);
    assert_int_equal(sent(), 1);
    poller_free(poll);
    close(peer);
    end();
}

static void retry_after_outside_the_schedule_delays_the_next_poll(void **state)
{
    (void)state;
    start(4);
    struct poller *poll = watch(SECOND);
    int peer = take_request();
    answer(peer, 200, "");
    poller_postpone(poll, 20 * SECOND);
    assert_true(poller_set_answer(poll, "{}", 2));
    poller_accept(poll);
    assert_polled_after(20 * SECOND);
    poller_free(poll);
    close(peer);
    end();
}

static void retry_after_delays_a_queued_poll_too(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit("GET", 3600 * SECOND);
    int peer = take_request();
    struct poller *poll = watch(SECOND);
    settle();
    poller_postpone(poll, 20 * SECOND);
    answer(peer, 200, "");
    assert_int_equal(sent(), 1);
    assert_polled_after(20 * SECOND);
    poller_free(poll);
    operation_free(first);
    close(peer);
    end();
}

/* ---- speed ---- */

static void start_fast(void)
{
    struct engine_options options = options_for(4);
    options.speed = 100;
    start_with(options);
}

static void a_speed_divides_pauses_between_tries(void **state)
{
    (void)state;
    start_fast();
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    answer(peer, 503, "Retry-After: 70\r\n"); /* beyond the deadline, without it */
    move_to(now_us + SECOND * 7 / 10 - 1);
    assert_int_equal(sent(), 1);
    move_to(now_us + 1);
    assert_int_equal(sent(), 2);
    read_request(peer);
    engine_set_speed(engine, 10);
    answer(peer, 429, "Retry-After: 70\r\n");
    move_to(now_us + 7 * SECOND - 1);
    assert_int_equal(sent(), 2);
    move_to(now_us + 1);
    assert_int_equal(sent(), 3);
    read_request(peer);
    answer(peer, 503, "Retry-After: 700\r\n"); /* which the outcome has as it came */
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(operation)->retry_after_us, 700 * SECOND);
    end_with(operation, peer);
}

static void a_speed_divides_pauses_between_polls(void **state)
{
    (void)state;
    start_fast();
    struct poller *poll = watch(100 * SECOND);
    int peer = take_request();
    answer(peer, 200, "");
    poller_accept(poll);
    move_to(now_us + SECOND * 9 / 10 - 1);
    assert_int_equal(sent(), 1);
    move_to(now_us + SECOND / 5 + 1);
    assert_int_equal(sent(), 2);
    read_request(peer);
    answer(peer, 200, "Retry-After: 500\r\n");
    poller_accept(poll);
    assert_polled_after(5 * SECOND);
    read_request(peer);
    answer(peer, 200, "");
    poller_postpone(poll, 600 * SECOND);
    poller_accept(poll);
    assert_polled_after(6 * SECOND);
    poller_free(poll);
    close(peer);
    end();
}

static void a_speed_divides_no_deadline(void **state)
{
    (void)state;
    start_fast();
    assert_true(engine_speed(engine) == 100);
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    move_to(now_us + 30 * SECOND - 1);
    assert_null(operation_outcome(operation));
    move_to(now_us + 1);
    assert_ended(operation, OUTCOME_TIMEOUT, true);
    end_with(operation, peer);
}

/* A refused request was not processed. */
static void a_refused_start_that_expires_was_not_sent(void **state)
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

/* Sends that many requests in sequence, and moves the clock only as far as the engine requires. */
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

static void without_a_429_nothing_is_delayed(void **state)
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

/* The first 429 lowers the rate to 7 per second. If the others did too, it would fall to 1. */
static void an_endpoint_that_refuses_repeatedly_slows_down_no_other(void **state)
{
    (void)state;
    start(1);
    const struct request asked = request("GET", 30 * SECOND);
    struct poller *poll = poller_new(engine, &asked, "", false, 0);
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
        cmocka_unit_test(a_queued_request_ends_at_its_deadline),
        cmocka_unit_test(the_deadline_of_a_poll_runs_only_in_flight),
        cmocka_unit_test(a_cancelled_request_ends_at_once),
        cmocka_unit_test(an_answer_that_arrived_in_time_counts_however_late_it_is_read),
        cmocka_unit_test(an_endless_answer_ends_after_its_deadline),
        cmocka_unit_test(a_pause_is_as_long_as_retry_after_says),
        cmocka_unit_test(a_date_in_the_past_means_no_pause),
        cmocka_unit_test(a_pause_beyond_the_deadline_ends_a_request_at_once),
        cmocka_unit_test(a_date_counts_from_the_date_of_the_answer),
        cmocka_unit_test(without_a_valid_date_header_a_date_counts_from_now),
        cmocka_unit_test(retry_after_in_a_good_answer_delays_the_next_poll),
        cmocka_unit_test(the_longer_of_pause_and_retry_after_applies),
        cmocka_unit_test(retry_after_outside_the_schedule_delays_the_next_poll),
        cmocka_unit_test(retry_after_delays_a_queued_poll_too),
        cmocka_unit_test(a_speed_divides_pauses_between_tries),
        cmocka_unit_test(a_speed_divides_pauses_between_polls),
        cmocka_unit_test(a_speed_divides_no_deadline),
        cmocka_unit_test(a_refused_start_that_expires_was_not_sent),
        cmocka_unit_test(without_a_429_nothing_is_delayed),
        cmocka_unit_test(an_endpoint_that_refuses_repeatedly_slows_down_no_other),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
