/* drift.c - whether jobs take other times than before; see drift.h. */
#include "drift.h"

#include <math.h>

/* Classes of durations, by the portion of jobs that take less. Those at both ends are small, since
 * times that were rare so far show a change soonest. */
static const double limits[] = {0, 0.01, 0.04, 0.12, 0.3, 0.5, 0.7, 0.88, 0.96, 0.99, 1};
#define CLASSES (sizeof limits / sizeof *limits - 1)

/* The deviance that counts as a change. By chance it is reached once in 2,000 jobs or less
 * often, and then little is lost. */
#define DEVIANCE 24

#define LEAST_LATEST 3   /* jobs that can show a change */
#define LEAST_EARLIER 16 /* and jobs that they can differ from */

/* Adds jobs to the classes, by the portion that each has of their interval. */
static void classify(double classes[CLASSES], double from, double to, double jobs)
{
    for (unsigned i = 0; i < CLASSES; i++) {
        double part = smaller(to, limits[i + 1]) - larger(from, limits[i]);
        if (part > 0)
            classes[i] += jobs * part / (to - from);
    }
}

static void classify_job(
    double classes[CLASSES], const struct survival *survival, const struct lifetime *job)
{
    double from = 1 - cells_at(survival->left, lifetime_from(job));
    classify(classes, from, 1 - cells_at(survival->left, lifetime_to(job)), 1);
}

static double term(double jobs, double expected)
{
    return jobs > 1e-9 ? 2 * jobs * log(jobs / expected) : 0;
}

/* How much the classes of some jobs, which are a portion of all, differ from those of the others: G
 * of the test of homogeneity. */
static double deviance(const double some[CLASSES], const double all[CLASSES], double portion)
{
    double sum = 0;
    for (unsigned i = 0; i < CLASSES; i++)
        sum += term(some[i], all[i] * portion) + term(all[i] - some[i], all[i] * (1 - portion));
    return sum;
}

unsigned drift_find(const struct sketch *sketch, const struct survival *survival)
{
    double all[CLASSES] = {0}, latest[CLASSES] = {0}, most = DEVIANCE;
    double total = sketch->weight + (double)sketch->count;
    unsigned changed = 0, next = LEAST_LATEST;
    for (unsigned k = 0; k < CELLS; k++)
        if (sketch->past[k] > 0)
            classify(all, 1 - survival->left[k], 1 - survival->left[k + 1], sketch->past[k]);
    for (unsigned age = 0; age < sketch->count; age++)
        classify_job(all, survival, sketch_job(sketch, age));
    for (unsigned count = 1; count <= sketch->count && count + LEAST_EARLIER <= total; count++) {
        classify_job(latest, survival, sketch_job(sketch, count - 1));
        if (count < next)
            continue;
        next = count + 1 + count / 8; /* enough, and cheaper than all */
        double sum = deviance(latest, all, count / total);
        if (sum > most) {
            most = sum;
            changed = count;
        }
    }
    return changed;
}
