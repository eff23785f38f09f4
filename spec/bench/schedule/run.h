/* run.h - jobs of a kind that are polled by what was learned of it, without a clock. */
#ifndef RUN_H
#define RUN_H

#include "engine/learner.h"

#include "world.h"

#define USUAL_S 5.0 /* the interval of the kind */

struct run {
    struct learners learners;
    struct learner *learner;
    struct jitter random; /* of durations and pauses */
    int64_t now_us;
};

void run_begin(struct run *run, unsigned seed);
void run_end(struct run *run);

/* Runs so many jobs, up to 256, that start together, to their end. Adds what they cost. */
void run_jobs(struct run *run, const struct world *world, unsigned count, struct cost *cost);

/* What a job would cost next: the expectation over all durations, and the mean over many pauses. */
struct cost run_expected(const struct run *run, const struct world *world);

#endif
