/* schedule.h - when a job is polled next.
 *
 * The first poll comes after a second; then the pauses grow to the usual interval of the job's
 * kind. So the end of a short job is noticed early, and a long job costs few requests. Each pause
 * has 10 % jitter, so that jobs which started together are not polled in lockstep.
 *
 * Pure: a function of the job's history, which can be tested without waiting. */
#ifndef CEKURA_SCHEDULE_H
#define CEKURA_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    int64_t usual_us;  /* the interval at which growing pauses end */
    int64_t fixed_us;  /* the caller's interval; 0: pauses grow */
    bool started_here; /* false: the job is known by its id, and may have ended long ago */
    uint32_t polls;    /* polls that have ended */
};

/* When the next poll is due, in microseconds on a monotonic clock. `last_us` is the job's start, or
 * the end of its last poll. `random` is any 64 random bits.
 *
 * Due times lie on a grid that all jobs share, with a spacing of at most 1/64 of the pause, so that
 * one wake-up of the host serves many polls. A hundred polls at once cost the host a third of what
 * they cost one by one. */
int64_t schedule_due_us(const struct schedule *schedule, int64_t last_us, uint64_t random);

#endif
