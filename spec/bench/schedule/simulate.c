/* simulate.c - polls that learn, beside the best schedule for a known distribution and a poll every
 * 5 s.
 *
 * simulate SEEDS FOLDER prints tables in Markdown, and writes learning.csv and drift.csv. README.md
 * says what they show. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_SEEDS 100
#define MAX_LOOKS 20
#define COUNT(array) (sizeof(array) / sizeof *(array))

static unsigned seeds;
static FILE *learning_csv, *drift_csv;

/* ---- medians over the seeds ---- */

struct spread {
    double low, median, high; /* a tenth of the seeds is lower, and higher */
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct spread spread_of(double *values)
{
    qsort(values, seeds, sizeof *values, compare);
    return (struct spread){values[seeds / 10], values[seeds / 2], values[seeds - 1 - seeds / 10]};
}

/* The polls of a schedule over those of the best one with the same delay. */
static double ratio(const struct world *world, struct cost cost)
{
    return cost.polls / world_best_polls(world, cost.delay);
}

/* What was measured after some numbers of jobs. */
struct looks {
    unsigned jobs[MAX_LOOKS]; /* ends with 0 */
    double ratios[MAX_LOOKS][MAX_SEEDS], delays[MAX_LOOKS][MAX_SEEDS];
};

static void look(struct looks *looks, unsigned i, unsigned seed, const struct run *run,
    const struct world *world)
{
    struct cost cost = run_expected(run, world);
    looks->ratios[i][seed] = ratio(world, cost);
    looks->delays[i][seed] = cost.delay;
}

/* A block of lines: jobs, the ratio and its spread, the delay, the ratio of a poll every 5 s. */
static void write_csv(FILE *csv, const char *name, struct looks *looks, double fixed)
{
    fprintf(csv, "\"%s\"\n", name);
    for (unsigned i = 0; looks->jobs[i]; i++) {
        struct spread spread = spread_of(looks->ratios[i]);
        fprintf(csv, "%u,%f,%f,%f,%f,%f\n", looks->jobs[i], spread.median, spread.low, spread.high,
            spread_of(looks->delays[i]).median, fixed);
    }
    fprintf(csv, "\n\n");
}

/* ---- learning ---- */

static const struct distribution distributions[] = {
    {"exponential", {{1, 60, 0}}},
    {"log-normal 0.2", {{1, 60, 0.2}}},
    {"log-normal 0.5", {{1, 60, 0.5}}},
    {"log-normal 1", {{1, 60, 1}}},
    {"two modes", {{0.5, 30, 0.2}, {0.5, 120, 0.2}}},
};

static struct distribution scaled(struct distribution distribution, double factor)
{
    distribution.modes[0].median *= factor;
    distribution.modes[1].median *= factor;
    return distribution;
}

static struct cost every(const struct world *world, double pause)
{
    struct cost cost = {0};
    for (double at = 0; world_left(world, at) > 0; at += pause)
        world_add_poll(world, &cost, at, at + pause);
    return cost;
}

#define LEARNED 1000
#define JOBS 10000

/* Runs JOBS jobs for each seed, and counts the polls of those after the first LEARNED. */
static void learn(const char *name, const struct world *world, unsigned at_once)
{
    static struct looks looks = {.jobs = {8, 12, 20, 30, 50, 100, 200, 300, 500, LEARNED}};
    double polls[MAX_SEEDS], delays[MAX_SEEDS], ratios[MAX_SEEDS];
    unsigned last = 0;
    for (unsigned seed = 0; seed < seeds; seed++) {
        struct run run;
        struct cost cost = {0};
        run_begin(&run, seed);
        for (unsigned jobs = 0, i = 0; looks.jobs[i]; i++) {
            for (; jobs < looks.jobs[i]; jobs += at_once)
                run_jobs(&run, world, at_once, &cost);
            look(&looks, i, seed, &run, world);
            last = i;
        }
        cost = (struct cost){0};
        for (unsigned jobs = LEARNED; jobs < JOBS; jobs += at_once)
            run_jobs(&run, world, at_once, &cost);
        cost.polls /= JOBS - LEARNED;
        cost.delay /= JOBS - LEARNED;
        polls[seed] = cost.polls;
        delays[seed] = cost.delay;
        ratios[seed] = ratio(world, cost);
        run_end(&run);
    }
    struct cost fixed = every(world, USUAL_S);
    struct spread after = spread_of(looks.ratios[last]), later = spread_of(ratios);
    printf("| %s | %.2f | %.2f, %.2f s | %.2f, %.2f s | %.2f | %.3f (%.3f to %.3f) | %.3f |\n",
        name, world_best_polls(world, fixed.delay), fixed.polls, fixed.delay,
        spread_of(polls).median, spread_of(delays).median, later.median / ratio(world, fixed),
        after.median, after.low, after.high, later.median);
    fflush(stdout);
    if (at_once == 1 && learning_csv)
        write_csv(learning_csv, name, &looks, ratio(world, fixed));
}

static void learn_all(double factor, unsigned at_once)
{
    printf(
        "| durations | best | every 5 s | adaptive | over every 5 s | over the best, after 1,000 "
        "jobs | counted |\n|---|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < COUNT(distributions); i++) {
        struct world *world = world_new(scaled(distributions[i], factor));
        learn(distributions[i].name, world, at_once);
        world_free(world);
    }
    printf("\n");
}

/* ---- changes ---- */

#define BEFORE 1500 /* jobs before the change, and a few more for each seed */

static void change(struct looks *looks, const struct world *old, const struct world *new)
{
    struct cost ignored = {0};
    for (unsigned seed = 0; seed < seeds; seed++) {
        struct run run;
        run_begin(&run, seed);
        for (unsigned job = 0; job < BEFORE + seed; job++)
            run_jobs(&run, old, 1, &ignored);
        for (unsigned i = 0, jobs = 0; looks->jobs[i]; i++) {
            for (; jobs < looks->jobs[i]; jobs++)
                run_jobs(&run, new, 1, &ignored);
            look(looks, i, seed, &run, new);
        }
        run_end(&run);
    }
}

static void print_change(const char *name, const struct looks *measured, const unsigned *columns)
{
    struct looks looks = *measured;
    printf("| %s |", name);
    for (unsigned i = 0; looks.jobs[i]; i++)
        if (looks.jobs[i] == *columns) {
            printf(" %.3f, %.1f s |", spread_of(looks.ratios[i]).median,
                spread_of(looks.delays[i]).median);
            columns++;
        }
    printf("\n");
    fflush(stdout);
}

static void change_to(struct distribution before, struct distribution after, const char *how)
{
    static const unsigned columns[] = {10, 20, 50, 100, 300, 0};
    static struct looks looks = {
        .jobs = {1, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500}};
    struct world *old = world_new(before), *new = world_new(after);
    char name[100];
    snprintf(name, sizeof name, "%s %s", before.name, how);
    change(&looks, old, new);
    print_change(name, &looks, columns);
    write_csv(drift_csv, name, &looks, ratio(new, every(new, USUAL_S)));
    world_free(old);
    world_free(new);
}

static void change_all(void)
{
    printf("| change | after 10 jobs | 20 | 50 | 100 | 300 |\n|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < COUNT(distributions); i++) {
        const struct distribution *next = &distributions[(i + 1) % COUNT(distributions)];
        char how[100];
        snprintf(how, sizeof how, "to %s", next->name);
        change_to(distributions[i], scaled(distributions[i], 2), "times 2");
        change_to(distributions[i], scaled(distributions[i], 0.5), "times 1/2");
        change_to(distributions[i], *next, how);
    }
    printf("\n");
}

/* Jobs of which a part begins to end long before the first poll. */
static void hide_all(void)
{
    static const unsigned columns[] = {50, 100, 300, 1000, 2000, 0};
    static const double parts[] = {0.3, 0.2, 0.1, 0.05};
    static struct looks looks = {.jobs = {50, 100, 300, 1000, 2000}};
    printf("| change | after 50 jobs | 100 | 300 | 1,000 | 2,000 |\n|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < COUNT(parts); i++) {
        struct distribution after = {"", {{1 - parts[i], 60, 0.2}, {parts[i], 6, 0.2}}};
        struct world *old = world_new(distributions[1]), *new = world_new(after);
        char name[100];
        snprintf(name, sizeof name, "%.0f %% of the jobs take 6 s", 100 * parts[i]);
        change(&looks, old, new);
        print_change(name, &looks, columns);
        world_free(old);
        world_free(new);
    }
}

/* ---- without learning ---- */

/* What the plan for the true distribution costs, with pauses that vary by a tenth, or by nothing.
 */
static struct cost known(const struct world *world, double jitter)
{
    enum { TIMES = 200 };
    const struct plan_terms terms = {USUAL_S / 2, USUAL_S, 1, 60 * USUAL_S};
    struct survival survival = {0};
    struct plan plan;
    struct cost cost = {0};
    struct jitter random = {1};
    for (unsigned k = 0; k < CELLS; k++) {
        survival.left[k] = world_left(world, cells_seconds(k));
        if (survival.left[k] >= 0.001)
            survival.known = k + 1;
    }
    plan_make(&plan, &survival, &terms);
    for (int i = 0; i < TIMES; i++)
        for (double at = 0; world_left(world, at) > 0;) {
            double pause = plan_pause(&plan, at) > 0 ? plan_pause(&plan, at) : USUAL_S;
            double part = (double)(jitter_next(&random) >> 11) * 0x1p-52 - 1;
            world_add_poll(world, &cost, at, at + pause * (1 + jitter * part));
            at += pause * (1 + jitter * part);
        }
    return (struct cost){cost.polls / TIMES, cost.delay / TIMES};
}

static void know_all(void)
{
    static const double factors[] = {1.0 / 3, 1, 5};
    printf(
        "| durations | a third | | as above | | five times | |\n|---|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < COUNT(distributions); i++) {
        printf("| %s |", distributions[i].name);
        for (unsigned k = 0; k < COUNT(factors); k++) {
            struct world *world = world_new(scaled(distributions[i], factors[k]));
            printf(
                " %.3f | %.3f |", ratio(world, known(world, 0)), ratio(world, known(world, 0.1)));
            world_free(world);
        }
        printf("\n");
    }
    printf("\n");
}

/* ---- all ---- */

static FILE *open_csv(const char *folder, const char *name)
{
    char path[500];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

int main(int count, char **words)
{
    seeds = count == 3 ? (unsigned)atoi(words[1]) : 0;
    if (seeds == 0 || seeds > MAX_SEEDS) {
        fprintf(stderr, "usage: %s SEEDS FOLDER, with up to %d seeds\n", words[0], MAX_SEEDS);
        return 2;
    }
    learning_csv = open_csv(words[2], "learning.csv");
    drift_csv = open_csv(words[2], "drift.csv");
    printf("## One job after the other\n\n");
    learn_all(1, 1);
    printf("## After a change\n\n");
    change_all();
    fclose(learning_csv);
    learning_csv = NULL;
    seeds = (seeds + 4) / 5; /* of what is less important */
    printf("## 200 jobs at once\n\n");
    learn_all(1, 200);
    printf("## Jobs that take a third of the time\n\n");
    learn_all(1.0 / 3, 1);
    printf("## Jobs that take five times as long\n\n");
    learn_all(5, 1);
    printf("## The plan for the true distribution, without jitter and with it\n\n");
    know_all();
    printf("## Early ends that are hidden\n\n");
    hide_all();
    return fclose(drift_csv) != 0;
}
