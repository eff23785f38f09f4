/* gate.h - the lock of an engine. One thread at a time may enter, in the process that created the
 * engine, until the engine is closed.
 *
 * A pthread mutex is not fair: a thread that takes it repeatedly can starve the others. At a gate
 * that thread goes last. It waits while another is inside or wants to enter, and can check during
 * its work whether another thread wants to. */
#ifndef CEKURA_GATE_H
#define CEKURA_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t unwanted; /* signalled when `wanted` becomes 0 */
    atomic_uint wanted;      /* threads inside or waiting, except for the one that goes last */
    unsigned generation;     /* of the process that created it, see process.h */
    bool closed;             /* never reset */
};

/* For generation 0, that of a program which has not forked; gate_init() sets the current one. */
#define GATE_OPEN                                                                                  \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .unwanted = PTHREAD_COND_INITIALIZER                   \
    }

void gate_init(struct gate *gate);

/* False once closed, in a child forked from the process that created the gate, and after exit()
 * has begun. */
bool gate_is_open(const struct gate *gate);

/* Enters, and returns for how many microseconds the caller was blocked. In a forked child these two
 * do nothing. */
int64_t gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* The same for the one thread that goes last. */
void gate_enter_last(struct gate *gate);
void gate_leave_last(struct gate *gate);

/* Whether another thread wants to enter. Called by the thread that goes last while it is inside. */
bool gate_is_wanted(const struct gate *gate);

#endif
