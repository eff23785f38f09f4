/* sketch_test.c - how long the jobs of a kind took: what is kept of them, and as a text. */
#include "engine/sketch.h"

#include "engine/jitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const double even[CELLS] = {[0 ... CELLS - 1] = 1};

static double seconds(double place)
{
    return cells_seconds(place);
}

static void assert_near(double value, double expected, double most)
{
    if (!(value >= expected - most && value <= expected + most))
        fail_msg("%f, not %f", value, expected);
}

static double sum_of(const double values[CELLS])
{
    double sums[CELLS + 1];
    cells_sum_up(sums, values);
    return sums[CELLS];
}

/* ---- the grid ---- */

static void places_and_seconds_are_inverse_and_grow(void **state)
{
    (void)state;
    double before = -1;
    for (double after = 0; after < 20000; after += after / 100 + 0.01) {
        double place = cells_place(after);
        assert_true(place > before);
        assert_near(cells_seconds(place), after, after * 1e-9 + 1e-9);
        before = place;
    }
    assert_near(cells_seconds(1), 0.25, 0);
    assert_near(cells_seconds(9), 0.5, 1e-12);
    assert_near(cells_seconds(CELLS_ENDLESS), 13777, 1);
}

/* ---- the latest jobs ---- */

static void jobs_are_numbered_until_there_is_no_room(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    for (uint32_t i = 1; i <= SKETCH_JOBS; i++)
        assert_int_equal(sketch_add(&sketch), i);
    assert_int_equal(sketch_add(&sketch), 0);
    assert_int_equal(sketch_add(&sketch), 0);
    assert_int_equal(sketch.count, SKETCH_JOBS);
    assert_ptr_equal(sketch_job(&sketch, 0), &sketch.jobs[SKETCH_JOBS % SKETCH_JOBS]);
}

static void an_end_lies_between_the_times_at_which_the_job_was_seen(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    uint32_t number = sketch_add(&sketch);
    const struct lifetime *job = sketch_job(&sketch, 0);
    assert_false(lifetime_has_end(job));
    assert_near(lifetime_from(job), 0, 0);
    assert_near(lifetime_to(job), CELLS, 0);
    sketch_runs(&sketch, number, 10);
    assert_near(seconds(lifetime_from(job)), 10, 0.01);
    assert_near(lifetime_to(job), CELLS, 0);
    sketch_runs(&sketch, number, 20);
    assert_true(sketch_ended(&sketch, number, 25));
    assert_true(lifetime_has_end(job));
    assert_near(seconds(lifetime_from(job)), 20, 0.02);
    assert_near(seconds(lifetime_to(job)), 25, 0.02);
}

static void an_end_is_final(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    uint32_t number = sketch_add(&sketch);
    assert_true(sketch_ended(&sketch, number, 25));
    const struct lifetime before = *sketch_job(&sketch, 0);
    assert_false(sketch_ended(&sketch, number, 30));
    assert_false(sketch_left(&sketch, number));
    sketch_resumed(&sketch, number);
    sketch_runs(&sketch, number, 40);
    assert_memory_equal(sketch_job(&sketch, 0), &before, sizeof before);
}

/* Also for times that are equal, beyond the grid or before the start. */
static void an_end_is_later_than_the_job_was_seen(void **state)
{
    (void)state;
    const double times[][2] = {
        {60, 60}, {60, 59}, {0, 0}, {-5, -7}, {1e9, 1e9}, {1e9, 2e9}, {0, 1e300}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct sketch sketch = {0};
        uint32_t number = sketch_add(&sketch);
        sketch_runs(&sketch, number, times[i][0]);
        assert_true(sketch_ended(&sketch, number, times[i][1]));
        const struct lifetime *job = sketch_job(&sketch, 0);
        assert_true(lifetime_has_end(job));
        assert_true(lifetime_from(job) < lifetime_to(job));
        assert_true(lifetime_to(job) <= CELLS);
    }
}

static void a_job_that_has_left_has_no_end_and_may_be_resumed(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    uint32_t number = sketch_add(&sketch);
    sketch_runs(&sketch, number, 10);
    assert_true(sketch_left(&sketch, number));
    assert_false(lifetime_has_end(sketch_job(&sketch, 0)));
    assert_near(seconds(lifetime_from(sketch_job(&sketch, 0))), 10, 0.01);
    sketch_resumed(&sketch, number);
    assert_true(sketch_ended(&sketch, number, 30));
    assert_true(lifetime_has_end(sketch_job(&sketch, 0)));
}

static void a_job_that_is_not_kept_changes_nothing(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    uint32_t first = sketch_add(&sketch), second = sketch_add(&sketch);
    sketch_forget(&sketch, 1);
    struct sketch before = sketch;
    const uint32_t numbers[] = {0, first, second + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sketch_runs(&sketch, numbers[i], 10);
        assert_false(sketch_ended(&sketch, numbers[i], 20));
        assert_false(sketch_left(&sketch, numbers[i]));
        sketch_resumed(&sketch, numbers[i]);
    }
    assert_memory_equal(&sketch, &before, sizeof sketch);
    assert_true(sketch_ended(&sketch, second, 20));
}

/* ---- the cells ---- */

static void add_ended(struct sketch *sketch, double seen, double ended)
{
    uint32_t number = sketch_add(sketch);
    sketch_runs(sketch, number, seen);
    sketch_ended(sketch, number, ended);
}

static void each_job_is_spread_over_its_cells_alone(void **state)
{
    (void)state;
    double jobs[CELLS];
    struct sketch sketch = {0};
    add_ended(&sketch, seconds(40), seconds(42.5));
    sketch_spread(&sketch, even, jobs);
    assert_near(jobs[39], 0, 1e-9);
    assert_near(jobs[40], 0.4, 0.01);
    assert_near(jobs[41], 0.4, 0.01);
    assert_near(jobs[42], 0.2, 0.01);
    assert_near(jobs[43], 0, 1e-9);
    add_ended(&sketch, seconds(40.25), seconds(40.75)); /* within a cell */
    sketch_spread(&sketch, even, jobs);
    assert_near(jobs[40], 1.4, 0.01);
    assert_near(sum_of(jobs), 2, 1e-9);
}

static void a_job_is_spread_as_the_density_has_it(void **state)
{
    (void)state;
    double jobs[CELLS], density[CELLS] = {[10] = 3, [20] = 1, [CELLS_ENDLESS] = 1};
    struct sketch sketch = {0};
    sketch_runs(&sketch, sketch_add(&sketch), seconds(15));
    sketch_spread(&sketch, density, jobs);
    assert_near(jobs[10], 0, 0);
    assert_near(jobs[20], 0.5, 1e-9);
    assert_near(jobs[CELLS_ENDLESS], 0.5, 1e-9);
    add_ended(&sketch, 0, seconds(30));
    sketch_spread(&sketch, density, jobs);
    assert_near(jobs[10], 0.75, 1e-9);
    assert_near(jobs[20], 0.75, 1e-9);
}

static void folding_makes_room_and_loses_no_job(void **state)
{
    (void)state;
    double before[CELLS], after[CELLS];
    struct sketch sketch = {0};
    for (unsigned i = 0; i < SKETCH_JOBS; i++)
        add_ended(&sketch, i, 2 * i + 1);
    sketch_spread(&sketch, even, before);
    sketch_fold(&sketch, even);
    sketch_spread(&sketch, even, after);
    assert_in_range(sketch.count, 1, SKETCH_JOBS - 10);
    assert_near(sketch.weight, SKETCH_JOBS - (double)sketch.count, 1e-6);
    for (unsigned k = 0; k < CELLS; k++)
        assert_near(after[k], before[k], 1e-5);
    assert_int_equal(sketch_add(&sketch), SKETCH_JOBS + 1);
}

static void a_watched_job_is_not_folded_unless_it_takes_unusually_long(void **state)
{
    (void)state;
    double density[CELLS] = {[50] = 100};
    struct sketch sketch = {0};
    uint32_t watched = sketch_add(&sketch);
    while (sketch.count < SKETCH_JOBS)
        add_ended(&sketch, seconds(50), seconds(51));
    sketch_runs(&sketch, watched, seconds(49));
    density[CELLS_ENDLESS] = 1;
    sketch_fold(&sketch, density);
    assert_int_equal(sketch.count, SKETCH_JOBS);
    sketch_runs(&sketch, watched, seconds(52));
    sketch_fold(&sketch, density);
    assert_true(sketch.count < SKETCH_JOBS);
    assert_near(sketch.past[CELLS_ENDLESS], 1, 1e-6);
}

static void earlier_jobs_fade(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    for (unsigned i = 0; i < 5000; i++) {
        add_ended(&sketch, seconds(i < 2500 ? 40 : 60), seconds(i < 2500 ? 41 : 61));
        sketch_fold(&sketch, even);
    }
    assert_near(sketch.weight, 400, 1);
    assert_near(sketch.past[60], 399, 2);
    assert_true(sketch.past[40] < 1);
}

static void forgetting_keeps_the_latest(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    for (unsigned i = 0; i < 2 * SKETCH_JOBS; i++) {
        add_ended(&sketch, i, i + 1);
        sketch_fold(&sketch, even);
    }
    const struct lifetime last = *sketch_job(&sketch, 0);
    sketch_forget(&sketch, 5);
    assert_int_equal(sketch.count, 5);
    assert_near(sketch.weight, 0, 0);
    assert_memory_equal(sketch_job(&sketch, 0), &last, sizeof last);
    double jobs[CELLS];
    sketch_spread(&sketch, even, jobs);
    assert_near(sum_of(jobs), 5, 1e-9);
    sketch_forget(&sketch, 50);
    assert_int_equal(sketch.count, 5);
}

/* ---- the text ---- */

static void a_text_gives_the_same_cells_again(void **state)
{
    (void)state;
    char text[SKETCH_TEXT + 1], again[SKETCH_TEXT + 1];
    double jobs[CELLS] = {0}, read_jobs[CELLS];
    struct sketch sketch;
    for (unsigned k = 0; k < 40; k++)
        jobs[k + 30] = 0.001 * k * k * k / 5;
    sketch_write(jobs, text);
    assert_int_equal(strlen(text), SKETCH_TEXT);
    assert_int_equal(
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        SKETCH_TEXT);
    assert_true(sketch_read(&sketch, text, SKETCH_TEXT));
    assert_int_equal(sketch.count, 0);
    for (unsigned k = 0; k < CELLS; k++) {
        assert_near(sketch.past[k], jobs[k], 0.01 + 0.01 * jobs[k]);
        read_jobs[k] = sketch.past[k];
    }
    assert_near(sketch.weight, sum_of(read_jobs), 1e-3);
    sketch_write(read_jobs, again);
    assert_string_equal(again, text);
}

static void of_a_text_with_many_jobs_as_many_are_kept_as_a_sketch_keeps(void **state)
{
    (void)state;
    char text[SKETCH_TEXT + 1];
    struct sketch sketch;
    memset(text, '_', SKETCH_TEXT);
    assert_true(sketch_read(&sketch, text, SKETCH_TEXT));
    while (sketch.count < SKETCH_JOBS)
        add_ended(&sketch, 1, 2);
    sketch_fold(&sketch, even);
    assert_near(sketch.weight, 400, 0.1);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    char text[SKETCH_TEXT + 2] = {0};
    struct sketch sketch = {.weight = 7}, before = sketch;
    memset(text, 'A', SKETCH_TEXT + 1);
    assert_false(sketch_read(&sketch, text, 0));
    assert_false(sketch_read(&sketch, text, SKETCH_TEXT - 1));
    assert_false(sketch_read(&sketch, text, SKETCH_TEXT + 1));
    const char foreign[] = {'\0', '.', '=', '+', '/', ' ', '\n', (char)0x80, (char)0xff};
    for (size_t i = 0; i < sizeof foreign; i++)
        for (size_t at = 0; at < SKETCH_TEXT; at++) {
            text[at] = foreign[i];
            assert_false(sketch_read(&sketch, text, SKETCH_TEXT));
            text[at] = 'A';
        }
    assert_memory_equal(&sketch, &before, sizeof sketch);
    assert_true(sketch_read(&sketch, text, SKETCH_TEXT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_and_seconds_are_inverse_and_grow),
        cmocka_unit_test(jobs_are_numbered_until_there_is_no_room),
        cmocka_unit_test(an_end_lies_between_the_times_at_which_the_job_was_seen),
        cmocka_unit_test(an_end_is_final),
        cmocka_unit_test(an_end_is_later_than_the_job_was_seen),
        cmocka_unit_test(a_job_that_has_left_has_no_end_and_may_be_resumed),
        cmocka_unit_test(a_job_that_is_not_kept_changes_nothing),
        cmocka_unit_test(each_job_is_spread_over_its_cells_alone),
        cmocka_unit_test(a_job_is_spread_as_the_density_has_it),
        cmocka_unit_test(folding_makes_room_and_loses_no_job),
        cmocka_unit_test(a_watched_job_is_not_folded_unless_it_takes_unusually_long),
        cmocka_unit_test(earlier_jobs_fade),
        cmocka_unit_test(forgetting_keeps_the_latest),
        cmocka_unit_test(a_text_gives_the_same_cells_again),
        cmocka_unit_test(of_a_text_with_many_jobs_as_many_are_kept_as_a_sketch_keeps),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
