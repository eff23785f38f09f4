/* survival.h - how many jobs go on after each time, estimated from a sketch.
 *
 * The estimate is the most likely one for times that are only known to lie in intervals: that of
 * Turnbull, which without intervals, and with censored jobs, is that of Kaplan and Meier. It is
 * smoothed.
 *
 * Pure: a function of the sketch. */
#ifndef CEKURA_SURVIVAL_H
#define CEKURA_SURVIVAL_H

#include "sketch.h"

struct survival {
    double left[CELLS + 1]; /* the portion of jobs that go on at each place: 1 at the first */
    double density[CELLS];  /* the jobs in each cell */
    double ended;           /* how many jobs are known to have ended */
    unsigned known;         /* the place beyond which hardly an end was seen; 0: nothing */
};

void survival_estimate(struct survival *survival, const struct sketch *sketch);

#endif
