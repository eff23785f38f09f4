/* sketch.c - how long the jobs of a kind took; see sketch.h. */
#include "sketch.h"

#include <math.h>
#include <string.h>

/* The earlier jobs fade beyond this number. */
#define PAST_JOBS 400

/* How many of the latest jobs are folded at most: there is room for the others meanwhile. */
#define KEPT_JOBS (SKETCH_JOBS - SKETCH_JOBS / 8)

/* ---- the latest jobs ---- */

static uint16_t units(double after)
{
    double place = after > 0 ? cells_place(after) : 0;
    return (uint16_t)((place < CELLS_ENDLESS ? place : CELLS_ENDLESS) * LIFETIME_UNITS);
}

/* The job of that number, if it is one of the latest and has not ended. */
static struct lifetime *find(struct sketch *sketch, uint32_t number)
{
    struct lifetime *job = &sketch->jobs[number % SKETCH_JOBS];
    bool is_kept = number != 0 && sketch->last - number < sketch->count;
    return is_kept && !lifetime_has_end(job) ? job : NULL;
}

uint32_t sketch_add(struct sketch *sketch)
{
    if (sketch->count == SKETCH_JOBS)
        return 0;
    sketch->last++;
    sketch->count++;
    sketch->jobs[sketch->last % SKETCH_JOBS] = (struct lifetime){.ended = LIFETIME_WATCHED};
    return sketch->last;
}

void sketch_runs(struct sketch *sketch, uint32_t number, double after)
{
    struct lifetime *job = find(sketch, number);
    if (job)
        job->seen = units(after);
}

bool sketch_ended(struct sketch *sketch, uint32_t number, double after)
{
    struct lifetime *job = find(sketch, number);
    if (!job)
        return false;
    job->ended = units(after);
    if (job->ended <= job->seen)
        job->ended = (uint16_t)(job->seen + 1);
    return true;
}

bool sketch_left(struct sketch *sketch, uint32_t number)
{
    struct lifetime *job = find(sketch, number);
    if (job)
        job->ended = LIFETIME_LEFT;
    return job != NULL;
}

void sketch_resumed(struct sketch *sketch, uint32_t number)
{
    struct lifetime *job = find(sketch, number);
    if (job)
        job->ended = LIFETIME_WATCHED;
}

void sketch_forget(struct sketch *sketch, unsigned count)
{
    if (sketch->count > count)
        sketch->count = count;
    memset(sketch->past, 0, sizeof sketch->past);
    sketch->weight = 0;
}

const struct lifetime *sketch_job(const struct sketch *sketch, unsigned age)
{
    return &sketch->jobs[(sketch->last - age) % SKETCH_JOBS];
}

bool lifetime_has_end(const struct lifetime *job)
{
    return job->ended != LIFETIME_LEFT && job->ended != LIFETIME_WATCHED;
}

double lifetime_from(const struct lifetime *job)
{
    return (double)job->seen / LIFETIME_UNITS;
}

double lifetime_to(const struct lifetime *job)
{
    return lifetime_has_end(job) ? (double)job->ended / LIFETIME_UNITS : CELLS;
}

/* ---- the cells ---- */

/* Adds a height to all cells from a place on: steps[k] is by how much cell k is higher than cell
 * k - 1. The cell of the place gets a part. */
static void add_step(double steps[CELLS + 2], double place, double height)
{
    unsigned k = (unsigned)place;
    steps[k] += height * (k + 1 - place);
    steps[k + 1] += height * (place - k);
}

/* In a cell, all jobs get the same portion of the density for each part of the cell. So their sum
 * is a staircase with two steps for each job, times the density. */
static void spread(
    const struct sketch *sketch, const double density[CELLS], bool all, double jobs[CELLS])
{
    double sums[CELLS + 1], steps[CELLS + 2] = {0}, height = 0;
    cells_sum_up(sums, density);
    for (unsigned age = 0; age < sketch->count; age++) {
        const struct lifetime *job = sketch_job(sketch, age);
        if (!all && !lifetime_has_end(job))
            continue;
        double from = lifetime_from(job), to = lifetime_to(job);
        double portion = 1 / (cells_at(sums, to) - cells_at(sums, from));
        add_step(steps, from, portion);
        add_step(steps, to, -portion);
    }
    for (unsigned k = 0; k < CELLS; k++) {
        height += steps[k];
        jobs[k] = sketch->past[k] + density[k] * larger(height, 0);
    }
}

void sketch_spread(const struct sketch *sketch, const double density[CELLS], double jobs[CELLS])
{
    spread(sketch, density, true, jobs);
}

void sketch_spread_ended(
    const struct sketch *sketch, const double density[CELLS], double jobs[CELLS])
{
    spread(sketch, density, false, jobs);
}

static void fade(struct sketch *sketch, float portion)
{
    for (unsigned k = 0; k < CELLS; k++)
        sketch->past[k] *= portion;
    sketch->weight *= portion;
}

void sketch_fold(struct sketch *sketch, const double density[CELLS])
{
    double sums[CELLS + 1];
    cells_sum_up(sums, density);
    while (sketch->count > KEPT_JOBS) {
        const struct lifetime *job = sketch_job(sketch, sketch->count - 1);
        double from = lifetime_from(job), to = lifetime_to(job);
        double all = cells_at(sums, to) - cells_at(sums, from);
        double later = cells_at(sums, CELLS_ENDLESS) - cells_at(sums, from);
        if (job->ended == LIFETIME_WATCHED && later >= 1)
            return;
        if (sketch->weight + 1 > PAST_JOBS)
            fade(sketch, (PAST_JOBS - 1) / sketch->weight);
        for (unsigned k = (unsigned)from; k < to; k++) {
            double part = cells_at(sums, smaller(to, k + 1)) - cells_at(sums, larger(from, k));
            sketch->past[k] += (float)(part / all);
        }
        sketch->weight += 1;
        sketch->count--;
    }
}

/* ---- as a text ---- */

/* Two digits for each cell, of six bits each: the square root of the number of jobs, in steps that
 * are finer than what is known. */
#define STEPS 160
#define MOST 4095

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void sketch_write(const double jobs[CELLS], char text[SKETCH_TEXT + 1])
{
    for (unsigned k = 0; k < CELLS; k++) {
        unsigned code = (unsigned)smaller(MOST, STEPS * sqrt(jobs[k]) + 0.5);
        *text++ = digits[code / 64];
        *text++ = digits[code % 64];
    }
    *text = '\0';
}

static bool read_digit(char digit, unsigned *value)
{
    const char *found = digit ? strchr(digits, digit) : NULL;
    *value = found ? (unsigned)(found - digits) : 0;
    return found;
}

bool sketch_read(struct sketch *sketch, const char *text, size_t length)
{
    struct sketch read = {0};
    if (length != SKETCH_TEXT)
        return false;
    for (unsigned k = 0; k < CELLS; k++) {
        unsigned high, low;
        if (!read_digit(text[2 * k], &high) || !read_digit(text[2 * k + 1], &low))
            return false;
        float root = (float)(64 * high + low) / STEPS;
        read.past[k] = root * root;
        read.weight += read.past[k];
    }
    *sketch = read;
    return true;
}
