/* poller_test.c - polls, by poller.h: updates and transient failures, the last answer and the last
 * error, the schedule, the end.
 *
 * Retry-After to the microsecond is tested in deadline_test.c, the order of requests in
 * fair_test.c, the schedule over all histories in schedule_test.c. */
#include "engine/engine_parts.h"

#include "by_hand.h"

#define OK(body, length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n\r\n" body
#define STATUS(status) "HTTP/1.1 " #status " Whatever\r\nContent-Length: 0\r\n\r\n"
#define HALF(status) "HTTP/1.1 " #status " Whatever\r\nContent-Length: 10\r\n\r\nhalf"

#define REF 7

static struct poller *polled;
static int peer; /* -1: none */

static void begin_unwatched(bool started_here, int64_t usual_us)
{
    start(4);
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", started_here, usual_us);
    assert_non_null(polled);
    peer = -1;
}

/* Begins a poll every ten seconds, whose first request is in flight. */
static void begin(void)
{
    char head[1000];
    begin_unwatched(false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(polled, 10 * SECOND, REF);
    peer = next_request(peer, head, sizeof head);
}

static void end_all(void)
{
    poller_free(polled);
    if (peer >= 0)
        close(peer);
    end();
}

static bool is_listed(void)
{
    struct item *item = engine_next_finished(engine);
    if (!item)
        return false;
    assert_int_equal(item->kind, ITEM_POLLER);
    assert_int_equal(item->ref, REF);
    assert_null(engine_next_finished(engine));
    return true;
}

static void reply(struct reply reply)
{
    peer = give(peer, reply);
}

static void reply_text(const char *bytes)
{
    reply((struct reply){bytes, KEEP, 0});
}

/* Moves the clock until the next request is sent, and reads it. Returns how long that took. */
static int64_t next_poll(void)
{
    char head[1000];
    unsigned before = sent();
    int64_t began_us = now_us;
    settle();
    while (sent() == before)
        move_to(engine_due_us(engine));
    int64_t took_us = now_us - began_us;
    peer = next_request(peer, head, sizeof head);
    return took_us;
}

static void assert_rests(void)
{
    unsigned before = sent();
    move_to(now_us + 3600 * SECOND);
    assert_int_equal(sent(), before);
}

static void assert_answer(const char *expected)
{
    const struct buffer *got = poller_answer(polled);
    assert_int_equal(got->length, strlen(expected));
    if (got->length)
        assert_memory_equal(got->bytes, expected, got->length);
}

/* ---- when it is polled ---- */

static void polls_are_sent_while_watched_and_waited_for(void **state)
{
    (void)state;
    begin_unwatched(false, 0);
    assert_rests();
    engine_wait_for_polls(engine, 1);
    assert_rests();
    engine_wait_for_polls(engine, -1);
    poller_watch(polled, 10 * SECOND, REF);
    assert_rests();
    assert_int_equal(poller_count(polled), 0);
    engine_wait_for_polls(engine, 1);
    assert_int_equal(next_poll(), 0); /* it is overdue */
    reply_text(OK("{}", 2));
    assert_int_equal(poller_count(polled), 1);
    end_all();
}

static void a_job_started_here_is_first_polled_after_a_second(void **state)
{
    (void)state;
    begin_unwatched(true, 5 * SECOND);
    engine_wait_for_polls(engine, 1);
    poller_watch(polled, 0, REF);
    int64_t span_us = next_poll();
    assert_in_range(span_us, SECOND * 9 / 10, SECOND * 12 / 10);
    end_all();
}

static void pauses_grow_to_the_usual_interval(void **state)
{
    (void)state;
    begin_unwatched(true, 5 * SECOND);
    engine_wait_for_polls(engine, 1);
    poller_watch(polled, 0, REF);
    int64_t span_us = next_poll(), first_us = span_us;
    for (int i = 0; i < 20; i++) {
        reply_text(OK("{}", 2));
        poller_accept(polled);
        span_us = next_poll();
        assert_in_range(span_us, SECOND * 9 / 10, 5 * SECOND * 12 / 10);
    }
    assert_true(span_us > 3 * first_us);
    assert_in_range(span_us, 5 * SECOND * 9 / 10, 5 * SECOND * 12 / 10);
    end_all();
}

/* A due time that is in the heap already is moved. */
static void the_interval_and_the_ref_may_change(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    poller_watch(polled, 1000 * SECOND, REF + 1);
    assert_in_range(next_poll(), 900 * SECOND, 1200 * SECOND);
    reply_text(OK("[]", 2));
    assert_int_equal(engine_next_finished(engine)->ref, REF + 1);
    end_all();
}

/* ---- polls that learn ---- */

/* Polls a job that takes that many seconds, until its end. Returns the number of polls. */
static unsigned run_learning_job(int64_t duration_us)
{
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", true, 5 * SECOND);
    assert_non_null(polled);
    int64_t began_us = now_us;
    assert_true(poller_learn(polled, "kind", began_us));
    poller_watch(polled, 0, REF);
    while (next_poll(), now_us - began_us < duration_us) {
        reply_text(OK("{}", 2));
        if (poller_update(polled))
            poller_accept(polled);
    }
    reply_text(OK("{\"ended\":true}", 14));
    assert_non_null(poller_update(polled));
    poller_ended(polled);
    poller_unwatch(polled);
    poller_accept(polled);
    unsigned polls = poller_count(polled);
    assert_true(is_listed());
    poller_free(polled);
    return polls;
}

static void begin_learning(void)
{
    start(4);
    peer = -1;
    engine_wait_for_polls(engine, 1);
}

static void end_learning(void)
{
    if (peer >= 0)
        close(peer);
    end();
}

static void without_knowledge_polls_follow_the_schedule(void **state)
{
    (void)state;
    begin_learning();
    for (int i = 0; i < 8; i++)
        assert_in_range(run_learning_job(60 * SECOND), 12, 18);
    end_learning();
}

static void with_it_they_come_when_a_job_is_likely_to_have_ended(void **state)
{
    (void)state;
    char text[ENGINE_DURATIONS_SIZE];
    begin_learning();
    for (int i = 0; i < 40; i++)
        run_learning_job((58 + i % 5) * SECOND);
    for (int i = 0; i < 20; i++)
        assert_in_range(run_learning_job((58 + i % 5) * SECOND), 1, 5);
    assert_string_equal(engine_durations(engine, 0, text), "kind");
    assert_int_equal(strlen(text), ENGINE_DURATIONS_SIZE - 1);
    assert_null(engine_durations(engine, 1, text));
    end_learning();
}

static void what_one_engine_has_learned_serves_another(void **state)
{
    (void)state;
    char text[ENGINE_DURATIONS_SIZE];
    begin_learning();
    for (int i = 0; i < 40; i++)
        run_learning_job((58 + i % 5) * SECOND);
    engine_durations(engine, 0, text);
    end_learning();
    begin_learning();
    assert_true(engine_learn(engine, "kind", text, strlen(text)));
    assert_false(engine_learn(engine, "kind", text, strlen(text) - 1));
    assert_true(engine_learn(NULL, "kind", text, strlen(text)));
    assert_in_range(run_learning_job(60 * SECOND), 1, 5);
    engine_close(engine);
    assert_false(engine_learn(engine, "other", text, strlen(text)));
    assert_string_equal(engine_durations(engine, 0, text), "kind");
    end_learning();
}

static void what_is_learned_is_in_the_time_of_the_service(void **state)
{
    (void)state;
    begin_learning();
    engine_set_speed(engine, 100);
    for (int i = 0; i < 40; i++)
        run_learning_job((58 + i % 5) * SECOND / 100);
    for (int i = 0; i < 20; i++)
        assert_in_range(run_learning_job((58 + i % 5) * SECOND / 100), 1, 5);
    engine_set_speed(engine, 1);
    assert_in_range(run_learning_job(60 * SECOND), 1, 5);
    end_learning();
}

static void the_polls_of_a_job_of_which_the_start_is_elsewhere_follow_the_plan_too(void **state)
{
    (void)state;
    begin_learning();
    for (int i = 0; i < 40; i++)
        run_learning_job(60 * SECOND);
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", false, 5 * SECOND);
    assert_true(poller_learn(polled, "kind", now_us - 20 * SECOND));
    poller_watch(polled, 0, REF);
    assert_int_equal(next_poll(), 0);
    reply_text(OK("{}", 2));
    poller_accept(polled);
    assert_in_range(next_poll(), 15 * SECOND, 50 * SECOND);
    poller_free(polled);
    end_learning();
}

static const struct sketch *sketch_of_kind(void)
{
    return &SLIST_FIRST(&engine->polls.learners)->sketch;
}

/* Makes a poll that learns from then on, after some polls by the schedule. */
static void begin_job(bool started_here, unsigned polls)
{
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", started_here, 5 * SECOND);
    poller_watch(polled, 0, REF);
    for (; polls > 0; polls--) {
        next_poll();
        reply_text(OK("{}", 2));
        if (poller_update(polled))
            poller_accept(polled);
    }
    assert_true(poller_learn(polled, "kind", now_us));
    poller_watch(polled, 0, REF);
}

static void a_job_counts_if_it_is_followed_from_its_start(void **state)
{
    (void)state;
    begin_learning();
    begin_job(true, 0);
    assert_int_equal(sketch_of_kind()->count, 1);
    poller_free(polled);
    begin_job(true, 1);
    assert_int_equal(sketch_of_kind()->count, 1);
    poller_free(polled);
    begin_job(false, 0);
    assert_int_equal(sketch_of_kind()->count, 1);
    poller_free(polled);
    end_learning();
}

static void a_job_is_censored_while_it_is_not_watched(void **state)
{
    (void)state;
    begin_learning();
    begin_job(true, 0);
    assert_int_equal(sketch_job(sketch_of_kind(), 0)->ended, LIFETIME_WATCHED);
    poller_unwatch(polled);
    assert_int_equal(sketch_job(sketch_of_kind(), 0)->ended, LIFETIME_LEFT);
    poller_watch(polled, 0, REF);
    assert_int_equal(sketch_job(sketch_of_kind(), 0)->ended, LIFETIME_WATCHED);
    poller_disregard(polled);
    poller_unwatch(polled);
    poller_watch(polled, 0, REF);
    assert_int_equal(sketch_job(sketch_of_kind(), 0)->ended, LIFETIME_LEFT);
    poller_free(polled);
    end_learning();
}

static void an_answer_shows_that_a_job_runs_and_a_failure_does_not(void **state)
{
    (void)state;
    begin_learning();
    begin_job(true, 0);
    const struct lifetime *job = sketch_job(sketch_of_kind(), 0);
    next_poll();
    reply_text(STATUS(503));
    assert_int_equal(job->seen, 0);
    next_poll();
    reply_text(OK("{}", 2));
    assert_int_equal(job->seen, 0); /* until the update is handled */
    poller_accept(polled);
    unsigned seen = job->seen;
    assert_true(seen > 0);
    next_poll();
    reply_text(OK("{}", 2)); /* no update */
    assert_true(job->seen > seen);
    poller_free(polled);
    end_learning();
}

static void an_interval_and_a_retry_after_take_precedence(void **state)
{
    (void)state;
    begin_learning();
    for (int i = 0; i < 40; i++)
        run_learning_job(60 * SECOND);
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", true, 5 * SECOND);
    assert_true(poller_learn(polled, "kind", now_us));
    poller_watch(polled, 0, REF);
    assert_true(poller_learn(polled, NULL, 0));
    poller_watch(polled, 2 * SECOND, REF);
    assert_in_range(next_poll(), 18 * SECOND / 10, 22 * SECOND / 10);
    assert_true(poller_learn(polled, "kind", now_us - 2 * SECOND));
    poller_watch(polled, 0, REF);
    reply_text("HTTP/1.1 200 OK\r\nRetry-After: 200\r\nContent-Length: 2\r\n\r\n{}");
    poller_accept(polled);
    assert_in_range(next_poll(), 199 * SECOND, 201 * SECOND);
    poller_free(polled);
    end_learning();
}

/* ---- updates ---- */

static const struct {
    struct reply reply;
    enum outcome_kind kind;
    bool is_update;
} rows[] = {
    {{OK("{}", 2), KEEP, 0}, OUTCOME_RESPONSE, false}, /* unchanged */
    {{OK("[]", 2), KEEP, 0}, OUTCOME_RESPONSE, true},
    {{OK("{} ", 3), KEEP, 0}, OUTCOME_RESPONSE, true},
    {{OK("", 0), KEEP, 0}, OUTCOME_RESPONSE, true},
    {{"HTTP/1.1 202 Later\r\nContent-Length: 2\r\n\r\n{}", KEEP, 0}, OUTCOME_RESPONSE, false},
    {{STATUS(302), KEEP, 0}, OUTCOME_RESPONSE, true},
    {{STATUS(401), KEEP, 0}, OUTCOME_RESPONSE, true},
    {{STATUS(404), KEEP, 0}, OUTCOME_RESPONSE, true},
    {{HALF(200), CUT, 0}, OUTCOME_TRUNCATED, true},
    {{"SSH-2.0\r\n", CUT, 0}, OUTCOME_MALFORMED, true},
    {{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\na", KEEP, 0}, OUTCOME_TOO_LARGE, true},
    {{"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", KEEP, 0},
        OUTCOME_GARBLED, true},
    /* Transient failures. */
    {{STATUS(429), KEEP, 0}, OUTCOME_RESPONSE, false},
    {{STATUS(500), KEEP, 0}, OUTCOME_RESPONSE, false},
    {{STATUS(503), KEEP, 0}, OUTCOME_RESPONSE, false},
    {{HALF(502), CUT, 0}, OUTCOME_TRUNCATED, false},
    {{HALF(429), CUT, 0}, OUTCOME_TRUNCATED, false},
    {{NULL, CUT, 0}, OUTCOME_NETWORK, false},
    {{NULL, RESET, 0}, OUTCOME_NETWORK, false},
};

/* The first connection is closed, since libcurl repeats a read by itself when a reused connection
 * is stale. */
static void updates_are_listed_and_transient_failures_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin();
        reply_text("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
        assert_true(is_listed()); /* the first is an update */
        poller_accept(polled);
        next_poll();
        reply(rows[i].reply);
        const struct outcome *update = poller_update(polled), *error = poller_last_error(polled);
        bool is_same = i == 0 || i == 4;
        if (is_listed() != rows[i].is_update || (update != NULL) != rows[i].is_update ||
            (error != NULL) != (!rows[i].is_update && !is_same))
            fail_msg("row %zu: %s, %s", i, update ? "update" : "none", error ? "error" : "none");
        if (!is_same)
            assert_int_equal((update ? update : error)->kind, rows[i].kind);
        assert_int_equal(poller_count(polled), 2);
        assert_int_equal(sent(), 2); /* only its schedule repeats it */
        end_all();
    }
}

static void a_poll_pauses_after_an_update_until_it_is_accepted(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    assert_rests();
    assert_int_equal(poller_update(polled)->status, 200);
    assert_answer("{}");
    poller_accept(polled);
    assert_null(poller_update(polled));
    assert_answer("{}");
    next_poll();
    reply_text(OK("[]", 2));
    assert_rests();
    assert_answer("[]");
    end_all();
}

static void an_update_that_is_rejected_counts_as_an_error(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    poller_accept(polled);
    next_poll();
    reply_text(OK("<html>", 6));
    poller_reject(polled);
    assert_null(poller_update(polled));
    assert_answer("{}"); /* the earlier one */
    assert_memory_equal(poller_last_error(polled)->body.bytes, "<html>", 6);
    assert_true(is_listed());
    next_poll();
    reply_text(OK("{}", 2)); /* equals the last good answer */
    assert_false(is_listed());
    next_poll();
    reply_text(OK("<html>", 6)); /* does not */
    assert_true(is_listed());
    end_all();
}

static void an_update_may_be_listed_again(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    engine_relist(engine, REF); /* it is listed already */
    assert_true(is_listed());
    engine_relist(engine, REF);
    engine_relist(engine, REF);
    assert_true(is_listed());
    assert_int_equal(poller_update(polled)->status, 200);
    poller_forget_ref(polled);
    engine_relist(engine, REF); /* of another item, by now */
    assert_false(is_listed());
    end_all();
}

static void an_update_can_be_forced_once(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    poller_force_update(polled);
    next_poll();
    reply_text(STATUS(500)); /* not a good answer */
    assert_false(is_listed());
    next_poll();
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    next_poll();
    reply_text(OK("{}", 2));
    assert_false(is_listed());
    end_all();
}

/* ---- the last error ---- */

/* A step does not change a returned error. */
/* Sets the URL to that path of the peer. */
static void set_path(const char *path)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s%s", url, path + 1); /* the peer's ends with a slash */
    assert_true(poller_set_url(polled, whole, NULL));
}

/* Like next_poll(), and asserts the path. */
static void next_poll_of(const char *path)
{
    char head[1000], begin[128];
    unsigned before = sent();
    settle();
    while (sent() == before)
        move_to(engine_due_us(engine));
    peer = next_request(peer, head, sizeof head);
    snprintf(begin, sizeof begin, "GET %s ", path);
    assert_memory_equal(head, begin, strlen(begin));
}

static void another_url_makes_the_next_good_answer_an_update(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    set_path("/other/?a=1");
    poller_accept(polled);
    next_poll_of("/other/?a=1");
    reply_text(STATUS(500));
    assert_false(is_listed());
    set_path("/third/");
    next_poll_of("/third/");
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    next_poll_of("/third/");
    reply_text(OK("{}", 2));
    assert_false(is_listed());
    end_all();
}

/* Only an answer is ignored: a failure to get one concerns the job as well. */
static void an_answer_from_a_former_url_is_ignored(void **state)
{
    (void)state;
    static const struct reply replies[] = {
        {OK("[]", 2), KEEP, 0}, {STATUS(404), KEEP, 0}, {STATUS(400), KEEP, 0}};
    for (size_t i = 0; i < COUNT(replies); i++) {
        begin();
        set_path("/other/");
        poller_expedite(polled);
        reply(replies[i]);
        assert_false(is_listed());
        assert_null(poller_update(polled));
        assert_int_equal(poller_count(polled), 1);
        next_poll_of("/other/");
        reply_text(OK("{}", 2));
        assert_true(is_listed());
        assert_answer("{}");
        end_all();
    }
}

static void a_failure_at_a_former_url_is_the_last_error(void **state)
{
    (void)state;
    begin();
    set_path("/other/");
    reply_text(STATUS(503));
    assert_false(is_listed());
    assert_int_equal(poller_last_error(polled)->status, 503);
    next_poll_of("/other/");
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    end_all();
}

static void the_last_error_does_not_change_once_returned(void **state)
{
    (void)state;
    begin();
    assert_null(poller_last_error(polled));
    reply_text(STATUS(500));
    const struct outcome *shown = poller_last_error(polled);
    assert_int_equal(shown->status, 500);
    next_poll();
    reply_text(STATUS(502));
    next_poll();
    reply_text(STATUS(503));
    assert_int_equal(shown->status, 500);
    assert_memory_equal(shown->headers.bytes, "HTTP/1.1 500", 12);
    assert_int_equal(poller_last_error(polled)->status, 503);
    next_poll();
    reply_text(OK("{}", 2)); /* does not reset it */
    assert_int_equal(poller_last_error(polled)->status, 503);
    poller_forget_error(polled);
    assert_null(poller_last_error(polled));
    poller_accept(polled);
    next_poll();
    reply_text(STATUS(500));
    poller_forget_error(polled); /* even one that was not returned */
    assert_null(poller_last_error(polled));
    end_all();
}

static void the_time_until_the_next_poll_is_known(void **state)
{
    (void)state;
    int64_t span_us, earlier_us;
    begin_unwatched(false, 0);
    assert_false(poller_next(polled, &span_us));
    poller_watch(polled, 10 * SECOND, REF);
    assert_true(poller_next(polled, &span_us));
    assert_int_equal(span_us, 0); /* overdue, without a waiter */
    engine_wait_for_polls(engine, 1);
    next_poll();
    assert_true(poller_next(polled, &span_us));
    assert_int_equal(span_us, 0); /* in flight */
    reply_text(OK("{}", 2));
    assert_false(poller_next(polled, &span_us)); /* it rests with an update */
    poller_accept(polled);
    assert_true(poller_next(polled, &earlier_us));
    assert_in_range(earlier_us, 9 * SECOND, 11 * SECOND);
    move_to(now_us + SECOND);
    assert_true(poller_next(polled, &span_us));
    assert_int_equal(span_us, earlier_us - SECOND);
    poller_unwatch(polled);
    assert_false(poller_next(polled, &span_us));
    end_all();
}

/* ---- answers and requests from outside the schedule ---- */

static void an_answer_from_outside_the_schedule_counts_as_a_poll(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    move_to(now_us + 8 * SECOND);
    assert_true(poller_set_answer(polled, "[]", 2));
    assert_int_equal(poller_count(polled), 2);
    assert_answer("[]");
    assert_in_range(next_poll(), 9 * SECOND, 12 * SECOND); /* from now on */
    reply_text(OK("[]", 2));
    assert_false(is_listed());
    next_poll();
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    end_all();
}

static void a_request_from_outside_the_schedule_delays_the_next_poll(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    poller_accept(polled);
    move_to(now_us + 8 * SECOND);
    poller_count_poll(polled);
    assert_int_equal(poller_count(polled), 2);
    assert_answer("{}");
    assert_in_range(next_poll(), 9 * SECOND, 12 * SECOND);
    end_all();
}

/* ---- expediting ---- */

static void a_poll_can_be_expedited(void **state)
{
    (void)state;
    begin();
    reply_text(OK("{}", 2));
    poller_accept(polled);
    poller_expedite(polled);
    assert_int_equal(next_poll(), 0);
    reply_text(OK("{}", 2));
    assert_in_range(next_poll(), 9 * SECOND, 12 * SECOND); /* once */
    end_all();
}

static void a_retry_after_delays_an_expedited_poll(void **state)
{
    (void)state;
    begin();
    reply_text("HTTP/1.1 200 OK\r\nRetry-After: 40\r\nContent-Length: 2\r\n\r\n{}");
    poller_accept(polled);
    poller_expedite(polled);
    assert_int_equal(next_poll(), 40 * SECOND);
    end_all();
}

/* The service may have answered it too early. */
static void a_request_in_flight_does_not_count_as_expedited(void **state)
{
    (void)state;
    begin();
    move_to(now_us + 1);
    poller_expedite(polled);
    move_to(now_us + 1);
    reply_text(OK("{}", 2));
    poller_accept(polled);
    assert_int_equal(next_poll(), 0);
    end_all();
}

static void an_unwatched_poll_is_expedited_when_it_is_watched(void **state)
{
    (void)state;
    begin_unwatched(true, 100 * SECOND);
    engine_wait_for_polls(engine, 1);
    poller_expedite(polled);
    assert_rests();
    poller_watch(polled, 0, REF);
    assert_int_equal(next_poll(), 0);
    end_all();
}

/* ---- unwatching ---- */

static void an_unwatched_poll_is_not_sent(void **state)
{
    (void)state;
    begin();
    assert_true(poller_is_needed(polled));
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    poller_unwatch(polled);
    assert_false(poller_is_needed(polled));
    assert_rests();
    poller_watch(polled, 10 * SECOND, REF);
    assert_true(poller_is_needed(polled));
    next_poll();
    end_all();
}

static void unwatching_dequeues_a_poll(void **state)
{
    (void)state;
    start(1);
    struct operation *first = submit("GET", 3600 * SECOND);
    peer = take_request();
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(polled, SECOND, REF);
    settle();
    poller_unwatch(polled);
    assert_false(poller_is_needed(polled));
    answer(peer, 200, "");
    assert_rests();
    assert_int_equal(engine_next_finished(engine)->kind, ITEM_OPERATION);
    assert_false(is_listed());
    operation_free(first);
    end_all();
}

/* With an update or without, since its owner may be waiting to free it. */
static void an_unwatched_poll_in_flight_is_listed_at_its_end(void **state)
{
    (void)state;
    static const struct reply replies[] = {
        {OK("{}", 2), KEEP, 0}, {STATUS(500), KEEP, 0}, {STATUS(404), KEEP, 0}, {NULL, CUT, 0}};
    for (size_t i = 0; i < COUNT(replies); i++) {
        begin();
        reply_text("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
        assert_true(is_listed());
        poller_accept(polled);
        next_poll();
        poller_unwatch(polled);
        assert_true(poller_is_needed(polled));
        assert_false(is_listed());
        reply(replies[i]);
        assert_true(poller_is_needed(polled));
        assert_true(is_listed());
        bool is_update = i == 2;
        assert_int_equal(poller_update(polled) != NULL, is_update);
        assert_int_equal(poller_is_needed(polled), is_update);
        assert_int_equal(poller_last_error(polled) != NULL, i == 1 || i == 3);
        poller_accept(polled);
        assert_false(poller_is_needed(polled));
        assert_rests();
        end_all();
    }
}

static void the_subject_of_an_event_is_needed(void **state)
{
    (void)state;
    struct engine_options options = options_for(4);
    options.report_events = true;
    start_with(options);
    const struct request asked = request("GET", 30 * SECOND);
    polled = poller_new(engine, &asked, "", false, 0);
    engine_wait_for_polls(engine, 1);
    poller_watch(polled, SECOND, REF);
    peer = take_request();
    reply_text(OK("{}", 2));
    poller_accept(polled);
    poller_unwatch(polled);
    struct event *event;
    enum event_kind expected[] = {EVENT_STARTED, EVENT_FINISHED};
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(poller_is_needed(polled));
        event = engine_next_event(engine);
        assert_int_equal(event->kind, expected[i]);
        assert_int_equal(event->ref, REF);
        assert_int_equal(event->subject->kind, ITEM_POLLER);
        free(event);
    }
    assert_true(poller_is_needed(polled)); /* it is listed */
    assert_true(is_listed());
    assert_false(poller_is_needed(polled));
    end_all();
}

/* ---- the end ---- */

static void a_freed_poll_is_not_listed(void **state)
{
    (void)state;
    for (int is_answered = 0; is_answered < 2; is_answered++) {
        begin();
        if (is_answered)
            reply_text(OK("{}", 2));
        poller_free(polled);
        assert_null(engine_next_finished(engine));
        assert_int_equal(engine_stats(engine).in_flight, 0);
        assert_rests();
        close(peer);
        end();
    }
}

static void assert_closed(void)
{
    assert_true(is_listed());
    assert_int_equal(poller_update(polled)->kind, OUTCOME_CLOSED);
    poller_unwatch(polled);
    poller_accept(polled);
    assert_null(poller_update(polled));
    assert_false(poller_is_needed(polled));
}

static void closing_the_engine_is_an_update_of_a_watched_poll(void **state)
{
    (void)state;
    begin(); /* in flight */
    engine_close(engine);
    assert_closed();
    assert_int_equal(poller_count(polled), 0);
    end_all();

    begin(); /* between two polls */
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    engine_close(engine);
    assert_closed();
    assert_answer("{}");
    end_all();

    begin(); /* while its update is handled */
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    engine_close(engine);
    assert_false(is_listed());
    assert_int_equal(poller_update(polled)->kind, OUTCOME_RESPONSE);
    poller_accept(polled);
    assert_closed();
    assert_answer("{}");
    end_all();

    begin(); /* no longer watched */
    reply_text(OK("{}", 2));
    assert_true(is_listed());
    poller_accept(polled);
    poller_unwatch(polled);
    engine_close(engine);
    assert_false(is_listed());
    poller_watch(polled, SECOND, REF); /* after the close */
    assert_closed();
    end_all();
}

static void a_closed_engine_accepts_no_poll(void **state)
{
    (void)state;
    start(4);
    const struct request asked = request("GET", SECOND);
    engine_close(engine);
    assert_null(poller_new(engine, &asked, "", false, 0));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_are_sent_while_watched_and_waited_for),
        cmocka_unit_test(a_job_started_here_is_first_polled_after_a_second),
        cmocka_unit_test(pauses_grow_to_the_usual_interval),
        cmocka_unit_test(without_knowledge_polls_follow_the_schedule),
        cmocka_unit_test(with_it_they_come_when_a_job_is_likely_to_have_ended),
        cmocka_unit_test(what_one_engine_has_learned_serves_another),
        cmocka_unit_test(what_is_learned_is_in_the_time_of_the_service),
        cmocka_unit_test(the_polls_of_a_job_of_which_the_start_is_elsewhere_follow_the_plan_too),
        cmocka_unit_test(a_job_counts_if_it_is_followed_from_its_start),
        cmocka_unit_test(a_job_is_censored_while_it_is_not_watched),
        cmocka_unit_test(an_answer_shows_that_a_job_runs_and_a_failure_does_not),
        cmocka_unit_test(an_interval_and_a_retry_after_take_precedence),
        cmocka_unit_test(the_interval_and_the_ref_may_change),
        cmocka_unit_test(updates_are_listed_and_transient_failures_are_not),
        cmocka_unit_test(a_poll_pauses_after_an_update_until_it_is_accepted),
        cmocka_unit_test(an_update_that_is_rejected_counts_as_an_error),
        cmocka_unit_test(an_update_may_be_listed_again),
        cmocka_unit_test(an_update_can_be_forced_once),
        cmocka_unit_test(another_url_makes_the_next_good_answer_an_update),
        cmocka_unit_test(an_answer_from_a_former_url_is_ignored),
        cmocka_unit_test(a_failure_at_a_former_url_is_the_last_error),
        cmocka_unit_test(the_last_error_does_not_change_once_returned),
        cmocka_unit_test(the_time_until_the_next_poll_is_known),
        cmocka_unit_test(an_answer_from_outside_the_schedule_counts_as_a_poll),
        cmocka_unit_test(a_request_from_outside_the_schedule_delays_the_next_poll),
        cmocka_unit_test(a_poll_can_be_expedited),
        cmocka_unit_test(a_retry_after_delays_an_expedited_poll),
        cmocka_unit_test(a_request_in_flight_does_not_count_as_expedited),
        cmocka_unit_test(an_unwatched_poll_is_expedited_when_it_is_watched),
        cmocka_unit_test(an_unwatched_poll_is_not_sent),
        cmocka_unit_test(unwatching_dequeues_a_poll),
        cmocka_unit_test(an_unwatched_poll_in_flight_is_listed_at_its_end),
        cmocka_unit_test(the_subject_of_an_event_is_needed),
        cmocka_unit_test(a_freed_poll_is_not_listed),
        cmocka_unit_test(closing_the_engine_is_an_update_of_a_watched_poll),
        cmocka_unit_test(a_closed_engine_accepts_no_poll),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
