/* survival.c - how many jobs go on after each time; see survival.h. */
#include "survival.h"

#include <math.h>
#include <string.h>

/* What was never seen has a little probability: in each cell that of so much of a job. */
#define PRIOR 0.01

/* Rounds of the EM algorithm. Each spreads the jobs as the last one has found them to be. */
#define ROUNDS 4

/* ---- smoothing ---- */

#define LARGEST_RADIUS 8

/* Values of the cells, with zeros around them. */
struct padded {
    double values[CELLS_ENDLESS + 2 * LARGEST_RADIUS];
};

static void pad(struct padded *padded, const double values[CELLS])
{
    memset(padded, 0, sizeof *padded);
    memcpy(padded->values + LARGEST_RADIUS, values, CELLS_ENDLESS * sizeof *values);
}

/* The mean of a cell and its neighbours, with weights that fall to both sides. */
static double smoothed(const struct padded *padded, unsigned k, unsigned radius)
{
    const double *middle = padded->values + LARGEST_RADIUS + k;
    double sum = *middle * (radius + 1);
    for (unsigned i = 1; i <= radius; i++)
        sum += (middle[i] + *(middle - i)) * (radius + 1 - i);
    return sum / ((radius + 1) * (radius + 1));
}

/* How well each job is predicted by the others: the logarithm of the likelihood. */
static double likelihood(const struct padded *jobs, unsigned radius)
{
    const double least = 0.02;
    double sum = 0;
    for (unsigned k = 0; k < CELLS_ENDLESS; k++) {
        double here = jobs->values[LARGEST_RADIUS + k];
        if (here > 2 * PRIOR)
            sum += here *
                   log(larger(least, smoothed(jobs, k, radius) - smaller(1, here) / (radius + 1)));
    }
    return sum;
}

static unsigned best_radius(const struct padded *jobs)
{
    static const unsigned radii[] = {0, 1, 2, 3, 5, LARGEST_RADIUS};
    unsigned best = 0;
    double most = -INFINITY;
    for (unsigned i = 0; i < sizeof radii / sizeof *radii; i++) {
        double sum = likelihood(jobs, radii[i]);
        if (sum > most) {
            most = sum;
            best = radii[i];
        }
    }
    return best;
}

static void smooth(double density[CELLS], const double jobs[CELLS])
{
    struct padded padded;
    pad(&padded, jobs);
    unsigned radius = best_radius(&padded);
    for (unsigned k = 0; k < CELLS_ENDLESS; k++)
        density[k] = smoothed(&padded, k, radius);
    density[CELLS_ENDLESS] = jobs[CELLS_ENDLESS];
}

/* ---- the estimate ---- */

/* The last cell but the endless one in which a job was seen. */
static unsigned last_cell(const struct sketch *sketch)
{
    double last = 0;
    for (unsigned k = 0; k < CELLS_ENDLESS; k++)
        if (sketch->past[k] > 0)
            last = k;
    for (unsigned age = 0; age < sketch->count; age++) {
        const struct lifetime *job = sketch_job(sketch, age);
        last = larger(last, lifetime_has_end(job) ? lifetime_to(job) : lifetime_from(job));
    }
    return last < CELLS_ENDLESS ? (unsigned)last : CELLS_ENDLESS - 1;
}

/* Adds the prior. What takes longer than any job that was seen is all in the endless cell, since
 * nothing is known there. */
static void add_prior(double jobs[CELLS], unsigned last)
{
    for (unsigned k = 0; k <= last; k++)
        jobs[k] += PRIOR;
    jobs[CELLS_ENDLESS] += PRIOR * (CELLS_ENDLESS - last);
}

static void find_density(double density[CELLS], const struct sketch *sketch)
{
    double jobs[CELLS];
    unsigned last = last_cell(sketch);
    for (unsigned k = 0; k < CELLS; k++)
        density[k] = sketch->past[k];
    add_prior(density, last);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round == 0) /* the censored ones follow those whose end was seen */
            sketch_spread_ended(sketch, density, jobs);
        else
            sketch_spread(sketch, density, jobs);
        add_prior(jobs, last);
        smooth(density, jobs);
    }
}

void survival_estimate(struct survival *survival, const struct sketch *sketch)
{
    double sums[CELLS + 1];
    survival->ended = sketch->weight - sketch->past[CELLS_ENDLESS];
    for (unsigned age = 0; age < sketch->count; age++)
        survival->ended += lifetime_has_end(sketch_job(sketch, age));
    find_density(survival->density, sketch);
    cells_sum_up(sums, survival->density);
    survival->known = 0;
    for (unsigned k = 0; k <= CELLS; k++) {
        survival->left[k] = 1 - sums[k] / sums[CELLS];
        if (k < CELLS_ENDLESS && sums[CELLS_ENDLESS] - sums[k] >= 1)
            survival->known = k + 1;
    }
}
