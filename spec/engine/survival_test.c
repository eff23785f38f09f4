/* survival_test.c - the portion of jobs that go on, estimated from a sketch, and whether it has
 * changed. */
#include "engine/drift.h"
#include "engine/jitter.h"
#include "engine/survival.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double expected, double most)
{
    if (!(value >= expected - most && value <= expected + most))
        fail_msg("%f, not %f", value, expected);
}

static void add_ended(struct sketch *sketch, double seen, double ended)
{
    uint32_t number = sketch_add(sketch);
    sketch_runs(sketch, number, seen);
    sketch_ended(sketch, number, ended);
}

static void add_left(struct sketch *sketch, double seen)
{
    uint32_t number = sketch_add(sketch);
    sketch_runs(sketch, number, seen);
    sketch_left(sketch, number);
}

static double left_after(const struct survival *survival, double seconds)
{
    return cells_at(survival->left, cells_place(seconds));
}

static double uniform(struct jitter *random)
{
    return ((double)(jitter_next(random) >> 11) + 0.5) * 0x1p-53;
}

/* Log-normal. */
static double draw(struct jitter *random, double median, double sigma)
{
    double u = uniform(random), v = uniform(random);
    return median * exp(sigma * sqrt(-2 * log(u)) * cos(6.283185307 * v));
}

/* Adds a job that is polled at that pause. */
static void add_polled(struct sketch *sketch, double duration, double pause)
{
    double seen = floor(duration / pause) * pause;
    add_ended(sketch, seen, seen + pause);
}

/* ---- the estimate ---- */

static void without_jobs_nothing_is_known(void **state)
{
    (void)state;
    const struct sketch sketch = {0};
    struct survival survival;
    survival_estimate(&survival, &sketch);
    assert_int_equal(survival.known, 0);
    assert_near(survival.ended, 0, 0);
    assert_near(survival.left[0], 1, 0);
}

/* At the median, the quartiles and both ends. */
static void it_is_that_of_the_jobs(void **state)
{
    (void)state;
    const double quantiles[][2] = {
        {60, 0.5}, {60 * 0.7138, 0.75}, {60 * 1.401, 0.25}, {60 * 0.44, 0.95}, {60 * 2.276, 0.05}};
    struct sketch sketch = {0};
    struct survival survival;
    struct jitter random = {5};
    for (unsigned i = 0; i < 400; i++) {
        add_polled(&sketch, draw(&random, 60, 0.5), 3);
        survival_estimate(&survival, &sketch);
        sketch_fold(&sketch, survival.density);
    }
    survival_estimate(&survival, &sketch);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        assert_near(left_after(&survival, quantiles[i][0]), quantiles[i][1], 0.05);
    assert_near(survival.ended, 400, 0.1);
    assert_in_range(survival.known, (unsigned)cells_place(120), (unsigned)cells_place(400));
}

static void it_never_rises(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct survival survival;
    struct jitter random = {6};
    for (unsigned i = 0; i < SKETCH_JOBS; i++) {
        double seen = 500 * uniform(&random);
        if (i % 3 == 0)
            add_left(&sketch, seen);
        else
            add_ended(&sketch, seen, seen + 300 * uniform(&random));
        survival_estimate(&survival, &sketch);
        for (unsigned k = 0; k < CELLS; k++)
            assert_true(survival.left[k + 1] <= survival.left[k] + 1e-12);
        assert_near(survival.left[0], 1, 1e-12);
        assert_near(survival.left[CELLS], 0, 1e-9);
    }
}

/* Ten of thirty end after 10 s, ten are not watched longer than 20 s, ten end after 40 s. By Kaplan
 * and Meier a third has ended by 30 s; half, if the censored ones were left out. */
static void censored_jobs_count_until_they_were_last_seen(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct survival survival;
    for (unsigned i = 0; i < 10; i++) {
        add_ended(&sketch, 9.5, 10.5);
        add_left(&sketch, 20);
        add_ended(&sketch, 39, 41);
    }
    survival_estimate(&survival, &sketch);
    assert_near(left_after(&survival, 25), 0.667, 0.03);
    assert_near(survival.ended, 20, 0);
}

/* Half of the jobs are only known to have ended within 60 s. The others say when. */
static void wide_intervals_are_filled_as_narrow_ones_show(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct survival survival;
    for (unsigned i = 0; i < 30; i++) {
        add_ended(&sketch, 0, 60);
        add_ended(&sketch, 49, 51);
    }
    survival_estimate(&survival, &sketch);
    assert_true(left_after(&survival, 42) > 0.9);
    assert_true(left_after(&survival, 58) < 0.1);
}

/* Of few jobs some cells have none by chance. */
static void few_jobs_are_smoothed(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct survival survival;
    struct jitter random = {4};
    for (unsigned i = 0; i < 15; i++)
        add_polled(&sketch, draw(&random, 60, 0.5), 0.5);
    survival_estimate(&survival, &sketch);
    for (unsigned k = (unsigned)cells_place(35); k < cells_place(100); k++)
        assert_true(survival.left[k] - survival.left[k + 1] > 0.02);
}

static void nothing_is_known_beyond_the_jobs_that_were_seen(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct survival survival;
    for (unsigned i = 0; i < 30; i++) {
        add_ended(&sketch, 49, 51);
        add_left(&sketch, 100);
    }
    survival_estimate(&survival, &sketch);
    assert_in_range(survival.known, (unsigned)cells_place(50), (unsigned)cells_place(60));
    assert_near(left_after(&survival, 90), 0.5, 0.03);
    assert_near(left_after(&survival, 10000), 0.5, 0.03);
}

/* ---- changes ---- */

/* Adds jobs, and forgets what a change makes obsolete. Returns the number of changes. */
static unsigned run(struct sketch *sketch, struct jitter *random, unsigned jobs, double median)
{
    unsigned changes = 0;
    for (unsigned i = 0; i < jobs; i++) {
        struct survival survival;
        add_polled(sketch, draw(random, median, 0.3), 4);
        survival_estimate(&survival, sketch);
        unsigned changed = drift_find(sketch, &survival);
        sketch_fold(sketch, survival.density);
        changes += changed > 0;
        if (changed > 0)
            sketch_forget(sketch, changed);
    }
    return changes;
}

static void jobs_that_take_the_same_times_show_no_change(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct jitter random = {7};
    assert_int_equal(run(&sketch, &random, 1000, 60), 0);
}

static void a_change_shows_after_some_jobs_which_alone_are_kept(void **state)
{
    (void)state;
    const double factors[] = {3, 1.5, 0.67, 0.33};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        struct sketch sketch = {0};
        struct jitter random = {8};
        run(&sketch, &random, 300, 60);
        unsigned jobs = 0;
        while (run(&sketch, &random, 1, 60 * factors[i]) == 0)
            jobs++;
        assert_in_range(jobs, 2, 25);
        assert_near(sketch.weight, 0, 0);
        assert_in_range(sketch.count, 3, jobs + 8);
    }
}

/* Batches of jobs that start together: the short ones end first. */
static void the_order_of_ends_is_no_change(void **state)
{
    (void)state;
    enum { BATCH = 60 };
    struct sketch sketch = {0};
    struct jitter random = {9};
    struct survival survival;
    for (unsigned batch = 0; batch < 10; batch++) {
        uint32_t numbers[BATCH];
        double durations[BATCH];
        for (unsigned i = 0; i < BATCH; i++) {
            numbers[i] = sketch_add(&sketch);
            durations[i] = draw(&random, 60, 0.3);
        }
        for (double now = 4; now < 300; now += 4) {
            for (unsigned i = 0; i < BATCH; i++)
                if (durations[i] <= now)
                    sketch_ended(&sketch, numbers[i], now);
                else
                    sketch_runs(&sketch, numbers[i], now);
            survival_estimate(&survival, &sketch);
            assert_int_equal(drift_find(&sketch, &survival), 0);
            sketch_fold(&sketch, survival.density);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_jobs_nothing_is_known),
        cmocka_unit_test(it_is_that_of_the_jobs),
        cmocka_unit_test(it_never_rises),
        cmocka_unit_test(censored_jobs_count_until_they_were_last_seen),
        cmocka_unit_test(wide_intervals_are_filled_as_narrow_ones_show),
        cmocka_unit_test(few_jobs_are_smoothed),
        cmocka_unit_test(nothing_is_known_beyond_the_jobs_that_were_seen),
        cmocka_unit_test(jobs_that_take_the_same_times_show_no_change),
        cmocka_unit_test(a_change_shows_after_some_jobs_which_alone_are_kept),
        cmocka_unit_test(the_order_of_ends_is_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
