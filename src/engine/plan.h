/* plan.h - the pauses between polls that find the end of a job soonest, for the number of polls.
 *
 * Of all schedules with the same mean time between the end of a job and the poll that shows it, a
 * plan has the fewest polls, if jobs take as long as was estimated.
 *
 * Pure: a function of the estimate. */
#ifndef CEKURA_PLAN_H
#define CEKURA_PLAN_H

#include "survival.h"

/* All of these are in seconds. */
struct plan_terms {
    double delay;       /* the mean time between an end and its poll, or a little less */
    double usual;       /* the pause of jobs that take longer than is known */
    double least, most; /* of a pause */
};

#define PLAN_PER_CELL 4 /* points in each cell of the grid */
#define PLAN_POINTS (CELLS * PLAN_PER_CELL)

/* A zeroed plan is valid: it knows nothing. */
struct plan {
    float pauses[PLAN_POINTS]; /* seconds, after a poll at each point at which the job goes on */
    unsigned known;            /* the number of points up to what is known */
};

void plan_make(struct plan *plan, const struct survival *survival, const struct plan_terms *terms);

/* The pause after a poll that many seconds after the start of a job; 0 if the plan does not reach
 * so far. */
double plan_pause(const struct plan *plan, double after);

#endif
