/* transfer_test.c - the result of one try: every kind of answer, and its connection. Bodies in
 * every coding are tested in decoder_test.c, heads in head_test.c. */
#include "by_hand.h"
#include "coded.h"
#include "engine/transfer.h"

#define GZIPPED                                                                                    \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56" \
    "\x07\x00\x00\x00" /* {"a":1} */
#define OK "HTTP/1.1 200 OK\r\n"
#define CODED(encoding, length)                                                                    \
    OK "Content-Encoding: " encoding "\r\nContent-Length: " #length "\r\n\r\n"

/* A reply that contains zero bytes. */
#define BYTES(text, ending)                                                                        \
    {                                                                                              \
        text, ending, sizeof text - 1                                                              \
    }

static const struct row {
    const char *method;
    struct reply reply;
    enum outcome_kind kind;
    int status;
    const char *body;
} rows[] = {
    /* Complete, by each way to delimit a body. */
    {"GET", {OK "Content-Length: 2\r\n\r\n{}", KEEP, 0}, OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {OK "Content-Length: 2\r\n\r\n{}", CUT, 0}, OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {OK "Content-Length: 0\r\n\r\n", KEEP, 0}, OUTCOME_RESPONSE, 200, ""},
    {"GET", {OK "\r\n{}", CUT, 0}, OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {"HTTP/1.0 200 OK\r\n\r\n{}", CUT, 0}, OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {OK "Content-Length: 2\r\n\r\n{} and more", KEEP, 0}, OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {OK "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", KEEP, 0},
        OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", KEEP, 0},
        OUTCOME_RESPONSE, 200, "{}"},
    {"GET",
        {"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" OK "Content-Length: 2\r\n\r\n{}", KEEP, 0},
        OUTCOME_RESPONSE, 200, "{}"},
    {"GET", {"HTTP/1.1 204 No Content\r\n\r\n", KEEP, 0}, OUTCOME_RESPONSE, 204, ""},
    {"GET", {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", KEEP, 0}, OUTCOME_RESPONSE,
        304, ""},
    {"HEAD", {OK "Content-Length: 2000\r\n\r\n", KEEP, 0}, OUTCOME_RESPONSE, 200, ""},
    /* A redirect, which must not carry the key elsewhere. */
    {"GET", {"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", KEEP, 0},
        OUTCOME_RESPONSE, 302, ""},
    {"POST", {"HTTP/1.1 303 See\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", KEEP, 0},
        OUTCOME_RESPONSE, 303, ""},

    /* No answer. */
    {"GET", {NULL, CUT, 0}, OUTCOME_NETWORK, 0, ""},
    {"GET", {NULL, RESET, 0}, OUTCOME_NETWORK, 0, ""},
    {"GET", {OK "Content-Le", CUT, 0}, OUTCOME_NETWORK, 0, ""},
    {"GET", {OK "Content-Length: 2\r\n", RESET, 0}, OUTCOME_NETWORK, 0, ""},
    {"GET", {"HTTP/1.1 100 Continue\r\n\r\n", CUT, 0}, OUTCOME_NETWORK, 0, ""},

    /* The head of an answer. */
    {"GET", {OK "Content-Length: 9\r\n\r\nhalf", CUT, 0}, OUTCOME_TRUNCATED, 200, "half"},
    {"GET", {OK "Content-Length: 9\r\n\r\nhalf", RESET, 0}, OUTCOME_TRUNCATED, 200, "half"},
    {"GET", {OK "Content-Length: 9\r\n\r\n", CUT, 0}, OUTCOME_TRUNCATED, 200, ""},
    {"GET", {OK "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", CUT, 0}, OUTCOME_TRUNCATED, 200,
        "half"},
    {"GET", {"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf", CUT, 0}, OUTCOME_TRUNCATED, 500,
        "half"},

    /* Not HTTP. */
    {"GET", {"SSH-2.0-OpenSSH_9.2\r\n", CUT, 0}, OUTCOME_MALFORMED, 0, ""},
    {"GET", {"{}", CUT, 0}, OUTCOME_MALFORMED, 0, ""},
    {"GET", {OK " X-A: b\r\nContent-Length: 0\r\n\r\n", KEEP, 0}, OUTCOME_MALFORMED, 200, ""},

    /* Content codings. */
    {"GET", BYTES(CODED("gzip", 27) GZIPPED, KEEP), OUTCOME_RESPONSE, 200, "{\"a\":1}"},
    {"GET", BYTES(CODED("identity", 2) "{}", KEEP), OUTCOME_RESPONSE, 200, "{}"},
    {"GET", BYTES("HTTP/1.1 204 None\r\nContent-Encoding: br\r\n\r\n", KEEP), OUTCOME_RESPONSE, 204,
        ""},
    {"HEAD", BYTES(CODED("gzip", 27), KEEP), OUTCOME_RESPONSE, 200, ""},
    {"GET", BYTES(CODED("gzip", 7) "{\"a\":1}", KEEP), OUTCOME_GARBLED, 200, ""},
    {"GET", BYTES(CODED("gzip", 10) "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03", KEEP),
        OUTCOME_GARBLED, 200, ""},
    {"GET", BYTES(CODED("gzip", 0), KEEP), OUTCOME_GARBLED, 200, ""},
    {"GET", BYTES(CODED("br", 2) "{}", KEEP), OUTCOME_GARBLED, 200, ""},
    {"GET", BYTES(CODED("gzip, gzip", 27) GZIPPED, KEEP), OUTCOME_ENCODED, 200, ""},
    {"GET", BYTES(CODED("gzip", 27) GZIPPED, CUT), OUTCOME_RESPONSE, 200, "{\"a\":1}"},
    {"GET", BYTES(CODED("gzip", 28) GZIPPED, CUT), OUTCOME_TRUNCATED, 200, "{\"a\":1}"},
    {"GET", {OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", KEEP, 0}, OUTCOME_GARBLED, 200,
        ""},
};

static void start_without_repetitions(size_t max_response)
{
    struct engine_options options = options_for(4);
    options.retries = 0;
    options.max_response = max_response;
    start_with(options);
}

static void assert_row(const struct row *row, const struct operation *operation)
{
    const struct outcome *outcome = operation_outcome(operation);
    if (!outcome)
        fail_msg("row %zu has not ended", (size_t)(row - rows));
    bool right_body = outcome->body.length == strlen(row->body) &&
                      memcmp(row->body, outcome->body.length ? outcome->body.bytes : "",
                          outcome->body.length) == 0;
    bool right_message = (outcome->message == NULL) == (outcome->kind == OUTCOME_RESPONSE);
    if (outcome->kind != row->kind || outcome->status != row->status || !right_body ||
        !right_message || !outcome->sent)
        fail_msg("row %zu: kind %d, status %d, body \"%.*s\", message \"%s\", %s",
            (size_t)(row - rows), outcome->kind, outcome->status, (int)outcome->body.length,
            outcome->body.length ? outcome->body.bytes : "",
            outcome->message ? outcome->message : "none", outcome->sent ? "sent" : "not sent");
}

static void each_answer_gives_its_kind_of_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        start_without_repetitions(1000);
        struct operation *operation = submit(rows[i].method, SECOND);
        int peer = give(take_request(), rows[i].reply);
        assert_row(&rows[i], operation);
        assert_int_equal(sent(), 1);
        operation_free(operation);
        if (peer >= 0)
            close(peer);
        end();
    }
}

/* The last head, status line first, and the trailers. */
static void the_head_is_returned_as_received(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", SECOND);
    int peer = take_request();
    write_answer(peer, "HTTP/1.1 103 Early\r\nX-A: 0\r\n\r\nHTTP/1.1 200 Fine\r\nx-a:  1\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n0\r\nX-B: 2\r\n\r\n");
    assert_ended(operation, OUTCOME_RESPONSE, true);
    const struct buffer *headers = &operation_outcome(operation)->headers;
    static const char expected[] = "HTTP/1.1 200 Fine\r\nx-a:  1\r\nTransfer-Encoding: chunked\r\n";
    assert_memory_equal(headers->bytes, expected, strlen(expected));
    assert_non_null(memmem(headers->bytes, headers->length, "X-B: 2", 6));
    end_with(operation, peer);
}

/* An interim answer (1xx) is not an answer. */
static void an_interim_answer_gives_no_status(void **state)
{
    (void)state;
    start(4);
    struct operation *operation = submit("GET", SECOND);
    int peer = take_request();
    write_answer(peer, "HTTP/1.1 103 Early Hints\r\n\r\n");
    move_to(now_us + SECOND);
    assert_ended(operation, OUTCOME_TIMEOUT, true);
    assert_int_equal(operation_outcome(operation)->status, 0);
    end_with(operation, peer);
}

static void retry_after_is_parsed_with_any_status(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *header;
        int64_t span_us;
    } asked[] = {
        {200, "", -1},
        {200, "Retry-After: 7\r\n", 7 * SECOND},
        {404, "Retry-After: 0\r\n", 0},
        {500, "Retry-After: soon\r\n", -1},
        {503, "Retry-After: 60\r\n", 60 * SECOND},
    };
    for (size_t i = 0; i < COUNT(asked); i++) {
        start_without_repetitions(1000);
        struct operation *operation = submit("GET", SECOND);
        int peer = take_request();
        answer(peer, asked[i].status, asked[i].header);
        assert_int_equal(operation_outcome(operation)->retry_after_us, asked[i].span_us);
        operation_free(operation);
        close(peer);
        end();
    }
}

/* ---- limits ---- */

static void assert_too_large(const char *bytes, size_t length, size_t kept)
{
    start_without_repetitions(1000);
    struct operation *operation = submit("GET", SECOND);
    int peer = take_request();
    for (size_t written = 0; !operation_outcome(operation);) {
        if (written < length) {
            ssize_t part =
                send(peer, bytes + written, length - written, MSG_DONTWAIT | MSG_NOSIGNAL);
            written += part > 0 ? (size_t)part : 0;
        }
        step();
    }
    assert_ended(operation, OUTCOME_TOO_LARGE, true);
    assert_int_equal(operation_outcome(operation)->body.length, kept);
    assert_non_null(operation_outcome(operation)->message);
    end_with(operation, peer);
}

static void a_body_is_limited(void **state)
{
    (void)state;
    static const char *const heads[] = {OK "\r\n", OK "Content-Length: 1001\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"};
    for (size_t i = 0; i < COUNT(heads); i++) {
        char bytes[2000] = "";
        size_t length = strlen(heads[i]);
        memcpy(bytes, heads[i], length);
        memset(bytes + length, 'a', 1001);
        assert_too_large(bytes, length + 1001, 1000); /* what fits is kept */
    }
    static const char announced[] = OK "Content-Length: 1001\r\n\r\na";
    assert_too_large(announced, strlen(announced), 1); /* ends before the rest arrives */
}

static void a_body_of_exactly_the_limit_is_accepted(void **state)
{
    (void)state;
    char bytes[1100] = OK "Content-Length: 1000\r\n\r\n";
    memset(bytes + strlen(bytes), 'a', 1000);
    start_without_repetitions(1000);
    struct operation *operation = submit("GET", SECOND);
    int peer = give(take_request(), (struct reply){bytes, KEEP, 0});
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(operation)->body.length, 1000);
    end_with(operation, peer);
}

static char zeros[1 << 20];

static void add_zipped_zeros(struct bytes *in, size_t length)
{
    static struct bytes body;
    char head[100];
    body.length = in->length = 0;
    add_coded(&body, GZIP, zeros, length);
    snprintf(
        head, sizeof head, OK "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", body.length);
    add(in, head, strlen(head));
    add(in, body.data, body.length);
}

/* Otherwise a few bytes could expand to fill the memory. */
static void the_limit_counts_decoded_bytes(void **state)
{
    (void)state;
    static struct bytes in;
    add_zipped_zeros(&in, 2000);
    assert_too_large(in.data, in.length, 1000);
}

static void a_head_is_limited(void **state)
{
    (void)state;
    static const struct {
        size_t lines, length;
    } heads[] = {{5000, 10}, {10, 60000}, {1, 200000}};
    for (size_t i = 0; i < COUNT(heads); i++) {
        size_t room = strlen(OK) + heads[i].lines * heads[i].length;
        char *bytes = malloc(room + 1), *end_of_bytes = stpcpy(bytes, OK);
        for (size_t line = 0; line < heads[i].lines; line++) {
            memset(end_of_bytes, 'a', heads[i].length);
            end_of_bytes[1] = ':';
            end_of_bytes += heads[i].length;
            memcpy(end_of_bytes - 2, "\r\n", 2);
        }
        assert_too_large(bytes, room, 0);
        free(bytes);
    }
}

/* ---- slices ---- */

/* A step reads 256 KiB of decoded bytes at most, from however few bytes they come. */
static void a_large_body_takes_several_steps(void **state)
{
    (void)state;
    static struct bytes in;
    add_zipped_zeros(&in, sizeof zeros);
    start_without_repetitions(sizeof zeros);
    struct operation *large = submit("GET", SECOND);
    int peer = take_request();
    struct operation *small = submit("GET", SECOND);
    int other = take_request();
    struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
    peer_write_bytes(peer, in.data, in.length);
    peer_answer(other, 200, "", "");
    unsigned steps = 0;
    for (; !operation_outcome(large); steps++) {
        assert_true(poll(&watched, 1, 10000) > 0); /* what is left is due at once */
        engine_step(engine, 0);
    }
    assert_in_range(steps, 4, 20);
    assert_ended(large, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(large)->body.length, sizeof zeros);
    assert_memory_equal(operation_outcome(large)->body.bytes, zeros, sizeof zeros);
    assert_ended(small, OUTCOME_RESPONSE, true); /* it did not wait for the large one */
    operation_free(large);
    operation_free(small);
    close(peer);
    close(other);
    end();
}

static void a_paused_transfer_can_be_ended(void **state)
{
    (void)state;
    static struct bytes in;
    add_zipped_zeros(&in, sizeof zeros);
    for (int way = 0; way < 3; way++) {
        start_without_repetitions(sizeof zeros);
        struct operation *operation = submit("GET", SECOND);
        int peer = take_request();
        struct pollfd watched = {.fd = engine_fd(engine), .events = POLLIN};
        peer_write_bytes(peer, in.data, in.length);
        assert_true(poll(&watched, 1, 10000) > 0);
        engine_step(engine, 0);
        assert_null(operation_outcome(operation));
        if (way == 0)
            operation_cancel(operation);
        else if (way == 1)
            engine_close(engine);
        if (way < 2)
            assert_ended(operation, way == 0 ? OUTCOME_CANCELLED : OUTCOME_CLOSED, true);
        engine_step(engine, 0);
        operation_free(operation);
        engine_step(engine, 0);
        close(peer);
        end();
    }
}

/* ---- connections ---- */

static unsigned connections_of_three(const char *header)
{
    start_without_repetitions(1000);
    char head[1000];
    int peer = -1;
    for (int i = 0; i < 3; i++) {
        struct operation *operation = submit("GET", SECOND);
        peer = next_request(peer, head, sizeof head);
        answer(peer, 200, header);
        assert_ended(operation, OUTCOME_RESPONSE, true);
        operation_free(operation);
    }
    unsigned connections = (unsigned)engine_stats(engine).connections;
    close(peer);
    end();
    return connections;
}

static void a_connection_is_reused(void **state)
{
    (void)state;
    assert_int_equal(connections_of_three(""), 1);
    assert_int_equal(connections_of_three("Connection: close\r\n"), 3);
}

static void a_connection_with_a_truncated_answer_is_not_reused(void **state)
{
    (void)state;
    char head[1000];
    start_without_repetitions(1000);
    struct operation *first = submit("GET", SECOND);
    int peer = take_request();
    write_answer(peer, OK "Content-Length: 9\r\n\r\nhalf");
    operation_cancel(first);
    struct operation *second = submit("GET", SECOND);
    int other = next_request(-1, head, sizeof head);
    answer(other, 200, "");
    assert_ended(second, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(second)->body.length, 0);
    operation_free(first);
    operation_free(second);
    close(peer);
    close(other);
    end();
}

/* Whether the engine opens a new connection. */
static bool is_connecting(void)
{
    struct pollfd fd = {.fd = listener, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* libcurl must not take them for the answer to the next request. A newer one detects them before it
 * sends, and opens another connection at once. */
static void unsolicited_bytes_are_not_an_answer(void **state)
{
    (void)state;
    start(4);
    struct operation *first = submit("GET", SECOND);
    int peer = take_request();
    answer(peer, 200, "");
    peer_answer(peer, 200, "", "false");
    usleep(10000);
    struct operation *second = submit("GET", SECOND);
    settle();
    while (!is_connecting())
        move_to(engine_due_us(engine));
    int other = take_request();
    answer(other, 200, "");
    assert_ended(second, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(second)->body.length, 0);
    operation_free(first);
    operation_free(second);
    close(peer);
    close(other);
    end();
}

/* libcurl reads 4,096 bytes at once, so what follows an answer of that size is left in the
 * socket. The next request is sent in the same step, before the loop could notice. */
static void bytes_behind_a_full_read_are_not_an_answer(void **state)
{
    (void)state;
    static const char head[] = OK "Content-Length: 4055\r\n\r\n";
    static const char more[] = OK "Content-Length: 5\r\n\r\nfalse";
    static char both[4096 + sizeof more];
    size_t length = strlen(head) + 4055;
    struct engine_options options = options_for(1);
    memset(both, 'x', length);
    memcpy(both, head, strlen(head));
    memcpy(both + length, more, sizeof more);
    assert_int_equal(length, 4096);
    options.max_response = 5000;
    start_with(options);
    struct operation *first = submit("GET", SECOND), *second = submit("GET", SECOND);
    int peer = take_request();
    write_answer(peer, both);
    assert_ended(first, OUTCOME_RESPONSE, true);
    while (!is_connecting())
        move_to(engine_due_us(engine));
    int other = take_request();
    answer(other, 200, "");
    assert_ended(second, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(second)->body.length, 0);
    operation_free(first);
    operation_free(second);
    close(peer);
    close(other);
    end();
}

static void received_bytes_are_counted(void **state)
{
    (void)state;
    static const char text[] = OK "Content-Length: 2\r\n\r\n{}";
    start(4);
    struct operation *operation = submit("GET", SECOND);
    int peer = take_request();
    assert_int_equal(engine_stats(engine).bytes_in, 0);
    write_answer(peer, text);
    assert_int_equal(engine_stats(engine).bytes_in, strlen(text));
    end_with(operation, peer);
}

/* ---- handles ---- */

static void handles_are_spoiled_from_7_84_0_to_8_0_1(void **state)
{
    (void)state;
    assert_false(transfer_spoils_handle(0x075301));
    assert_true(transfer_spoils_handle(0x075400));
    assert_true(transfer_spoils_handle(0x075801)); /* Debian 12 */
    assert_true(transfer_spoils_handle(0x080001));
    assert_false(transfer_spoils_handle(0x080100));
    assert_false(transfer_spoils_handle(0x080e01)); /* Debian 13 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_gives_its_kind_of_outcome),
        cmocka_unit_test(the_head_is_returned_as_received),
        cmocka_unit_test(an_interim_answer_gives_no_status),
        cmocka_unit_test(retry_after_is_parsed_with_any_status),
        cmocka_unit_test(a_body_is_limited),
        cmocka_unit_test(a_body_of_exactly_the_limit_is_accepted),
        cmocka_unit_test(the_limit_counts_decoded_bytes),
        cmocka_unit_test(a_head_is_limited),
        cmocka_unit_test(a_large_body_takes_several_steps),
        cmocka_unit_test(a_paused_transfer_can_be_ended),
        cmocka_unit_test(a_connection_is_reused),
        cmocka_unit_test(a_connection_with_a_truncated_answer_is_not_reused),
        cmocka_unit_test(unsolicited_bytes_are_not_an_answer),
        cmocka_unit_test(bytes_behind_a_full_read_are_not_an_answer),
        cmocka_unit_test(received_bytes_are_counted),
        cmocka_unit_test(handles_are_spoiled_from_7_84_0_to_8_0_1),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
