/* operation_test.c - the life of an operation: queued, sent, repeated or not, and ended.
 *
 * Deadlines and Retry-After to the microsecond are tested in deadline_test.c, the effects of a 429
 * in hold_test.c, the order of requests in fair_test.c. */
#include "by_hand.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define STATUS(status, header)                                                                     \
    "HTTP/1.1 " #status " Whatever\r\n" header "Content-Length: 0\r\n\r\n"
#define HALF "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"

/* Serves an operation until it has ended. Each request gets the next reply; the last one repeats.
 * The clock moves only while no request waits for an answer. Returns the number of requests. */
static unsigned serve(const struct operation *operation, const struct reply *script, size_t count)
{
    char head[1000];
    unsigned served = 0;
    int peer = -1;
    for (settle(); !operation_outcome(operation);) {
        if (sent() == served) {
            move_to(engine_due_us(engine));
            continue;
        }
        peer = next_request(peer, head, sizeof head);
        peer = give(peer, script[served < count ? served : count - 1]);
        served++;
    }
    if (peer >= 0)
        close(peer);
    return served;
}

static unsigned serve_always(const struct operation *operation, struct reply reply)
{
    return serve(operation, &reply, 1);
}

static void assert_listed(const int *refs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct item *item = engine_next_finished(engine);
        assert_non_null(item);
        assert_int_equal(item->kind, ITEM_OPERATION);
        assert_int_equal(item->ref, refs[i]);
    }
    assert_null(engine_next_finished(engine));
}

/* ---- what is sent ---- */

static void the_request_is_a_copy(void **state)
{
    (void)state;
    char method[] = "PUT", path[100], header[] = "X-Own: mine", body[] = "{\"a\":1}", head[1000];
    const char *headers[] = {header};
    start(4);
    snprintf(path, sizeof path, "%sa/?b=c", url);
    struct request asked = {.method = method,
        .url = path,
        .headers = headers,
        .header_count = 1,
        .body = body,
        .body_length = strlen(body),
        .timeout_us = SECOND};
    struct operation *operation = operation_new(engine, &asked, 1);
    memset(method, 'x', strlen(method));
    memset(path, 'x', strlen(path));
    memset(header, 'x', strlen(header));
    memset(body, 'x', strlen(body));
    memset(&asked, 0, sizeof asked);
    headers[0] = NULL;
    settle();
    int peer = next_request(-1, head, sizeof head);
    assert_memory_equal(head, "PUT /a/?b=c HTTP/1.1\r\n", 22);
    assert_non_null(strstr(head, "\r\nX-Own: mine\r\n"));
    assert_non_null(strstr(head, "\r\nContent-Length: 7\r\n"));
    const char *sent_body = strstr(head, "\r\n\r\n") + 4;
    char rest[8] = "";
    if (!*sent_body) {
        assert_int_equal(read(peer, rest, 7), 7);
        sent_body = rest;
    }
    assert_string_equal(sent_body, "{\"a\":1}");
    end_with(operation, peer);
}

static void a_header_of_the_request_replaces_the_engines(void **state)
{
    (void)state;
    static const char *const of_engine[] = {"X-One: engine", "X-Two: engine"};
    static const char *const of_request[] = {"x-two: request"};
    char head[1000];
    struct engine_options options = options_for(4);
    options.headers = of_engine;
    options.header_count = COUNT(of_engine);
    start_with(options);
    struct request asked = request("GET", SECOND);
    asked.headers = of_request;
    asked.header_count = COUNT(of_request);
    struct operation *operation = operation_new(engine, &asked, 1);
    int peer = next_request(-1, head, sizeof head);
    assert_non_null(strstr(head, "\r\nX-One: engine\r\n"));
    assert_non_null(strstr(head, "\r\nx-two: request\r\n"));
    assert_null(strstr(head, "X-Two: engine"));
    end_with(operation, peer);
}

static void a_post_is_not_declared_as_a_form(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body;
    } rows[] = {{"POST", NULL}, {"DELETE", NULL}, {"PATCH", NULL}, {"GET", NULL}, {"HEAD", NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char head[1000];
        start(4);
        struct operation *operation = submit(rows[i].method, SECOND);
        int peer = next_request(-1, head, sizeof head);
        assert_memory_equal(head, rows[i].method, strlen(rows[i].method));
        assert_null(strstr(head, "Content-Type"));
        assert_null(strstr(head, "Expect"));
        operation_free(operation);
        close(peer);
        end();
    }
}

/* ---- how it ends ---- */

static void an_answer_is_the_outcome(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", SECOND);
    assert_null(operation_outcome(operation));
    int peer = take_request();
    assert_null(operation_outcome(operation));
    write_answer(peer, "HTTP/1.1 201 Made\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}");
    assert_ended(operation, OUTCOME_RESPONSE, true);
    const struct outcome *outcome = operation_outcome(operation);
    assert_int_equal(outcome->status, 201);
    assert_memory_equal(outcome->headers.bytes, "HTTP/1.1 201 Made\r\nX-A: b\r\n", 27);
    assert_int_equal(outcome->body.length, 2);
    assert_memory_equal(outcome->body.bytes, "{}", 2);
    assert_null(outcome->message);
    assert_int_equal(outcome->tries, 1);
    assert_true(outcome->retry_after_us < 0);
    assert_listed((const int[]){1}, 1);
    end_with(operation, peer);
}

/* ---- what is repeated ---- */

static const struct row {
    const char *method;
    bool once;
    struct reply reply;
    unsigned requests; /* with four tries */
    enum outcome_kind kind;
    int status;
} rows[] = {
    /* Safe to repeat. */
    {"GET", false, {NULL, CUT, 0}, 4, OUTCOME_NETWORK, 0},
    {"GET", false, {NULL, RESET, 0}, 4, OUTCOME_NETWORK, 0},
    {"GET", false, {HALF, CUT, 0}, 4, OUTCOME_TRUNCATED, 200},
    {"GET", false, {STATUS(408, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 408},
    {"GET", false, {STATUS(425, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 425},
    {"GET", false, {STATUS(429, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 429},
    {"GET", false, {STATUS(500, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 500},
    {"GET", false, {STATUS(599, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 599},
    {"HEAD", false, {STATUS(502, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 502},
    /* Refused before it was processed. */
    {"POST", false, {STATUS(429, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 429},
    {"POST", false, {STATUS(503, "Retry-After: 1\r\n"), KEEP, 0}, 4, OUTCOME_RESPONSE, 503},
    {"DELETE", false, {STATUS(429, ""), KEEP, 0}, 4, OUTCOME_RESPONSE, 429},
    /* May have been processed. */
    {"POST", false, {NULL, CUT, 0}, 1, OUTCOME_NETWORK, 0},
    {"POST", false, {NULL, RESET, 0}, 1, OUTCOME_NETWORK, 0},
    {"POST", false, {HALF, CUT, 0}, 1, OUTCOME_TRUNCATED, 200},
    {"POST", false, {STATUS(500, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 500},
    {"POST", false, {STATUS(503, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 503},
    {"POST", false, {STATUS(408, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 408},
    {"PUT", false, {NULL, CUT, 0}, 1, OUTCOME_NETWORK, 0},
    {"PATCH", false, {STATUS(502, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 502},
    {"DELETE", false, {NULL, CUT, 0}, 1, OUTCOME_NETWORK, 0},
    /* Would end in the same way again. */
    {"GET", false, {OK, KEEP, 0}, 1, OUTCOME_RESPONSE, 200},
    {"GET", false, {STATUS(304, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 304},
    {"GET", false, {STATUS(404, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 404},
    {"GET", false, {"no HTTP\r\n\r\n", CUT, 0}, 1, OUTCOME_MALFORMED, 0},
    /* The caller wants it to be sent once. */
    {"GET", true, {NULL, CUT, 0}, 1, OUTCOME_NETWORK, 0},
    {"GET", true, {STATUS(500, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 500},
    {"GET", true, {STATUS(429, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 429},
    {"POST", true, {STATUS(429, ""), KEEP, 0}, 1, OUTCOME_RESPONSE, 429},
};

static void only_unprocessed_or_safe_requests_are_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        start(4);
        struct request asked = request(row->method, 1000 * SECOND);
        asked.once = row->once;
        struct operation *operation = operation_new(engine, &asked, 1);
        unsigned requests = serve_always(operation, row->reply);
        const struct outcome *outcome = operation_outcome(operation);
        if (requests != row->requests || outcome->kind != row->kind ||
            outcome->status != row->status || outcome->tries != requests || !outcome->sent)
            fail_msg("row %zu, %s: %u requests, %u tries, kind %d, status %d, %s", i, row->method,
                requests, outcome->tries, outcome->kind, outcome->status,
                outcome->sent ? "sent" : "not sent");
        assert_int_equal(engine_stats(engine).retries, requests - 1);
        assert_listed((const int[]){1}, 1);
        operation_free(operation);
        end();
    }
}

static void a_repetition_that_succeeds_is_a_success(void **state)
{
    (void)state;
    static const struct reply script[] = {
        {NULL, CUT, 0}, {HALF, CUT, 0}, {STATUS(503, ""), CUT, 0}, {OK, KEEP, 0}};
    start(4);
    struct operation *operation = submit("GET", 1000 * SECOND);
    assert_int_equal(serve(operation, script, COUNT(script)), 4);
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(operation)->tries, 4);
    assert_int_equal(operation_outcome(operation)->body.length, 2); /* of the last try alone */
    operation_free(operation);
    end();
}

/* Nothing was sent, so a start may be repeated. */
static void a_refused_connection_is_retried_with_any_method(void **state)
{
    (void)state;
    start(4);
    close(listener);
    struct operation *operation = submit("POST", 1000 * SECOND);
    for (settle(); !operation_outcome(operation);) {
        step();
        if (engine_stats(engine).in_flight == 0)
            move_to(engine_due_us(engine));
    }
    assert_ended(operation, OUTCOME_NETWORK, false);
    assert_int_equal(operation_outcome(operation)->tries, 4);
    assert_non_null(operation_outcome(operation)->message);
    operation_free(operation);
    engine_free(engine);
}

/* libcurl itself repeats it, on a new connection; that is not another try. */
static void a_read_on_a_stale_connection_is_repeated_at_once(void **state)
{
    (void)state;
    start(4);
    struct operation *first = submit("GET", SECOND), *second;
    int peer = take_request();
    answer(peer, 200, "");
    second = submit("GET", SECOND);
    settle();
    read_request(peer);
    close(peer);
    peer = take_request();
    answer(peer, 200, "");
    assert_ended(second, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(second)->tries, 1);
    operation_free(first);
    operation_free(second);
    close(peer);
    end();
}

/* libcurl repeats a request only if it was sent on a reused connection. */
static void a_start_is_sent_on_a_new_connection(void **state)
{
    (void)state;
    start(4);
    struct operation *first = submit("GET", SECOND);
    int idle = take_request();
    answer(idle, 200, "");
    struct operation *start_of_work = submit("POST", SECOND);
    int peer = take_request();
    assert_int_equal(engine_stats(engine).connections, 1); /* counted as the try ends */
    close(peer);
    take_in();
    assert_ended(start_of_work, OUTCOME_NETWORK, true);
    assert_int_equal(operation_outcome(start_of_work)->tries, 1);
    operation_free(first);
    operation_free(start_of_work);
    close(idle);
    end();
}

/* 500 tokens, 10 for a repetition after a cut. */
static void an_outage_exhausts_the_retry_quota(void **state)
{
    (void)state;
    struct engine_options options = options_for(4);
    options.retries = 100;
    start_with(options);
    struct operation *operation = submit("GET", 3600 * SECOND);
    assert_int_equal(serve_always(operation, (struct reply){NULL, CUT, 0}), 51);
    assert_ended(operation, OUTCOME_NETWORK, true);
    assert_int_equal(engine_stats(engine).retry_quota, 0);
    operation_free(operation);
    end();
}

/* ---- one deadline ---- */

static void one_deadline_covers_all_tries(void **state)
{
    (void)state;
    start(4);
    int64_t deadline_us = now_us + 30 * SECOND;
    struct operation *operation = submit("GET", 30 * SECOND);
    int peer = take_request();
    move_to(now_us + 20 * SECOND);
    close(peer);
    take_in();
    while (sent() == 1)
        move_to(engine_due_us(engine));
    peer = take_request();
    move_to(deadline_us - 1);
    assert_null(operation_outcome(operation));
    move_to(deadline_us);
    assert_ended(operation, OUTCOME_TIMEOUT, true);
    assert_int_equal(operation_outcome(operation)->tries, 2);
    end_with(operation, peer);
}

static void connecting_has_a_timeout(void **state)
{
    (void)state;
    struct engine_options options = options_for(4);
    options.connect_timeout_us = 5 * SECOND;
    options.retries = 0;
    start_with(options);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int crowd[3];
    assert_int_equal(listen(listener, 0), 0); /* accepts one more connection; others hang */
    getsockname(listener, (struct sockaddr *)&address, &size);
    for (size_t i = 0; i < COUNT(crowd); i++) {
        crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(crowd[i], (struct sockaddr *)&address, size);
    }
    int64_t began_us = now_us;
    struct operation *operation = submit("POST", 30 * SECOND);
    for (settle(); !operation_outcome(operation);)
        move_to(engine_due_us(engine));
    assert_ended(operation, OUTCOME_TIMEOUT, false);
    assert_int_equal(now_us - began_us, 5 * SECOND);
    operation_free(operation);
    for (size_t i = 0; i < COUNT(crowd); i++)
        close(crowd[i]);
    end();
}

/* ---- cancelling and freeing ---- */

/* The states to which an operation is brought: the second of two in a window of one. */
enum life { QUEUED, IN_FLIGHT, PAUSED, DONE, LIVES };

static struct operation *ahead;
static int peer;

static struct operation *bring_to(enum life life)
{
    struct engine_options options = options_for(1);
    options.report_events = true;
    start_with(options);
    ahead = life == QUEUED ? submit("GET", 3600 * SECOND) : NULL;
    struct operation *operation = submit("GET", 3600 * SECOND);
    peer = take_request();
    if (life == PAUSED)
        answer(peer, 503, "Retry-After: 7\r\n");
    else if (life == DONE)
        answer(peer, 200, "");
    assert_int_equal(engine_stats(engine).in_flight, life <= IN_FLIGHT);
    assert_int_equal(operation_outcome(operation) != NULL, life == DONE);
    return operation;
}

static void take_events(void)
{
    struct event *event;
    while ((event = engine_next_event(engine)))
        free(event);
}

static void leave(void)
{
    if (ahead)
        operation_free(ahead);
    close(peer);
    take_events();
    end();
}

static void a_cancelled_operation_ends_at_once_and_is_listed_once(void **state)
{
    (void)state;
    for (enum life life = QUEUED; life < LIVES; life++) {
        struct operation *operation = bring_to(life);
        assert_int_equal(operation_cancel(operation), life != DONE);
        assert_ended(
            operation, life == DONE ? OUTCOME_RESPONSE : OUTCOME_CANCELLED, life != QUEUED);
        assert_false(operation_cancel(operation));
        unsigned before = sent();
        move_to(now_us + 3000 * SECOND);
        assert_int_equal(sent(), before);
        take_events();
        assert_listed((const int[]){1}, 1);
        operation_free(operation);
        leave();
    }
}

static void a_freed_operation_is_not_listed_and_sends_nothing(void **state)
{
    (void)state;
    for (enum life life = QUEUED; life < LIVES; life++) {
        struct operation *operation = bring_to(life);
        operation_free(operation);
        unsigned before = sent();
        move_to(now_us + 3000 * SECOND);
        assert_int_equal(sent(), before);
        struct event *event;
        while ((event = engine_next_event(engine))) { /* its events have lost their subject */
            if (life != QUEUED)
                assert_null(event->subject);
            free(event);
        }
        assert_null(engine_next_finished(engine));
        leave();
    }
}

static void freeing_an_operation_in_flight_frees_its_place(void **state)
{
    (void)state;
    start(1);
    struct operation *operation = submit("GET", 3600 * SECOND), *next = submit("GET", SECOND);
    close(take_request());
    operation_free(operation);
    int other = take_request();
    answer(other, 200, "");
    assert_ended(next, OUTCOME_RESPONSE, true);
    operation_free(next);
    close(other);
    end();
}

static void an_operation_can_be_listed_again(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", SECOND);
    int connection = take_request();
    answer(connection, 200, "");
    engine_relist(engine, 1); /* it is listed already */
    assert_listed((const int[]){1}, 1);
    engine_relist(engine, 1);
    engine_relist(engine, 1);
    assert_listed((const int[]){1}, 1);
    operation_free(operation);
    close(connection);
    end();
}

static void a_closed_engine_accepts_no_operation(void **state)
{
    (void)state;
    start(4);
    engine_close(engine);
    assert_null(submit("GET", SECOND));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_a_copy),
        cmocka_unit_test(a_header_of_the_request_replaces_the_engines),
        cmocka_unit_test(a_post_is_not_declared_as_a_form),
        cmocka_unit_test(an_answer_is_the_outcome),
        cmocka_unit_test(only_unprocessed_or_safe_requests_are_repeated),
        cmocka_unit_test(a_repetition_that_succeeds_is_a_success),
        cmocka_unit_test(a_refused_connection_is_retried_with_any_method),
        cmocka_unit_test(a_read_on_a_stale_connection_is_repeated_at_once),
        cmocka_unit_test(a_start_is_sent_on_a_new_connection),
        cmocka_unit_test(an_outage_exhausts_the_retry_quota),
        cmocka_unit_test(one_deadline_covers_all_tries),
        cmocka_unit_test(connecting_has_a_timeout),
        cmocka_unit_test(a_cancelled_operation_ends_at_once_and_is_listed_once),
        cmocka_unit_test(a_freed_operation_is_not_listed_and_sends_nothing),
        cmocka_unit_test(freeing_an_operation_in_flight_frees_its_place),
        cmocka_unit_test(an_operation_can_be_listed_again),
        cmocka_unit_test(a_closed_engine_accepts_no_operation),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
