/* window.c - which of the queued requests is sent next, and when; see window.h. */
#include "window.h"

#include "clock.h"

/* How many requests in a row go before the polls that are due. */
#define MAX_OTHERS_IN_A_ROW 3

/* For each connecting transfer libcurl has a timer, after which it tries another address (200 ms).
 * When timers expire together, libcurl continues all of those transfers in one call. */
#define MAX_CONNECTING 32

void window_count_waiter(struct window *window, int change)
{
    if (change > 0 || window->waiters > 0)
        window->waiters = (unsigned)((int)window->waiters + change);
}

bool window_takes_polls(const struct window *window)
{
    return window->waiters > 0;
}

/* The first poll that is due, or NULL. */
static struct turn *due_poll(const struct window *window)
{
    return window_takes_polls(window) ? endpoint_first(&window->endpoints, PRIORITY_POLL) : NULL;
}

/* Polls leave one place free, both in flight and connecting. */
static bool polls_have_place(const struct window *window, unsigned connecting)
{
    return (window->polls_in_flight == 0 || window->polls_in_flight + 1 < window->max_in_flight) &&
           connecting + 1 < MAX_CONNECTING;
}

struct turn *window_next(const struct window *window, unsigned connecting)
{
    if (connecting >= MAX_CONNECTING)
        return NULL;
    struct turn *first = window->long_in_flight < window->max_long
                             ? endpoint_first(&window->endpoints, PRIORITY_LONG)
                             : NULL;
    if (window->in_flight >= window->max_in_flight)
        return first;
    struct turn *poll = polls_have_place(window, connecting) ? due_poll(window) : NULL;
    struct turn *next = endpoint_first(&window->endpoints, PRIORITY_URGENT);
    if (!next)
        next = first;
    if (!next && !(poll && window->others_in_a_row >= MAX_OTHERS_IN_A_ROW))
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
    turn->is_probe = rest_probe(&window->rest, turn->sent_us);
    if (turn->priority == PRIORITY_LONG) {
        window->long_in_flight++;
        return;
    }
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
    if (turn->priority == PRIORITY_LONG)
        window->long_in_flight--;
    else
        window->in_flight--;
    window->polls_in_flight -= turn->priority == PRIORITY_POLL;
    if (turn->is_probe) /* the probe had no answer */
        rest_probe_again(&window->rest, clock_monotonic_us());
    turn->is_probe = false;
}

/* A first 429 of an endpoint may be meant for the whole client, so the client rests and then slows
 * down. A further 429 is meant for the endpoint alone: requests to other endpoints have been
 * accepted since, or their own answers will show. */
static void slow_down(struct window *window, struct turn *turn, int64_t now_us, int64_t span_us)
{
    if (!turn->endpoint->refused) {
        if (window->rest.state == REST_NONE || turn->is_probe)
            rest_begin(&window->rest, now_us, span_us);
        pace_slow_down(&window->pace, now_us, turn->sent_us, rest_certain_us(&window->rest));
    } else if (turn->is_probe) {
        rest_probe_again(&window->rest, now_us);
    }
    turn->is_probe = false;
    turn->endpoint->refused = true;
}

void window_refused(struct window *window, struct turn *turn, int64_t span_us)
{
    int64_t now_us = clock_monotonic_us();
    slow_down(window, turn, now_us, span_us);
    endpoint_refused(turn->endpoint, now_us + span_us);
}

void window_hold(struct window *window, struct endpoint *endpoint, int64_t span_us)
{
    int64_t now_us = clock_monotonic_us();
    struct turn turn = {.endpoint = endpoint, .sent_us = now_us};
    slow_down(window, &turn, now_us, span_us);
    endpoint_hold(endpoint, now_us + span_us);
}

void window_accepted(struct window *window, struct turn *turn)
{
    turn->endpoint->refused = false;
    if (turn->is_probe)
        rest_end(&window->rest);
    turn->is_probe = false;
}
