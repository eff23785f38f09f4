/* gate.h - a lock that one thread leaves to the others as soon as they want it.
 *
 * A lock of pthreads' is nobody's in particular: a thread that takes it again and again may keep
 * another from it for long. Here that thread goes last: it waits as long as somebody is inside or
 * wants to be, and can ask in the midst of its work whether it had better stop. */
#ifndef CEKURA_GATE_H
#define CEKURA_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t deserted;
    atomic_uint wanted; /* how many are inside or want to be, but for the one that goes last */
};

#define GATE_OPEN                                                                                  \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .deserted = PTHREAD_COND_INITIALIZER                   \
    }

/* Returns how long that took, in microseconds. */
int64_t gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* For the one thread that goes last. */
void gate_enter_last(struct gate *gate);
void gate_leave_last(struct gate *gate);

/* Whether somebody wants to enter: asked by that thread while it is inside. */
bool gate_is_wanted(const struct gate *gate);

#endif
