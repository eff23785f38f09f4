/* window.c - which of the requests that wait is sent next; see window.h. */
#include "window.h"

#include "clock.h"

/* While polls are due, no more than so many places in a row are given to others. */
#define OTHERS_IN_A_ROW 3

/* Each of these has a timer in libcurl, by which it tries another address after a fifth of a
 * second. When they run out together, libcurl goes on with all of those handshakes in one call. */
#define CONNECTING_AT_ONCE 32

void window_count_waiter(struct window *window, int change)
{
    if (change > 0 || window->waiters > 0)
        window->waiters = (unsigned)((int)window->waiters + change);
}

bool window_takes_polls(const struct window *window)
{
    return window->waiters > 0;
}

/* The first of the polls that are due. */
static struct turn *due_poll(const struct window *window)
{
    return window_takes_polls(window) ? endpoint_first(&window->endpoints, PRIORITY_POLL) : NULL;
}

/* One place is never a poll's, of those in flight as of those that connect. */
static bool polls_have_place(const struct window *window, unsigned connecting)
{
    return (window->polls_in_flight == 0 || window->polls_in_flight + 1 < window->max_in_flight) &&
           connecting + 1 < CONNECTING_AT_ONCE;
}

struct turn *window_next(const struct window *window, unsigned connecting)
{
    if (window->in_flight >= window->max_in_flight || connecting >= CONNECTING_AT_ONCE)
        return NULL;
    struct turn *poll = polls_have_place(window, connecting) ? due_poll(window) : NULL;
    struct turn *next = endpoint_first(&window->endpoints, PRIORITY_URGENT);
    if (!next && !(poll && window->others_in_a_row >= OTHERS_IN_A_ROW))
        next = endpoint_first(&window->endpoints, PRIORITY_CALL);
    return next ? next : poll;
}

int64_t window_opens_us(const struct window *window)
{
    int64_t rested_us = rest_until_us(&window->rest);
    return rested_us > window->pace.next_us ? rested_us : window->pace.next_us;
}

int64_t window_certain_us(const struct window *window, const struct turn *turn)
{
    int64_t rested_us = rest_certain_us(&window->rest), held_us = turn->endpoint->held_us;
    return held_us > rested_us ? held_us : rested_us;
}

void window_enter(struct window *window, struct turn *turn)
{
    bool is_poll = turn->priority == PRIORITY_POLL;
    turn->sent_us = clock_monotonic_us();
    pace_sent(&window->pace, turn->sent_us);
    turn->tests = rest_test(&window->rest, turn->sent_us);
    if (is_poll)
        window->others_in_a_row = 0;
    else if (due_poll(window))
        window->others_in_a_row++;
    window->polls_in_flight += is_poll;
    if (++window->in_flight > window->most_in_flight)
        window->most_in_flight = window->in_flight;
}

void window_leave(struct window *window, struct turn *turn)
{
    window->in_flight--;
    window->polls_in_flight -= turn->priority == PRIORITY_POLL;
    if (turn->tests) /* no answer has come */
        rest_test_again(&window->rest, clock_monotonic_us());
    turn->tests = false;
}

/* It may be about all that the client sends, so that rests, too, and less than before is sent
 * afterwards; unless the endpoint's last answer was a 429 already: then it is about this endpoint,
 * for others have been taken since, or will show. */
void window_refused(struct window *window, struct turn *turn, int64_t span_us)
{
    struct endpoint *endpoint = turn->endpoint;
    int64_t now_us = clock_monotonic_us();
    if (!endpoint->refused) {
        if (window->rest.state == REST_NONE || turn->tests)
            rest_begin(&window->rest, now_us, span_us);
        pace_slow_down(&window->pace, now_us, turn->sent_us, rest_certain_us(&window->rest));
    } else if (turn->tests) {
        rest_test_again(&window->rest, now_us);
    }
    turn->tests = false;
    endpoint->refused = true;
    endpoint_hold(endpoint, now_us + span_us);
}

void window_accepted(struct window *window, struct turn *turn)
{
    turn->endpoint->refused = false;
    if (turn->tests)
        rest_end(&window->rest);
    turn->tests = false;
}
