/* access.h - who may use an engine, and when.
 *
 * One thread at a time, until the engine is closed, in the process that made it. */
#ifndef CEKURA_ACCESS_H
#define CEKURA_ACCESS_H

#include "gate.h"

struct access {
    struct gate gate;
    unsigned generation; /* of the process that made the engine, see process.h */
    bool closed;
    int64_t longest_us; /* that a caller was blocked, see access_record() */
};

void access_open(struct access *access);

/* What a step may change is read and changed only between these. The public functions of engine,
 * operation and poller call them, so none of those calls another in between. */
void access_enter(struct access *access);
void access_leave(struct access *access);

/* The same for the thread that steps in the background. In between the process neither forks nor
 * ends. */
void access_enter_last(struct access *access);
void access_leave_last(struct access *access);

/* False once it is closed, in a process forked from the one that made it, and at exit. */
bool access_is_open(const struct access *access);

/* Records how long a caller was blocked. */
void access_record(struct access *access, int64_t span_us);

#endif
