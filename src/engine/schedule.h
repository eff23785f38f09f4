/* schedule.h - when a job is polled next.
 *
 * A pure function of the job's history, so that it can be tested without waiting. Short jobs are
 * noticed early and long ones cost little: the first poll comes after a second, then the pauses
 * grow to the usual interval of the job's kind. Each has 10 % jitter, so that jobs which started
 * together do not march in step. */
#ifndef CEKURA_SCHEDULE_H
#define CEKURA_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    int64_t usual_us;  /* the interval that growing pauses end at */
    int64_t fixed_us;  /* the caller's own interval; 0: none, pauses grow */
    bool started_here; /* false: the job is known from elsewhere and may be long done */
    uint32_t polls;    /* how many polls have ended */
};

/* When the next poll is due, on a clock that only goes forward, in microseconds. `last_us` is the
 * job's start, or the end of its last poll. `random` is any 64 random bits.
 *
 * Polls are due at moments that all jobs have in common, some 1/64 of their pause apart: a hundred
 * polls at once cost their host a third of what they cost one by one, since it is woken once for
 * many of them. */
int64_t schedule_due_us(const struct schedule *schedule, int64_t last_us, uint64_t random);

#endif
