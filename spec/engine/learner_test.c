/* learner_test.c - polls of jobs that take as long as those of their kind took before. */
#include "engine/learner.h"

#include "engine/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define START (1000 * SECOND)

static struct learners learners;
static struct learner *learner;

static int begin(void **state)
{
    (void)state;
    learner = learners_find(&learners, "a");
    learner->usual_us = 5 * SECOND;
    return 0;
}

static int end(void **state)
{
    (void)state;
    learners_free(&learners);
    return 0;
}

static struct learning *new_job(void)
{
    struct learning *job = learning_new(learner, START, true);
    assert_non_null(job);
    return job;
}

/* The pause of a new job that goes on after that many seconds. */
static double pause_after(double seconds)
{
    struct learning *job = learning_new(learner, START, false);
    int64_t pause_us = learning_pause_us(job, START + clock_from_seconds(seconds));
    free(job);
    return clock_to_seconds(pause_us);
}

static void run_job(double seen, double ended)
{
    struct learning *job = new_job();
    learning_runs(job, START + clock_from_seconds(seen));
    learning_ended(job, START + clock_from_seconds(ended));
    free(job);
}

/* Runs jobs that end at about that time. */
static void run_jobs(unsigned count, double ended)
{
    for (unsigned i = 0; i < count; i++) {
        double spread = 0.9 + 0.02 * (i % 11);
        run_job(0.95 * ended * spread, ended * spread);
        pause_after(0);
    }
}

static void assert_between(double value, double least, double most)
{
    if (!(value >= least && value <= most))
        fail_msg("%f, not %f to %f", value, least, most);
}

static void kinds_have_their_own_learners(void **state)
{
    (void)state;
    struct learner *other = learners_find(&learners, "b");
    assert_ptr_not_equal(other, learner);
    assert_ptr_equal(learners_find(&learners, "a"), learner);
    assert_ptr_equal(learners_find(&learners, "b"), other);
    assert_string_equal(other->kind, "b");
}

static void without_eight_jobs_there_is_no_pause(void **state)
{
    (void)state;
    assert_between(pause_after(0), 0, 0);
    run_jobs(7, 60);
    assert_between(pause_after(0), 0, 0);
    run_jobs(1, 60);
    assert_between(pause_after(0), 5, 65);
}

static void behind_what_is_known_the_pause_is_the_usual_one(void **state)
{
    (void)state;
    run_jobs(20, 60);
    assert_between(pause_after(200), 5, 5);
    assert_between(pause_after(1e9), 5, 5);
}

static void jobs_that_are_not_watched_to_their_end_are_censored(void **state)
{
    (void)state;
    run_jobs(20, 60);
    for (unsigned i = 0; i < 200; i++) {
        struct learning *job = new_job();
        learning_runs(job, START + 50 * SECOND);
        learning_left(job);
        free(job);
        pause_after(0);
    }
    assert_between(pause_after(0), 30, 65);
    assert_between(pause_after(58), 1, 6);
}

static void a_job_that_does_not_count_changes_nothing(void **state)
{
    (void)state;
    run_jobs(20, 60);
    const struct sketch before = learner->sketch;
    struct learning *job = learning_new(learner, START, false);
    learning_runs(job, START + 5 * SECOND);
    learning_ended(job, START + 6 * SECOND);
    learning_left(job);
    free(job);
    assert_memory_equal(&learner->sketch, &before, sizeof before);
}

static void a_job_that_is_disregarded_is_censored_for_good(void **state)
{
    (void)state;
    struct learning *job = new_job();
    learning_runs(job, START + 5 * SECOND);
    learning_disregard(job);
    learning_resumed(job);
    learning_ended(job, START + 500 * SECOND);
    free(job);
    assert_int_equal(sketch_job(&learner->sketch, 0)->ended, LIFETIME_LEFT);
    assert_int_equal(learner->sketch.count, 1);
}

/* More than a sketch has room for, and none of them ends. */
static void jobs_that_leave_make_room_for_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * SKETCH_JOBS; i++) {
        struct learning *job = new_job();
        learning_runs(job, START + 5 * SECOND);
        learning_left(job);
        free(job);
        pause_after(0);
    }
    run_jobs(100, 60);
    assert_between(pause_after(0), 20, 65);
}

static void a_change_is_followed(void **state)
{
    (void)state;
    run_jobs(300, 60);
    run_jobs(30, 20);
    assert_between(pause_after(0), 10, 23);
    assert_between(learner->sketch.weight, 0, 0);
    assert_in_range(learner->sketch.count, 10, 45);
}

static void a_text_takes_what_was_learned_to_another_learner(void **state)
{
    (void)state;
    char text[SKETCH_TEXT + 1], again[SKETCH_TEXT + 1];
    struct sketch sketch;
    assert_false(learner_write(learner, text));
    run_jobs(50, 60);
    assert_true(learner_write(learner, text));
    struct learner *other = learners_find(&learners, "b");
    other->usual_us = 5 * SECOND;
    assert_true(sketch_read(&sketch, text, SKETCH_TEXT));
    learner_begin_with(other, &sketch);
    assert_true(learner_write(other, again));
    assert_string_equal(again, text);
    double expected = pause_after(0);
    learner = other;
    assert_between(pause_after(0), 0.9 * expected, 1.1 * expected);
}

static void an_interval_that_is_too_short_for_the_clock_gives_no_pause(void **state)
{
    (void)state;
    learner->usual_us = 0;
    run_jobs(20, 60);
    assert_between(pause_after(0), 0, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(kinds_have_their_own_learners),
        TEST(without_eight_jobs_there_is_no_pause),
        TEST(behind_what_is_known_the_pause_is_the_usual_one),
        TEST(jobs_that_are_not_watched_to_their_end_are_censored),
        TEST(a_job_that_does_not_count_changes_nothing),
        TEST(a_job_that_is_disregarded_is_censored_for_good),
        TEST(jobs_that_leave_make_room_for_others),
        TEST(a_change_is_followed),
        TEST(a_text_takes_what_was_learned_to_another_learner),
        TEST(an_interval_that_is_too_short_for_the_clock_gives_no_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
