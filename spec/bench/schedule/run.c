/* run.c - jobs that are polled by what was learned; see run.h. */
#include "run.h"

#include "engine/clock.h"
#include "engine/schedule.h"

#include <stdlib.h>

/* A job as struct poller has it. */
struct job {
    struct learning *learning;
    struct schedule schedule;
    int64_t last_us, due_us, ends_us;
};

void run_begin(struct run *run, unsigned seed)
{
    *run = (struct run){.random.state = 7919 * seed + 1};
    run->learner = learners_find(&run->learners, "kind");
    run->learner->usual_us = clock_from_seconds(USUAL_S);
}

void run_end(struct run *run)
{
    learners_free(&run->learners);
}

static struct job new_job(const struct run *run, int64_t start_us, bool counts)
{
    return (struct job){
        .learning = learning_new(run->learner, start_us, counts),
        .schedule = {.usual_us = clock_from_seconds(USUAL_S), .started_here = true},
        .last_us = start_us,
    };
}

static void set_due(struct job *job, struct jitter *random)
{
    job->schedule.fixed_us = learning_pause_us(job->learning, job->last_us);
    job->due_us = schedule_due_us(&job->schedule, job->last_us, jitter_next(random));
    job->schedule.polls++;
}

/* Polls a job. Returns whether it has ended. */
static bool poll_job(struct run *run, struct job *job, struct cost *cost)
{
    run->now_us = job->last_us = job->due_us;
    cost->polls++;
    if (job->due_us < job->ends_us) {
        learning_runs(job->learning, job->due_us);
        set_due(job, &run->random);
        return false;
    }
    learning_ended(job->learning, job->due_us);
    free(job->learning);
    cost->delay += clock_to_seconds(job->due_us - job->ends_us);
    return true;
}

void run_jobs(struct run *run, const struct world *world, unsigned count, struct cost *cost)
{
    struct job jobs[256];
    for (unsigned i = 0; i < count; i++) {
        double duration = distribution_draw(&world->distribution, &run->random);
        jobs[i] = new_job(run, run->now_us, true);
        jobs[i].ends_us = run->now_us + clock_from_seconds(duration);
        set_due(&jobs[i], &run->random);
    }
    while (count > 0) {
        unsigned first = 0;
        for (unsigned i = 1; i < count; i++)
            if (jobs[i].due_us < jobs[first].due_us)
                first = i;
        if (poll_job(run, &jobs[first], cost))
            jobs[first] = jobs[--count];
    }
}

struct cost run_expected(const struct run *run, const struct world *world)
{
    enum { TIMES = 32 };
    struct cost cost = {0};
    struct jitter random = run->random;
    for (int i = 0; i < TIMES; i++) {
        struct job job = new_job(run, 0, false);
        while (world_left(world, clock_to_seconds(job.last_us)) > 0) {
            double from = clock_to_seconds(job.last_us);
            set_due(&job, &random);
            world_add_poll(world, &cost, from, clock_to_seconds(job.due_us));
            job.last_us = job.due_us;
        }
        free(job.learning);
    }
    return (struct cost){cost.polls / TIMES, cost.delay / TIMES};
}
