/* gate.c - the lock of an engine; see gate.h. */
#include "gate.h"

#include "clock.h"
#include "process.h"

void gate_init(struct gate *gate)
{
    *gate = (struct gate)GATE_OPEN;
    gate->generation = process_generation();
}

static bool is_of_this_process(const struct gate *gate)
{
    return gate->generation == process_generation();
}

bool gate_is_open(const struct gate *gate)
{
    return !gate->closed && is_of_this_process(gate);
}

/* In a forked child the mutex may be locked forever, by a background thread that exists only in the
 * parent. */
int64_t gate_enter(struct gate *gate)
{
    if (!is_of_this_process(gate))
        return 0;
    atomic_fetch_add(&gate->wanted, 1);
    if (pthread_mutex_trylock(&gate->mutex) == 0)
        return 0;
    int64_t began_us = clock_monotonic_us();
    pthread_mutex_lock(&gate->mutex);
    return clock_monotonic_us() - began_us;
}

void gate_leave(struct gate *gate)
{
    if (!is_of_this_process(gate))
        return;
    if (atomic_fetch_sub(&gate->wanted, 1) == 1)
        pthread_cond_signal(&gate->unwanted);
    pthread_mutex_unlock(&gate->mutex);
}

void gate_enter_last(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    while (gate_is_wanted(gate))
        pthread_cond_wait(&gate->unwanted, &gate->mutex);
}

void gate_leave_last(struct gate *gate)
{
    pthread_mutex_unlock(&gate->mutex);
}

bool gate_is_wanted(const struct gate *gate)
{
    return atomic_load(&gate->wanted) > 0;
}
