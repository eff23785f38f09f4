/* process_test.c - forks and the exit of a process whose threads step engines. They wait for one
 * piece of work at most. An alarm ends a hang. */
#include "engine/clock.h"
#include "engine/process.h"
#include "engine/step.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HANG_S 30

/* How often each of the two threads has held the process. */
static atomic_uint holds[2];
static atomic_bool over;

static void pause_ms(long ms)
{
    const struct timespec span = {.tv_nsec = ms * 1000000};
    nanosleep(&span, NULL);
}

/* Releases the process only after the other thread has held it, or cannot. So if readers had
 * priority, the process would be held forever. */
static void *step_again_and_again(void *user)
{
    atomic_uint *own = user, *other = own == &holds[0] ? &holds[1] : &holds[0];
    while (!over) {
        unsigned before = *other;
        process_hold();
        (*own)++;
        for (int turn = 0; turn < 100 && *other == before && !over; turn++)
            pause_ms(1);
        process_release();
    }
    return NULL;
}

static void start_threads(pthread_t threads[2])
{
    over = false;
    for (int i = 0; i < 2; i++) {
        holds[i] = 0;
        assert_int_equal(pthread_create(&threads[i], NULL, step_again_and_again, &holds[i]), 0);
    }
    while (holds[0] == 0 || holds[1] == 0)
        pause_ms(1);
}

static void end_threads(pthread_t threads[2])
{
    over = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_fork_has_priority_over_threads(void **state)
{
    pthread_t threads[2];
    int status;
    (void)state;
    start_threads(threads);
    pid_t child = fork();
    if (child == 0) { /* where the lock is free again */
        process_hold();
        process_release();
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    end_threads(threads);
}

static void test_exit_has_priority_over_threads(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        pthread_t threads[2];
        alarm(HANG_S);
        start_threads(threads);
        exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void *fork_now(void *user)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    *(bool *)user = waitpid(child, &status, 0) == child && WIFEXITED(status);
    return NULL;
}

static void test_step_is_over_when_the_process_is_wanted(void **state)
{
    const struct gate gate = GATE_OPEN;
    struct step step = {.background = &gate, .bytes = 1, .until_us = CLOCK_NEVER};
    pthread_t thread;
    bool forked = false;
    (void)state;
    process_hold();
    assert_false(step_is_over(&step));
    assert_int_equal(pthread_create(&thread, NULL, fork_now, &forked), 0);
    while (!step_is_over(&step))
        pause_ms(1);
    step.background = NULL; /* a fork does not wait for a step of the host */
    assert_false(step_is_over(&step));
    process_release();
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(forked);
    step.background = &gate;
    assert_false(step_is_over(&step));
}

static int watch_process(void **state)
{
    (void)state;
    alarm(HANG_S);
    return process_watch() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_has_priority_over_threads),
        cmocka_unit_test(test_exit_has_priority_over_threads),
        cmocka_unit_test(test_step_is_over_when_the_process_is_wanted),
    };
    return cmocka_run_group_tests(tests, watch_process, NULL);
}
