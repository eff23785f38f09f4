/* pace_test.c - the rate of requests after a 429. The clock is a number. */
#include "engine/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void assert_rate(const struct pace *pace, int64_t now_us, double least, double most)
{
    double rate = pace_rate(pace, now_us);
    if (!(rate >= least && rate <= most))
        fail_msg("%f a second, not %f to %f", rate, least, most);
}

/* Sends that many requests in each second, evenly. Returns the time afterwards. */
static int64_t send_evenly(struct pace *pace, int64_t now_us, unsigned rate, unsigned seconds)
{
    for (unsigned i = 0; i < rate * seconds; i++) {
        now_us += SECOND / rate;
        pace_sent(pace, now_us);
    }
    return now_us;
}

static void without_a_429_the_rate_is_unlimited(void **state)
{
    (void)state;
    struct pace pace = {0};
    for (int64_t now_us = 7 * SECOND; now_us < 8 * SECOND; now_us++) {
        pace_sent(&pace, now_us);
        assert_true(pace.next_us <= now_us);
    }
}

static void a_429_lowers_the_rate_to_seven_tenths(void **state)
{
    (void)state;
    for (unsigned rate = 20; rate <= 20000; rate *= 10) {
        struct pace pace = {0};
        int64_t now_us = send_evenly(&pace, 100 * SECOND, rate, 3);
        pace_slow_down(&pace, now_us, now_us, now_us);
        assert_rate(&pace, now_us, 0.65 * rate, 0.75 * rate);
        pace_sent(&pace, now_us);
        int64_t gap_us = pace.next_us - now_us;
        assert_in_range(gap_us * rate, SECOND * 10 / 8, SECOND * 10 / 6);
    }
}

static void a_burst_counts_as_the_rate_of_a_second(void **state)
{
    (void)state;
    struct pace pace = {0};
    for (unsigned i = 0; i < 300; i++)
        pace_sent(&pace, 5 * SECOND);
    pace_slow_down(&pace, 5 * SECOND, 5 * SECOND, 5 * SECOND);
    assert_rate(&pace, 5 * SECOND, 209, 211);
}

static void requests_sent_two_seconds_ago_do_not_count(void **state)
{
    (void)state;
    struct pace pace = {0};
    int64_t now_us = send_evenly(&pace, SECOND, 1000, 3) + 2 * SECOND;
    pace_slow_down(&pace, now_us, now_us, now_us);
    assert_rate(&pace, now_us, 7, 7);
}

static void one_request_does_not_make_a_rate(void **state)
{
    (void)state;
    struct pace pace = {0};
    pace_sent(&pace, SECOND);
    pace_slow_down(&pace, SECOND, SECOND, 2 * SECOND);
    pace_sent(&pace, 2 * SECOND);
    assert_true(pace.next_us < 2 * SECOND + SECOND / 5);
}

static void the_refused_rate_is_reached_in_eight_seconds_and_then_exceeded(void **state)
{
    (void)state;
    struct pace pace = {0};
    int64_t now_us = send_evenly(&pace, SECOND, 100, 2);
    int64_t until_us = now_us + 30 * SECOND;
    pace_slow_down(&pace, now_us, now_us, until_us);
    assert_rate(&pace, until_us, 65, 75); /* grows from when sending resumes */
    assert_rate(&pace, until_us + 8 * SECOND, 95, 110);
    assert_rate(&pace, until_us + 60 * SECOND, 1500, 2500);
    assert_rate(&pace, until_us + 3600 * SECOND, 1e6, 1e9);
}

/* Sixteen requests in flight at once, each refused. */
static void simultaneous_429_count_once(void **state)
{
    (void)state;
    struct pace pace = {0};
    int64_t now_us = send_evenly(&pace, SECOND, 100, 2);
    for (int64_t i = 0; i < 16; i++)
        pace_slow_down(&pace, now_us + i, now_us - i, now_us + SECOND);
    assert_rate(&pace, now_us + SECOND, 65, 75);
}

static void each_later_429_slows_down_further(void **state)
{
    (void)state;
    struct pace pace = {0};
    int64_t now_us = SECOND;
    double rate = 8;
    for (int i = 0; i < 5; i++) {
        pace_sent(&pace, now_us);
        pace_slow_down(&pace, now_us, now_us, now_us);
        assert_true(pace_rate(&pace, now_us) < rate);
        rate = pace_rate(&pace, now_us);
        now_us = pace.next_us;
    }
    for (int i = 0; i < 1000; i++)
        pace_slow_down(&pace, now_us + i, now_us + i, now_us + i);
    assert_rate(&pace, now_us + 999, 0.6, 0.8); /* but never to zero */
}

/* A service with a limit in any second, and a client that always has more to send. */
static void the_rate_converges_to_what_a_service_allows(void **state)
{
    (void)state;
    static const unsigned allowed[] = {1, 3, 20, 100, 1000};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        struct pace pace = {0};
        unsigned done = 0, refused = 0, in_second = 0;
        const int64_t end_us = 600 * SECOND;
        int64_t second = 0, hold_us = 0;
        for (int64_t now_us = 0; now_us < end_us; now_us += 100) {
            if (now_us < hold_us || now_us < pace.next_us)
                continue;
            if (now_us / SECOND != second) {
                second = now_us / SECOND;
                in_second = 0;
            }
            pace_sent(&pace, now_us);
            if (in_second < allowed[i]) {
                in_second++;
                done++;
            } else {
                refused++;
                hold_us = now_us + SECOND / 10;
                pace_slow_down(&pace, now_us, now_us, hold_us);
            }
        }
        double part = done / (600.0 * allowed[i]);
        if (part < 0.7 || refused > 200)
            fail_msg("of %u a second %f were used, and %u refused", allowed[i], part, refused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_429_the_rate_is_unlimited),
        cmocka_unit_test(a_429_lowers_the_rate_to_seven_tenths),
        cmocka_unit_test(a_burst_counts_as_the_rate_of_a_second),
        cmocka_unit_test(requests_sent_two_seconds_ago_do_not_count),
        cmocka_unit_test(one_request_does_not_make_a_rate),
        cmocka_unit_test(the_refused_rate_is_reached_in_eight_seconds_and_then_exceeded),
        cmocka_unit_test(simultaneous_429_count_once),
        cmocka_unit_test(each_later_429_slows_down_further),
        cmocka_unit_test(the_rate_converges_to_what_a_service_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
