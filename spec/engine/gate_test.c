/* gate_test.c - two threads at a gate. */
#include "engine/gate.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static struct gate gate = GATE_OPEN;
static atomic_int entered;
static int inside; /* written only by the thread that is inside */

static void *go_last(void *user)
{
    (void)user;
    gate_enter_last(&gate);
    atomic_store(&entered, 1);
    gate_leave_last(&gate);
    return NULL;
}

static void the_last_waits_while_another_thread_is_inside(void **state)
{
    pthread_t thread;
    (void)state;
    atomic_store(&entered, 0);
    gate_enter(&gate);
    assert_int_equal(pthread_create(&thread, NULL, go_last, NULL), 0);
    usleep(50000);
    assert_int_equal(atomic_load(&entered), 0);
    gate_leave(&gate);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&entered), 1);
}

static void the_last_waits_while_another_thread_waits(void **state)
{
    pthread_t thread;
    (void)state;
    atomic_store(&entered, 0);
    atomic_fetch_add(&gate.wanted, 1); /* the first half of gate_enter() */
    assert_int_equal(pthread_create(&thread, NULL, go_last, NULL), 0);
    usleep(50000);
    assert_int_equal(atomic_load(&entered), 0);
    pthread_mutex_lock(&gate.mutex); /* the second */
    gate_leave(&gate);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&entered), 1);
}

/* Enters repeatedly, each time until another thread wants to enter. */
static void *hog(void *user)
{
    const atomic_int *over = user;
    while (!atomic_load(over)) {
        gate_enter_last(&gate);
        inside++;
        atomic_fetch_add(&entered, 1);
        while (!gate_is_wanted(&gate) && !atomic_load(over))
            ;
        gate_leave_last(&gate);
    }
    return NULL;
}

static void other_threads_enter_before_the_last(void **state)
{
    pthread_t thread;
    atomic_int over = 0;
    (void)state;
    inside = 0;
    atomic_store(&entered, 0);
    assert_int_equal(pthread_create(&thread, NULL, hog, &over), 0);
    for (int i = 0; i < 200; i++) {
        while (atomic_load(&entered) <= i) /* until hog() is inside, where it would stay */
            sched_yield();
        gate_enter(&gate);
        inside++;
        gate_leave(&gate);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    assert_int_equal(inside, 200 + atomic_load(&entered));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_waits_while_another_thread_is_inside),
        cmocka_unit_test(the_last_waits_while_another_thread_waits),
        cmocka_unit_test(other_threads_enter_before_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
