/* gate.h - who may use an engine: one thread at a time, in the process that made it, until it is
 * closed.
 *
 * A lock of pthreads is not fair: a thread that takes it again and again may keep another from it
 * for long. Here that thread goes last: it waits as long as another is inside or wants to be, and
 * can ask in the midst of its work whether it had better stop. */
#ifndef CEKURA_GATE_H
#define CEKURA_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t deserted;
    atomic_uint wanted;  /* how many are inside or want to be, but for the one that goes last */
    unsigned generation; /* of the process that made it, see process.h */
    bool closed;         /* for good */
};

/* Of the first process of a program; gate_init() knows the others. */
#define GATE_OPEN                                                                                  \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .deserted = PTHREAD_COND_INITIALIZER                   \
    }

void gate_init(struct gate *gate);

/* False once it is closed, in a process forked from the one that made it, and at exit. */
bool gate_is_open(const struct gate *gate);

/* Returns how long that took, in microseconds. In a forked child these two do nothing. */
int64_t gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* For the one thread that goes last. */
void gate_enter_last(struct gate *gate);
void gate_leave_last(struct gate *gate);

/* Whether another thread wants to enter: asked by that thread while it is inside. */
bool gate_is_wanted(const struct gate *gate);

#endif
