/* long_test.c - long-running requests beside others, and bodies in parts. */
#include <fcntl.h>
#include <sys/mman.h>

#include "by_hand.h"

static void begin(unsigned max_in_flight, unsigned max_long)
{
    struct engine_options options = options_for(max_in_flight);
    options.max_long = max_long;
    start_with(options);
}

static struct operation *submit_long(const char *path, int64_t timeout_us)
{
    struct request asked = request_to("POST", path, timeout_us);
    asked.long_running = true;
    return operation_new(engine, &asked, 1);
}

/* Moves the clock without an event. */
static void pass(int64_t span_us)
{
    move_to(now_us + span_us);
}

static void assert_listed(bool ended, const struct operation *operation)
{
    assert_non_null(engine_next_finished(engine));
    assert_int_equal(operation_outcome(operation) != NULL, ended);
}

/* ---- long-running requests ---- */

static void they_have_places_beside_those_of_others(void **state)
{
    (void)state;
    begin(1, 1);
    struct operation *call = submit_to("GET", "a/", 30 * SECOND);
    struct operation *first = submit_long("b/", 100 * SECOND);
    struct operation *second = submit_long("b/", 100 * SECOND);
    int peers[] = {take_request(), take_request()};
    settle();
    assert_int_equal(sent(), 2);
    assert_int_equal(engine_stats(engine).in_flight, 1);
    assert_int_equal(engine_stats(engine).long_in_flight, 1);
    answer(peers[0], 200, "");
    answer(peers[1], 200, "");
    int third = take_request();
    assert_ended(call, OUTCOME_RESPONSE, true);
    assert_ended(first, OUTCOME_RESPONSE, true);
    assert_null(operation_outcome(second));
    answer(third, 200, "");
    assert_ended(second, OUTCOME_RESPONSE, true);
    assert_int_equal(engine_stats(engine).long_in_flight, 0);
    for (int i = 0; i < 2; i++)
        close(peers[i]);
    operation_free(call);
    operation_free(first);
    end_with(second, third);
}

static void the_deadline_counts_from_the_sending(void **state)
{
    (void)state;
    begin(4, 1);
    struct operation *first = submit_long("a/", 5000 * SECOND);
    struct operation *second = submit_long("a/", 10 * SECOND);
    int peer = take_request();
    pass(1000 * SECOND);
    assert_null(operation_outcome(second));
    answer(peer, 200, "");
    close(peer);
    int64_t sent_us = now_us;
    peer = take_request();
    move_to(sent_us + 10 * SECOND - 1);
    assert_null(operation_outcome(second));
    move_to(sent_us + 10 * SECOND);
    assert_ended(second, OUTCOME_TIMEOUT, true);
    assert_int_equal(engine_stats(engine).long_in_flight, 0);
    operation_free(first);
    end_with(second, peer);
}

static void they_are_listed_when_sent_and_at_the_end(void **state)
{
    (void)state;
    begin(4, 1);
    struct operation *operation = submit_long("a/", 10 * SECOND);
    assert_null(engine_next_finished(engine));
    int peer = take_request();
    assert_listed(false, operation);
    assert_null(engine_next_finished(engine));
    answer(peer, 200, "");
    assert_listed(true, operation);
    assert_null(engine_next_finished(engine));
    end_with(operation, peer);
}

static void cancelled_in_the_queue_they_are_never_sent(void **state)
{
    (void)state;
    begin(4, 1);
    struct operation *first = submit_long("a/", 10 * SECOND);
    struct operation *second = submit_long("a/", 10 * SECOND);
    int peer = take_request();
    operation_cancel(second);
    assert_ended(second, OUTCOME_CANCELLED, false);
    operation_cancel(first);
    assert_ended(first, OUTCOME_CANCELLED, true);
    settle();
    assert_int_equal(sent(), 1);
    assert_int_equal(engine_stats(engine).long_in_flight, 0);
    operation_free(second);
    end_with(first, peer);
}

static void they_end_with_the_engine(void **state)
{
    (void)state;
    begin(4, 1);
    struct operation *first = submit_long("a/", 10 * SECOND);
    struct operation *second = submit_long("a/", 10 * SECOND);
    int peer = take_request();
    engine_close(engine);
    assert_ended(first, OUTCOME_CLOSED, true);
    assert_ended(second, OUTCOME_CLOSED, false);
    operation_free(second);
    end_with(first, peer);
}

static void after_a_429_they_wait_as_long_as_it_asks_without_a_place(void **state)
{
    (void)state;
    begin(4, 1);
    struct operation *first = submit_long("a/", 100 * SECOND);
    int peer = take_request();
    answer(peer, 429, "Retry-After: 20\r\n");
    close(peer);
    assert_null(operation_outcome(first));
    assert_int_equal(engine_stats(engine).long_in_flight, 0);
    while (sent() < 2)
        move_to(engine_due_us(engine));
    peer = take_request();
    pass(99 * SECOND); /* the deadline begins again */
    assert_null(operation_outcome(first));
    answer(peer, 200, "");
    assert_ended(first, OUTCOME_RESPONSE, true);
    assert_int_equal(operation_outcome(first)->tries, 2);
    end_with(first, peer);
}

/* ---- bodies in parts ---- */

static int file_of(const char *text)
{
    int fd = memfd_create("part", 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static struct operation *submit_parts(const struct body_part *parts, size_t count)
{
    struct request asked = request_to("POST", "a/", 30 * SECOND);
    asked.parts = parts;
    asked.part_count = count;
    return operation_new(engine, &asked, 1);
}

/* Takes the next request, and asserts that its body is this text. */
static int take_body(const char *text)
{
    char bytes[2000] = "";
    size_t length = 0;
    struct pollfd watched = {.fd = listener, .events = POLLIN};
    while (poll(&watched, 1, 0) == 0)
        step();
    int peer = accept(listener, NULL, NULL);
    const char *body = NULL;
    while (!body || strlen(body + 4) < strlen(text)) {
        struct pollfd readable = {.fd = peer, .events = POLLIN};
        while (poll(&readable, 1, 0) == 0)
            step();
        ssize_t got = read(peer, bytes + length, sizeof bytes - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        bytes[length] = '\0';
        body = strstr(bytes, "\r\n\r\n");
    }
    assert_string_equal(body + 4, text);
    char line[60];
    snprintf(line, sizeof line, "Content-Length: %zu\r\n", strlen(text));
    assert_non_null(strstr(bytes, line));
    return peer;
}

/* How many descriptors refer to the file of this one. */
static unsigned count_copies(int fd)
{
    char own[100], other[100], path[40];
    unsigned count = 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, own, sizeof own);
    for (int each = 0; each < 100; each++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", each);
        ssize_t found = readlink(path, other, sizeof other);
        count += found == length && memcmp(own, other, (size_t)length) == 0;
    }
    return count;
}

static void parts_are_sent_in_their_order_and_again_from_the_start(void **state)
{
    (void)state;
    start(4);
    int fd = file_of("file"), empty = memfd_create("empty", 0);
    const struct body_part parts[] = {{.bytes = "a ", .length = 2}, {.fd = fd, .length = 4},
        {.fd = empty, .length = 0}, {.bytes = "", .length = 0}, {.bytes = " z ", .length = 3},
        {.fd = fd, .length = 2}};
    struct operation *operation = submit_parts(parts, COUNT(parts));
    assert_int_equal(count_copies(fd), 3);
    int peer = take_body("a file z fi");
    answer(peer, 429, "Retry-After: 1\r\n");
    close(peer);
    while (sent() < 2)
        move_to(engine_due_us(engine));
    peer = take_body("a file z fi");
    answer(peer, 200, "");
    assert_ended(operation, OUTCOME_RESPONSE, true);
    assert_int_equal(count_copies(fd), 1); /* before the operation is freed */
    close(fd);
    close(empty);
    end_with(operation, peer);
}

static void a_file_that_shrinks_ends_the_request(void **state)
{
    (void)state;
    start(4);
    int fd = file_of("file");
    const struct body_part parts[] = {{.fd = fd, .length = 4}, {.fd = fd, .length = 4}};
    struct operation *operation = submit_parts(parts, COUNT(parts));
    assert_int_equal(ftruncate(fd, 1), 0);
    while (!operation_outcome(operation))
        step();
    const struct outcome *outcome = operation_outcome(operation);
    assert_int_equal(outcome->kind, OUTCOME_NETWORK);
    assert_string_equal(outcome->message, "a file of the body could not be read to its end");
    assert_int_equal(outcome->tries, 1);
    assert_int_equal(count_copies(fd), 1);
    close(fd);
    operation_free(operation);
    end();
}

static void files_are_closed_however_the_request_ends(void **state)
{
    (void)state;
    start(1);
    int fd = file_of("file");
    const struct body_part parts[] = {{.fd = fd, .length = 4}};
    struct operation *operations[3];
    for (int i = 0; i < 3; i++)
        operations[i] = submit_parts(parts, 1);
    assert_int_equal(count_copies(fd), 4);
    operation_cancel(operations[0]);
    operation_cancel(operations[1]);
    assert_int_equal(count_copies(fd), 2);
    engine_close(engine);
    assert_int_equal(count_copies(fd), 1);
    for (int i = 0; i < 3; i++)
        operation_free(operations[i]);
    close(fd);
    end();
}

static void a_descriptor_that_cannot_be_copied_leaves_none(void **state)
{
    (void)state;
    start(1);
    int fd = file_of("file");
    const struct body_part bad[] = {{.fd = fd, .length = 4}, {.fd = -1, .length = 4}};
    assert_null(submit_parts(bad, 2));
    assert_int_equal(count_copies(fd), 1);
    close(fd);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_have_places_beside_those_of_others),
        cmocka_unit_test(the_deadline_counts_from_the_sending),
        cmocka_unit_test(they_are_listed_when_sent_and_at_the_end),
        cmocka_unit_test(cancelled_in_the_queue_they_are_never_sent),
        cmocka_unit_test(they_end_with_the_engine),
        cmocka_unit_test(after_a_429_they_wait_as_long_as_it_asks_without_a_place),
        cmocka_unit_test(parts_are_sent_in_their_order_and_again_from_the_start),
        cmocka_unit_test(a_file_that_shrinks_ends_the_request),
        cmocka_unit_test(files_are_closed_however_the_request_ends),
        cmocka_unit_test(a_descriptor_that_cannot_be_copied_leaves_none),
    };
    alarm(60); /* ends a hang */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
