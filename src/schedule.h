/* schedule.h - when a job is polled next.
 *
 * A pure function of the job's history, so that it can be tested without waiting. Short jobs are
 * noticed early and long ones cost little: the first look comes after a second, then the pauses
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

/* The pause between the last event of the job (its start, or the end of its last poll) and the next
 * poll, in microseconds. `random` is any 64 random bits. */
int64_t schedule_pause_us(const struct schedule *schedule, uint64_t random);

#endif
