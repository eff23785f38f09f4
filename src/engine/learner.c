/* learner.c - when jobs are polled that take as long as those before; see learner.h. */
#include "learner.h"

#include "clock.h"
#include "drift.h"

#include <stdlib.h>
#include <string.h>

/* A plan needs that many jobs that have ended. */
#define LEAST_JOBS 8

/* A plan is made again when that part of the latest jobs has ended since, or is not watched any
 * longer. */
#define RENEWAL 16

/* The bounds of a pause. A longer one would save little, and if the jobs became much shorter it
 * would be noticed late. */
#define LEAST_S 1.0
#define MOST_USUAL 60

/* ---- kinds ---- */

struct learner *learners_find(struct learners *learners, const char *kind)
{
    struct learner *learner;
    SLIST_FOREACH (learner, learners, next)
        if (strcmp(learner->kind, kind) == 0)
            return learner;
    size_t size = strlen(kind) + 1;
    learner = calloc(1, sizeof *learner + size);
    if (!learner)
        return NULL;
    memcpy(learner->kind, kind, size);
    SLIST_INSERT_HEAD(learners, learner, next);
    return learner;
}

void learners_free(struct learners *learners)
{
    struct learner *learner;
    while ((learner = SLIST_FIRST(learners))) {
        SLIST_REMOVE_HEAD(learners, next);
        free(learner);
    }
}

bool learner_write(const struct learner *learner, char text[SKETCH_TEXT + 1])
{
    struct survival survival;
    double jobs[CELLS];
    survival_estimate(&survival, &learner->sketch);
    sketch_spread(&learner->sketch, survival.density, jobs);
    sketch_write(jobs, text);
    return survival.ended >= LEAST_JOBS;
}

void learner_begin_with(struct learner *learner, const struct sketch *sketch)
{
    learner->sketch = *sketch;
    learner->is_stale = true;
}

/* Forgets what holds no longer, and makes the plan again. */
static void renew(struct learner *learner)
{
    struct sketch *sketch = &learner->sketch;
    struct survival survival;
    double usual = clock_to_seconds(learner->usual_us);
    const struct plan_terms terms = {.delay = usual / 2,
        .usual = usual,
        .least = smaller(LEAST_S, usual),
        .most = MOST_USUAL * usual};
    learner->changes = 0;
    learner->is_stale = false;
    survival_estimate(&survival, sketch);
    unsigned changed = drift_find(sketch, &survival);
    if (changed > 0) {
        sketch_forget(sketch, changed);
        survival_estimate(&survival, sketch);
    }
    sketch_fold(sketch, survival.density);
    if (survival.ended >= LEAST_JOBS)
        plan_make(&learner->plan, &survival, &terms);
    else
        learner->plan.known = 0;
}

/* ---- jobs ---- */

struct learning *learning_new(struct learner *learner, int64_t started_us, bool counts)
{
    struct learning *learning = malloc(sizeof *learning);
    if (learning)
        *learning = (struct learning){.learner = learner,
            .started_us = started_us,
            .number = counts ? sketch_add(&learner->sketch) : 0};
    return learning;
}

static double since_start(const struct learning *learning, int64_t us)
{
    return clock_to_seconds(us - learning->started_us);
}

static void count_change(struct learner *learner)
{
    learner->changes++;
    if (learner->changes > learner->sketch.count / RENEWAL)
        learner->is_stale = true;
}

void learning_runs(struct learning *learning, int64_t now_us)
{
    sketch_runs(&learning->learner->sketch, learning->number, since_start(learning, now_us));
}

void learning_ended(struct learning *learning, int64_t now_us)
{
    struct learner *learner = learning->learner;
    if (sketch_ended(&learner->sketch, learning->number, since_start(learning, now_us)))
        count_change(learner);
}

void learning_left(struct learning *learning)
{
    if (sketch_left(&learning->learner->sketch, learning->number))
        count_change(learning->learner);
}

void learning_resumed(struct learning *learning)
{
    sketch_resumed(&learning->learner->sketch, learning->number);
}

void learning_disregard(struct learning *learning)
{
    learning_left(learning);
    learning->number = 0;
}

int64_t learning_pause_us(const struct learning *learning, int64_t last_us)
{
    struct learner *learner = learning->learner;
    if (learner->is_stale && learner->usual_us > 0)
        renew(learner);
    if (learner->plan.known == 0)
        return 0;
    double pause = plan_pause(&learner->plan, since_start(learning, last_us));
    return pause > 0 ? clock_from_seconds(pause) : learner->usual_us;
}
