/* world.h - jobs whose durations are drawn from a known distribution, and the best schedule for it.
 */
#ifndef WORLD_H
#define WORLD_H

#include "engine/jitter.h"

#include <stdbool.h>

/* Log-normal around a median, in seconds; with a sigma of 0 exponential, and the median is the
 * mean.
 */
struct mode {
    double weight, median, sigma;
};

/* One or two modes. */
struct distribution {
    const char *name;
    struct mode modes[2];
};

double distribution_draw(const struct distribution *distribution, struct jitter *random);

/* The polls that jobs cost, and the time between their ends and the polls that show them. */
struct cost {
    double polls, delay;
};

#define PRICES 240

/* A distribution on a fine grid, and the costs of the best schedules for it. */
struct world {
    struct distribution distribution;
    int points;
    double step;         /* seconds from point to point */
    double *done, *area; /* the portion of jobs that have ended at each point, and its integral */
    struct cost best[PRICES]; /* from the shortest delay to the longest */
};

struct world *world_new(struct distribution distribution);
void world_free(struct world *world);

/* The polls of the best schedule with that mean delay. */
double world_best_polls(const struct world *world, double delay);

/* Adds what jobs cost that are polled after `from` seconds and next after `to` seconds. */
void world_add_poll(const struct world *world, struct cost *cost, double from, double to);

/* The portion of jobs that go on. */
double world_left(const struct world *world, double after);

#endif
