/* guest_test.c - sockets of another part in an engine's loop. */
#include "engine/engine.h"
#include "engine/guest.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct engine *engine;

/* A guest that counts what it is told, and an item of it. */
static struct {
    struct guest guest;
    struct timer timer;
    struct item item;
    int sockets[2]; /* the guest's, and its peer's */
    uint32_t events;
    int calls, timeouts, ends;
} part;

static void on_ready(struct guest *guest, uint32_t events)
{
    char byte;
    assert_ptr_equal(guest, &part.guest);
    part.calls++;
    part.events = events;
    if (events & EPOLLIN)
        assert_int_equal(read(guest->fd, &byte, 1), 1);
}

static void on_time(struct timer *timer)
{
    assert_ptr_equal(timer, &part.timer);
    part.timeouts++;
    guest_list(engine, &part.item);
}

static void on_end(struct item *item)
{
    assert_ptr_equal(item, &part.item);
    part.ends++;
    guest_list(engine, item);
}

static int set_up(void **state)
{
    const struct engine_options options = {.max_in_flight = 1, .max_response = 1024};
    const char *message;
    (void)state;
    memset(&part, 0, sizeof part);
    engine = engine_new(&options, &message);
    part.guest.ready = on_ready;
    part.timer.fire = on_time;
    part.item = (struct item){.kind = ITEM_GUEST, .ref = 7, .end = on_end};
    assert_non_null(engine);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, part.sockets), 0);
    guest_enter(engine);
    guest_move_in(&part.guest, engine);
    guest_register(engine, &part.item);
    assert_true(guest_reserve_timer(engine));
    assert_true(guest_watch(&part.guest, part.sockets[0], EPOLLIN));
    guest_leave(engine);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    engine_close(engine);
    guest_enter(engine);
    guest_stop_timer(engine, &part.timer);
    guest_unreserve_timer(engine);
    guest_forget(engine, &part.item);
    guest_move_out(&part.guest);
    guest_leave(engine);
    engine_free(engine);
    close(part.sockets[0]);
    close(part.sockets[1]);
    return 0;
}

static bool is_readable(void)
{
    struct pollfd readable = {.fd = engine_fd(engine), .events = POLLIN};
    return poll(&readable, 1, 0) == 1;
}

static void send_byte(void)
{
    assert_int_equal(write(part.sockets[1], "x", 1), 1);
}

static void watch(uint32_t events)
{
    guest_enter(engine);
    assert_true(guest_watch(&part.guest, part.sockets[0], events));
    guest_leave(engine);
}

static void input_is_served_in_a_step(void **state)
{
    (void)state;
    engine_step(engine, 0);
    assert_int_equal(part.calls, 0);
    assert_false(is_readable());
    send_byte();
    assert_true(is_readable());
    engine_step(engine, 0);
    assert_int_equal(part.calls, 1);
    assert_int_equal(part.events, EPOLLIN);
    engine_step(engine, 0);
    assert_int_equal(part.calls, 1);
}

static void only_what_is_watched_is_reported(void **state)
{
    (void)state;
    watch(EPOLLIN | EPOLLOUT);
    engine_step(engine, 0);
    assert_int_equal(part.events, EPOLLOUT);
    watch(0);
    send_byte();
    assert_false(is_readable());
    engine_step(engine, 0);
    assert_int_equal(part.calls, 1);
    watch(EPOLLIN);
    engine_step(engine, 0);
    assert_int_equal(part.calls, 2);
}

static void a_timer_that_is_set_wakes_the_host(void **state)
{
    (void)state;
    assert_false(engine_is_busy(engine));
    guest_enter(engine);
    guest_set_timer(engine, &part.timer, 0);
    guest_leave(engine);
    assert_true(engine_is_busy(engine));
    assert_true(is_readable());
    engine_step(engine, 0);
    assert_int_equal(part.timeouts, 1);
}

static void a_listed_item_is_fetched(void **state)
{
    (void)state;
    assert_null(engine_next_finished(engine));
    guest_enter(engine);
    guest_list(engine, &part.item);
    guest_leave(engine);
    struct item *item = engine_next_finished(engine);
    assert_ptr_equal(item, &part.item);
    assert_int_equal(item->ref, 7);
    assert_null(engine_next_finished(engine));
}

static void a_closed_engine_ends_items_and_watches_nothing(void **state)
{
    (void)state;
    engine_close(engine);
    assert_int_equal(part.ends, 1);
    assert_ptr_equal(engine_next_finished(engine), &part.item);
    guest_enter(engine);
    assert_false(guest_may_work(engine));
    assert_true(guest_watch(&part.guest, part.sockets[0], EPOLLOUT));
    guest_leave(engine);
    send_byte();
    engine_step(engine, 0);
    assert_int_equal(part.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(input_is_served_in_a_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_watched_is_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_is_set_wakes_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_listed_item_is_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_closed_engine_ends_items_and_watches_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
