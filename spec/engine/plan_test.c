/* plan_test.c - the pauses between polls, for estimates of known jobs and for any text. */
#include "engine/plan.h"

#include "engine/jitter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct plan_terms terms = {.delay = 2.5, .usual = 5, .least = 1, .most = 300};

static void assert_between(double value, double least, double most)
{
    if (!(value >= least && value <= most))
        fail_msg("%f, not %f to %f", value, least, most);
}

/* An estimate of which the portions are known; it ends where a thousandth is left. */
static void estimate(struct survival *survival, double (*left)(double after))
{
    survival->known = 0;
    for (unsigned k = 0; k <= CELLS; k++) {
        survival->left[k] = k == CELLS_ENDLESS + 1 ? 0 : left(cells_seconds(k));
        if (survival->left[k] >= 0.001)
            survival->known = k;
    }
}

static double exponential(double after)
{
    return exp(-after / 60);
}

static double narrow(double after)
{
    return after <= 0 ? 1 : erfc(log(after / 60) / 0.2 / M_SQRT2) / 2;
}

static double two_modes(double after)
{
    return after <= 0
               ? 1
               : (erfc(log(after / 30) / 0.2 / M_SQRT2) + erfc(log(after / 120) / 0.2 / M_SQRT2)) /
                     4;
}

/* Exactly a minute, as far as the grid can tell. */
static double minute(double after)
{
    return after < 59 ? 1 : after > 64 ? 0 : 0.5;
}

struct cost {
    double polls, delay;
};

/* What a schedule costs: that of a plan, or without one a poll every `pause` seconds. */
static struct cost cost_of(const struct plan *plan, double pause, double (*left)(double after))
{
    struct cost cost = {0};
    double before = 0;
    while (left(before) > 1e-6) {
        double planned = plan ? plan_pause(plan, before) : 0;
        double next = before + (planned > 0 ? planned : pause), step = (next - before) / 100;
        cost.polls += left(before);
        for (int i = 0; i < 100; i++)
            cost.delay += (left(before) - left(before + (i + 0.5) * step)) * step;
        before = next;
    }
    return cost;
}

static void a_plan_that_knows_nothing_has_no_pauses(void **state)
{
    (void)state;
    const struct plan plan = {0};
    assert_true(plan_pause(&plan, 0) == 0);
    assert_true(plan_pause(&plan, 1e9) == 0);
}

/* No poll is worth more than another where a job does not age. */
static void pauses_are_equal_where_the_portion_of_ends_is(void **state)
{
    (void)state;
    struct survival survival;
    struct plan plan;
    estimate(&survival, exponential);
    plan_make(&plan, &survival, &terms);
    for (double after = 0; after < 250; after += 0.5)
        assert_between(plan_pause(&plan, after), 3, 7);
    struct cost cost = cost_of(&plan, 5, exponential), fixed = cost_of(NULL, 5, exponential);
    assert_between(cost.delay, 2.2, 2.65);
    assert_between(cost.polls, 0.95 * fixed.polls, 1.1 * fixed.polls);
}

/* The best schedule needs 4.41 polls (spec/bench/schedule), and one every 5 s 12.7. */
static void polls_come_when_jobs_are_likely_to_have_ended(void **state)
{
    (void)state;
    struct survival survival;
    struct plan plan;
    estimate(&survival, narrow);
    plan_make(&plan, &survival, &terms);
    assert_between(plan_pause(&plan, 0), 38, 55);
    struct cost cost = cost_of(&plan, 5, narrow);
    assert_between(cost.delay, 2.1, 2.6);
    assert_between(cost.polls, 4, 5);
}

/* 8.72, and 15.8. */
static void polls_pause_between_two_modes(void **state)
{
    (void)state;
    struct survival survival;
    struct plan plan;
    estimate(&survival, two_modes);
    plan_make(&plan, &survival, &terms);
    assert_between(plan_pause(&plan, 0), 15, 28);
    assert_between(plan_pause(&plan, 50), 20, 60);
    struct cost cost = cost_of(&plan, 5, two_modes);
    assert_between(cost.delay, 2.1, 2.6);
    assert_between(cost.polls, 8, 9.7);
}

static void jobs_that_always_take_as_long_need_hardly_more_than_a_poll(void **state)
{
    (void)state;
    struct survival survival;
    struct plan plan;
    estimate(&survival, minute);
    plan_make(&plan, &survival, &terms);
    assert_between(plan_pause(&plan, 0), 58, 68);
    assert_between(cost_of(&plan, 5, minute).polls, 1, 2.01);
}

static void a_pause_is_neither_too_short_nor_too_long(void **state)
{
    (void)state;
    const struct plan_terms narrow_terms = {.delay = 0.1, .usual = 0.2, .least = 2, .most = 20};
    struct survival survival;
    struct plan plan;
    estimate(&survival, narrow);
    plan_make(&plan, &survival, &narrow_terms);
    assert_between(plan_pause(&plan, 0), 20, 20);
    assert_between(plan_pause(&plan, 60), 2, 2);
}

static void shorter_delays_need_more_polls(void **state)
{
    (void)state;
    struct survival survival;
    struct plan plan;
    double polls = 1e9;
    estimate(&survival, two_modes);
    for (double delay = 0.6; delay < 20; delay *= 1.5) {
        const struct plan_terms other = {
            .delay = delay, .usual = 2 * delay, .least = 0.1, .most = 300};
        plan_make(&plan, &survival, &other);
        struct cost cost = cost_of(&plan, 2 * delay, two_modes);
        assert_between(cost.delay, 0.75 * delay, 1.1 * delay);
        assert_true(cost.polls < polls);
        polls = cost.polls;
    }
}

/* Texts of random digits, dense and sparse, and terms from a millisecond to years. */
static void of_any_sketch_and_terms_a_plan_is_made(void **state)
{
    (void)state;
    struct jitter random = {3};
    for (unsigned i = 0; i < 3000; i++) {
        char text[SKETCH_TEXT];
        struct sketch sketch;
        struct survival survival;
        struct plan plan;
        double usual = exp(25 * ((double)(jitter_next(&random) >> 11) * 0x1p-53) - 7);
        const struct plan_terms any = {
            .delay = usual / 2, .usual = usual, .least = usual < 1 ? usual : 1, .most = 60 * usual};
        for (size_t at = 0; at < SKETCH_TEXT; at++)
            text[at] =
                jitter_next(&random) % 40 < i % 41 ? 'A' : (char)('A' + jitter_next(&random) % 26);
        assert_true(sketch_read(&sketch, text, SKETCH_TEXT));
        survival_estimate(&survival, &sketch);
        plan_make(&plan, &survival, &any);
        assert_true(plan.known <= PLAN_POINTS);
        for (double after = 0.01; after < 20000; after *= 1.3) {
            double pause = plan_pause(&plan, after);
            if (pause != 0)
                assert_between(pause, 0.999 * any.least, 1.001 * any.most);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_that_knows_nothing_has_no_pauses),
        cmocka_unit_test(pauses_are_equal_where_the_portion_of_ends_is),
        cmocka_unit_test(polls_come_when_jobs_are_likely_to_have_ended),
        cmocka_unit_test(polls_pause_between_two_modes),
        cmocka_unit_test(jobs_that_always_take_as_long_need_hardly_more_than_a_poll),
        cmocka_unit_test(a_pause_is_neither_too_short_nor_too_long),
        cmocka_unit_test(shorter_delays_need_more_polls),
        cmocka_unit_test(of_any_sketch_and_terms_a_plan_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
