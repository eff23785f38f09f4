/* schedule_test.c - when a job is polled next. No clock runs: a job's history is a number. */
#include "engine/schedule.h"

#include "engine/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

/* splitmix64: the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The next pause of a job whose last poll was at a random time. */
static int64_t some_pause(const struct schedule *schedule, uint64_t *random)
{
    int64_t last_us = (int64_t)(next_random(random) % (86400 * SECOND));
    return schedule_due_us(schedule, last_us, next_random(random)) - last_us;
}

/* Asserts the mean of many pauses, which is the pause without jitter. */
static void assert_pause(const struct schedule *schedule, int64_t expected_us)
{
    const unsigned draws = 2000;
    uint64_t random = 4;
    double sum = 0;
    for (unsigned i = 0; i < draws; i++) {
        int64_t pause = some_pause(schedule, &random);
        assert_true(10 * pause >= 9 * expected_us && 10 * pause <= 11 * expected_us);
        sum += (double)pause / (double)expected_us;
    }
    double mean = sum / draws;
    if (mean < 0.99 || mean > 1.01)
        fail_msg("the mean pause is %f of %lld us", mean, (long long)expected_us);
}

static void assert_at_once(const struct schedule *schedule)
{
    assert_int_equal(schedule_due_us(schedule, 12345, 0), 12345);
    assert_int_equal(schedule_due_us(schedule, 12345, UINT64_MAX), 12345);
}

static const int64_t growing[] = {1000000, 1500000, 2250000, 3375000, 5000000, 5000000};
#define GROWING (sizeof growing / sizeof *growing)

static void a_job_started_here_is_polled_after_a_second_then_at_growing_pauses(void **state)
{
    (void)state;
    struct schedule schedule = {.usual_us = 5 * SECOND, .started_here = true};
    for (; schedule.polls < GROWING; schedule.polls++)
        assert_pause(&schedule, growing[schedule.polls]);
}

static void a_job_known_by_its_id_is_polled_at_once(void **state)
{
    (void)state;
    struct schedule schedule = {.usual_us = 5 * SECOND};
    assert_at_once(&schedule);
}

static void after_that_its_pauses_grow_from_a_second_too(void **state)
{
    (void)state;
    struct schedule schedule = {.usual_us = 5 * SECOND, .polls = 1};
    for (; schedule.polls <= GROWING; schedule.polls++)
        assert_pause(&schedule, growing[schedule.polls - 1]);
}

static void pauses_never_grow_beyond_the_usual_interval(void **state)
{
    (void)state;
    const int64_t usual[] = {1000, SECOND - 1, SECOND, SECOND + 1, 1500001, 30 * SECOND,
        3600 * SECOND, CLOCK_LONGEST_US};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        struct schedule schedule = {.usual_us = usual[i], .started_here = true};
        for (; schedule.polls < 100; schedule.polls++)
            assert_true(schedule_due_us(&schedule, 0, UINT64_MAX) <= usual[i] + usual[i] / 10);
        assert_pause(&schedule, usual[i]);
    }
}

/* The first pause is a second unless the kind is polled faster than that. */
static void a_usual_interval_below_a_second_is_kept_from_the_start(void **state)
{
    (void)state;
    struct schedule schedule = {.usual_us = SECOND / 5, .started_here = true};
    for (; schedule.polls < 5; schedule.polls++)
        assert_pause(&schedule, SECOND / 5);
}

/* Growing ends early; a loop over 2^32 polls would take seconds. */
static void after_any_number_of_polls_the_pause_is_the_usual_interval(void **state)
{
    (void)state;
    const uint32_t polls[] = {10, 1000, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof polls / sizeof *polls; i++) {
        struct schedule schedule = {.usual_us = 5 * SECOND, .polls = polls[i]};
        assert_pause(&schedule, 5 * SECOND);
        schedule.started_here = true;
        assert_pause(&schedule, 5 * SECOND);
    }
}

static void a_fixed_interval_is_every_pause_the_first_included(void **state)
{
    (void)state;
    const int64_t fixed[] = {SECOND / 100, SECOND / 2, 20 * SECOND, CLOCK_LONGEST_US};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        struct schedule schedule = {
            .usual_us = 5 * SECOND, .fixed_us = fixed[i], .started_here = true};
        for (; schedule.polls < 10; schedule.polls++)
            assert_pause(&schedule, fixed[i]);
    }
}

/* The interval lies between two polls, and a job that may have ended has had none yet. */
static void a_job_known_by_its_id_is_polled_at_once_with_a_fixed_interval_too(void **state)
{
    (void)state;
    struct schedule schedule = {.usual_us = 5 * SECOND, .fixed_us = 20 * SECOND};
    assert_at_once(&schedule);
    for (schedule.polls = 1; schedule.polls < 10; schedule.polls++)
        assert_pause(&schedule, 20 * SECOND);
}

static void jitter_never_exceeds_a_tenth(void **state)
{
    (void)state;
    const uint64_t special[] = {
        0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX};
    const size_t specials = sizeof special / sizeof *special;
    uint64_t random = 1;
    for (size_t i = 0; i < 200000; i++) {
        int64_t pause = (int64_t)(next_random(&random) % (60 * SECOND)) + 1;
        struct schedule schedule = {.usual_us = pause, .fixed_us = pause, .started_here = true};
        uint64_t number = i % 8 < specials ? special[i % 8] : next_random(&random);
        int64_t last = (int64_t)(next_random(&random) % (86400 * SECOND));
        int64_t jittered = schedule_due_us(&schedule, last, number) - last;
        assert_true(10 * jittered >= 9 * pause && 10 * jittered <= 11 * pause);
    }
}

/* If most random numbers gave the same pause, jobs that started together would be polled in
 * lockstep. */
static void jitter_is_spread_evenly(void **state)
{
    (void)state;
    const unsigned draws = 1000000;
    struct schedule schedule = {.usual_us = 5 * SECOND, .started_here = true, .polls = 50};
    unsigned count[8] = {0}; /* 1.25 points of the grid each */
    uint64_t random = 2;
    for (unsigned i = 0; i < draws; i++) {
        int64_t above = some_pause(&schedule, &random) - 9 * SECOND / 2;
        size_t eighth = (size_t)(above / (SECOND / 8));
        count[eighth < 8 ? eighth : 7]++; /* the longest pause */
    }
    /* At both ends half of the last point lies outside. */
    assert_in_range(count[0] + count[7], draws / 6, draws / 4);
    for (size_t i = 1; i < 7; i++)
        assert_in_range(count[i], draws / 8, draws / 7);
}

/* Due times for different pauses differ by a multiple of the smaller spacing. */
static void due_times_lie_on_a_common_grid(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (unsigned i = 0; i < 100000; i++) {
        int64_t pause = (int64_t)(next_random(&random) % (60 * SECOND)) + 1;
        struct schedule schedule = {.fixed_us = pause, .started_here = true};
        int64_t last = (int64_t)(next_random(&random) % (86400 * SECOND));
        int64_t due = schedule_due_us(&schedule, last, next_random(&random));
        int64_t grain = due & -due;
        assert_true(128 * grain > pause);
    }
}

/* A million jobs of all kinds, each with several polls. Pauses are divided by their interval, so
 * that fast and slow kinds have the same weight. */
static void of_a_million_jobs_none_is_polled_outside_its_schedule(void **state)
{
    (void)state;
    uint64_t random = 3;
    double grown_sum = 0;
    unsigned grown = 0;
    for (unsigned job = 0; job < 1000000; job++) {
        struct schedule schedule = {
            .usual_us = SECOND / 5 + (int64_t)(next_random(&random) % (20 * SECOND)),
            .started_here = next_random(&random) & 1,
        };
        if (next_random(&random) % 8 == 0)
            schedule.fixed_us = schedule.usual_us;
        uint32_t polls = (uint32_t)(next_random(&random) % 20) + 1;
        for (; schedule.polls < polls; schedule.polls++) {
            int64_t pause = some_pause(&schedule, &random);
            if (pause < 0 || 10 * pause > 11 * schedule.usual_us)
                fail_msg("job %u: %lld us after poll %u, where %lld us are usual", job,
                    (long long)pause, (unsigned)schedule.polls, (long long)schedule.usual_us);
            if (schedule.polls < 9) /* it takes eight polls to grow from 1 s to 20 s */
                continue;
            grown_sum += (double)pause / (double)schedule.usual_us;
            grown++;
        }
    }
    assert_true(grown > 1000000);
    double mean = grown_sum / grown;
    if (mean < 0.999 || mean > 1.001)
        fail_msg("the mean pause is %f of the usual interval", mean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_started_here_is_polled_after_a_second_then_at_growing_pauses),
        cmocka_unit_test(a_job_known_by_its_id_is_polled_at_once),
        cmocka_unit_test(after_that_its_pauses_grow_from_a_second_too),
        cmocka_unit_test(pauses_never_grow_beyond_the_usual_interval),
        cmocka_unit_test(a_usual_interval_below_a_second_is_kept_from_the_start),
        cmocka_unit_test(after_any_number_of_polls_the_pause_is_the_usual_interval),
        cmocka_unit_test(a_fixed_interval_is_every_pause_the_first_included),
        cmocka_unit_test(a_job_known_by_its_id_is_polled_at_once_with_a_fixed_interval_too),
        cmocka_unit_test(jitter_never_exceeds_a_tenth),
        cmocka_unit_test(jitter_is_spread_evenly),
        cmocka_unit_test(due_times_lie_on_a_common_grid),
        cmocka_unit_test(of_a_million_jobs_none_is_polled_outside_its_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
