/* fair_test.c - which request is sent next: calls, polls, cancellations. Each answer takes half a
 * second by the clock, which the test moves. */
#include "engine/engine_parts.h"

#include <sys/queue.h>

#include "by_hand.h"

#define ANSWER (SECOND / 2)
#define MOST_PLACES 16

/* ---- a service ---- */

struct served {
    int fd;
    int64_t answered_us; /* when its request is answered; CLOCK_NEVER if it has no request */
    unsigned poll;       /* the number of the request's poll; 0 for another request */
};

static struct served connections[MOST_PLACES];
static unsigned connection_count, arrived, answered;
static unsigned polls_now, most_polls_now; /* being answered at once */
static char last_path[100];

/* For each poll, when it was created or last answered. */
static int64_t *last_us;
static int64_t longest_us; /* the longest time between two requests of a poll */

static void begin_service(unsigned max_in_flight)
{
    start(max_in_flight);
    connection_count = arrived = answered = polls_now = most_polls_now = 0;
    longest_us = 0;
}

static void end_service(void)
{
    for (unsigned i = 0; i < connection_count; i++)
        close(connections[i].fd);
    end();
}

static bool is_readable(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, 0) > 0;
}

static void arrive(struct served *connection)
{
    char head[1000];
    if (recv(connection->fd, head, 1, MSG_PEEK) <= 0) { /* its end */
        close(connection->fd);
        *connection = connections[--connection_count];
        return;
    }
    peer_read_head(connection->fd, head, sizeof head);
    assert_int_equal(sscanf(head, "%*s %99s", last_path), 1);
    connection->answered_us = now_us + ANSWER;
    connection->poll = 0;
    arrived++;
    if (sscanf(last_path, "/poll/%u", &connection->poll) != 1)
        return;
    if (now_us - last_us[connection->poll] > longest_us)
        longest_us = now_us - last_us[connection->poll];
    if (++polls_now > most_polls_now)
        most_polls_now = polls_now;
}

/* Reads all requests that the engine has sent. */
static void take_all(void)
{
    settle();
    while (arrived < sent()) {
        step();
        if (is_readable(listener)) {
            assert_true(connection_count < MOST_PLACES);
            int fd = accept(listener, NULL, NULL);
            connections[connection_count++] = (struct served){fd, CLOCK_NEVER, 0};
        }
        for (unsigned i = 0; i < connection_count; i++)
            if (connections[i].answered_us == CLOCK_NEVER && is_readable(connections[i].fd))
                arrive(&connections[i]);
    }
}

static void write_answers(void)
{
    for (unsigned i = 0; i < connection_count; i++) {
        struct served *connection = &connections[i];
        if (connection->answered_us > now_us)
            continue;
        connection->answered_us = CLOCK_NEVER;
        answered++;
        if (connection->poll) {
            last_us[connection->poll] = now_us;
            polls_now--;
        }
        peer_answer(connection->fd, 200, "", "");
    }
    while (sent() - engine_stats(engine).in_flight < answered)
        step();
}

static int64_t next_us(int64_t end_us)
{
    int64_t due_us = engine_due_us(engine);
    int64_t next = due_us > now_us && due_us < end_us ? due_us : end_us;
    for (unsigned i = 0; i < connection_count; i++)
        if (connections[i].answered_us < next)
            next = connections[i].answered_us;
    return next;
}

/* ---- callers and jobs ---- */

#define MOST_CALLERS 64

/* Each sends its next request as soon as it has its answer. */
static struct operation *callers[MOST_CALLERS];
static unsigned caller_count, calls_answered;

static struct poller **polls;
static unsigned poll_count;

static void begin_jobs(unsigned count, int64_t interval_us)
{
    poll_count = count;
    polls = calloc(count + 1, sizeof(struct poller *));
    last_us = calloc(count + 1, sizeof *last_us);
    engine_wait_for_polls(engine, 1);
    for (unsigned i = 1; i <= count; i++) {
        char path[40];
        snprintf(path, sizeof path, "poll/%u", i);
        const struct request asked = request_to("GET", path, 30 * SECOND);
        polls[i] = poller_new(engine, &asked, "", false, 0);
        assert_non_null(polls[i]);
        last_us[i] = now_us;
        poller_watch(polls[i], interval_us, MOST_CALLERS + (int)i);
    }
}

static void end_jobs(void)
{
    for (unsigned i = 1; i <= poll_count; i++)
        poller_free(polls[i]);
    free(polls);
    free(last_us);
}

static void begin_callers(unsigned count)
{
    caller_count = count;
    calls_answered = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct request asked = request_to("GET", "call/", 3600 * SECOND);
        callers[i] = operation_new(engine, &asked, (int)i);
    }
}

static void end_callers(void)
{
    for (unsigned i = 0; i < caller_count; i++)
        operation_free(callers[i]);
    caller_count = 0;
}

static void go_on(void)
{
    struct item *item;
    while ((item = engine_next_finished(engine))) {
        int ref = item->ref;
        if (item->kind == ITEM_POLLER) {
            poller_accept(polls[ref - MOST_CALLERS]);
        } else if (ref < (int)caller_count) {
            const struct request asked = request_to("GET", "call/", 3600 * SECOND);
            assert_ended(callers[ref], OUTCOME_RESPONSE, true);
            calls_answered++;
            operation_free(callers[ref]);
            callers[ref] = operation_new(engine, &asked, ref);
        }
    }
}

static void run_until(int64_t end_us)
{
    do {
        take_all();
        move_to(next_us(end_us));
        write_answers();
        go_on();
        take_all();
    } while (now_us < end_us);
}

/* How long a GET takes from its submission to its outcome. */
static int64_t time_of_get(void)
{
    int64_t began_us = now_us;
    struct operation *get = submit_to("GET", "get/", 30 * SECOND);
    while (!operation_outcome(get))
        run_until(next_us(now_us + SECOND));
    assert_ended(get, OUTCOME_RESPONSE, true);
    operation_free(get);
    return now_us - began_us;
}

/* ---- what a caller waits for ---- */

static void a_get_takes_two_answers_at_most_beside(unsigned jobs, unsigned max_in_flight)
{
    begin_service(max_in_flight);
    begin_jobs(jobs, SECOND);
    run_until(now_us + 3 * SECOND);
    for (int i = 0; i < 20; i++) {
        int64_t took_us = time_of_get();
        if (took_us > 2 * ANSWER)
            fail_msg("%lld us", (long long)took_us);
        run_until(now_us + 77777); /* at another phase of the polls */
    }
    end_jobs();
    end_service();
}

static void a_get_goes_before_polls(void **state)
{
    (void)state;
    a_get_takes_two_answers_at_most_beside(1500, 16);
    a_get_takes_two_answers_at_most_beside(1500, 2);
}

static void a_get_goes_before_a_hundred_thousand_polls(void **state)
{
    (void)state;
    a_get_takes_two_answers_at_most_beside(100000, 16);
}

static void polls_never_take_the_last_place(void **state)
{
    (void)state;
    for (unsigned places = 1; places <= 4; places++) {
        begin_service(places);
        begin_jobs(20, SECOND);
        run_until(now_us + 5 * SECOND);
        assert_int_equal(most_polls_now, places == 1 ? 1 : places - 1);
        end_jobs();
        end_service();
    }
}

/* ---- polls ---- */

/* As many jobs as could be polled at their interval if nothing else were sent. */
static void polls_come_in_time_beside_callers(unsigned places, unsigned count)
{
    const int64_t interval_us = 5 * SECOND;
    unsigned for_polls = places == 1 ? 1 : places - 1;
    begin_service(places);
    begin_callers(count);
    begin_jobs((unsigned)((interval_us + ANSWER) / ANSWER) * for_polls, interval_us);
    int64_t end_us = now_us + 60 * SECOND;
    run_until(end_us);
    for (unsigned i = 1; i <= poll_count; i++)
        if (end_us - last_us[i] > longest_us)
            longest_us = end_us - last_us[i];
    if (longest_us > 4 * interval_us + 4 * ANSWER)
        fail_msg("%u places: a poll came after %lld us", places, (long long)longest_us);
    if (count > places) /* the callers get their share */
        assert_true(calls_answered >= places * 60 * 2 * 3 / 4 - places);
    end_callers();
    end_jobs();
    end_service();
}

static void polls_come_in_time_beside_callers_that_fill_every_place(void **state)
{
    (void)state;
    polls_come_in_time_beside_callers(1, 1);
    polls_come_in_time_beside_callers(1, 8);
    polls_come_in_time_beside_callers(2, 8);
    polls_come_in_time_beside_callers(4, 4);
    polls_come_in_time_beside_callers(4, 40);
}

static void cancellations_go_before_polls_however_many(void **state)
{
    (void)state;
    begin_service(1);
    begin_jobs(1, SECOND);
    const struct request urgent = {
        .method = "POST", .url = url, .timeout_us = 3600 * SECOND, .urgent = true};
    struct operation *cancellations[5];
    for (int i = 0; i < 5; i++)
        cancellations[i] = operation_new(engine, &urgent, MOST_CALLERS);
    run_until(now_us + 4 * ANSWER);
    assert_int_equal(poller_count(polls[1]), 0); /* cancellations go first */
    run_until(now_us + 2 * ANSWER);
    assert_int_equal(poller_count(polls[1]), 1);
    for (int i = 0; i < 5; i++)
        operation_free(cancellations[i]);
    end_jobs();
    end_service();
}

static void polls_are_sent_in_the_order_in_which_they_were_due(void **state)
{
    (void)state;
    begin_service(1);
    begin_jobs(3, 1000 * SECOND);
    for (unsigned i = 1; i <= 3; i++) {
        char path[40];
        take_all();
        snprintf(path, sizeof path, "/poll/%u", i);
        assert_string_equal(last_path, path);
        run_until(now_us + ANSWER);
    }
    end_jobs();
    end_service();
}

static void a_queued_poll_satisfies_an_expedition(void **state)
{
    (void)state;
    begin_service(1);
    begin_callers(1);
    take_all();
    begin_jobs(1, 1000 * SECOND);
    settle(); /* it is queued */
    move_to(now_us + 1);
    poller_expedite(polls[1]);
    run_until(now_us + 10 * ANSWER);
    assert_int_equal(poller_count(polls[1]), 1);
    end_callers();
    end_jobs();
    end_service();
}

/* ---- cancellations ---- */

static void a_cancellation_goes_before_all(void **state)
{
    (void)state;
    begin_service(1);
    begin_callers(8);
    begin_jobs(8, SECOND);
    take_all();
    struct request asked = request_to("POST", "cancel/", 30 * SECOND);
    asked.urgent = true;
    struct operation *cancellation = operation_new(engine, &asked, MOST_CALLERS);
    run_until(now_us + ANSWER);
    assert_string_equal(last_path, "/cancel/");
    end_callers();
    operation_free(cancellation);
    end_jobs();
    end_service();
}

/* ---- while connections are made ---- */

/* The number of connecting transfers is limited, and polls leave one place free. */
static void a_poll_that_may_not_connect_delays_no_call(void **state)
{
    (void)state;
    const unsigned elsewhere = 31;
    begin_service(100);
    engine->transfers.connecting += elsewhere;
    engine->window.others_in_a_row = 3;
    begin_jobs(1, SECOND);
    settle();
    assert_int_equal(sent(), 0);
    struct operation *get = submit_to("GET", "get/", 30 * SECOND);
    settle();
    assert_int_equal(sent(), 1);
    engine->transfers.connecting -= elsewhere;
    operation_free(get);
    end_jobs();
    end_service();
}

/* ---- without a waiter ---- */

static void polls_without_a_waiter_delay_nothing(void **state)
{
    (void)state;
    begin_service(1);
    begin_callers(2);
    begin_jobs(5, SECOND);
    take_all();
    engine_wait_for_polls(engine, -1); /* they are queued already */
    unsigned before = arrived;
    run_until(now_us + 20 * ANSWER);
    assert_int_equal(calls_answered, 20);
    assert_int_equal(arrived - before, 20);
    engine_wait_for_polls(engine, 1);
    run_until(now_us + 20 * ANSWER);
    assert_int_equal(calls_answered, 35); /* every fourth is a poll */
    end_callers();
    end_jobs();
    end_service();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_goes_before_polls),
        cmocka_unit_test(a_get_goes_before_a_hundred_thousand_polls),
        cmocka_unit_test(polls_never_take_the_last_place),
        cmocka_unit_test(polls_come_in_time_beside_callers_that_fill_every_place),
        cmocka_unit_test(cancellations_go_before_polls_however_many),
        cmocka_unit_test(polls_are_sent_in_the_order_in_which_they_were_due),
        cmocka_unit_test(a_queued_poll_satisfies_an_expedition),
        cmocka_unit_test(a_cancellation_goes_before_all),
        cmocka_unit_test(a_poll_that_may_not_connect_delays_no_call),
        cmocka_unit_test(polls_without_a_waiter_delay_nothing),
    };
    alarm(300); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
