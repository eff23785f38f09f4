/* plan.c - the pauses between polls; see plan.h.
 *
 * A schedule costs its polls and, at a price, the delay of the ends. For a price, the cheapest one
 * follows by dynamic programming, backwards in time. If a poll at point i shows that the job goes
 * on, and the next one is at point j, then the cost from there on, times the portion of such jobs,
 * is
 *
 *     cost[i] = left[i] + price * (area[j] - area[i] - done[i] * (time[j] - time[i])) + cost[j]
 *
 * `done` is the portion of jobs that have ended, and `area` its integral over time. What depends on
 * j is a straight line in done[i], with the slope -price * time[j]. So the best j is the lowest
 * line at done[i]. Since both slopes and done[i] are in order, only the lower hull of the lines is
 * kept, and it is walked along once. The price that gives the wanted delay is searched for. */
#include "plan.h"

#include <math.h>

/* The search for the price: its steps at most, and how close its bounds come to each other. */
#define PRICES 16
#define CLOSE 1.05
#define TOO_FAR 1.03

/* The polls of a job that takes longer than is known. */
#define LATE_POLLS 4

struct line {
    double slope, base;
    unsigned point;
};

struct work {
    const struct plan_terms *terms;
    double price; /* of a second, in polls */
    double times[PLAN_POINTS], done[PLAN_POINTS], areas[PLAN_POINTS];
    double costs[PLAN_POINTS], delays[PLAN_POINTS]; /* delays: the part of the costs */
    struct line hull[PLAN_POINTS];                  /* from the latest point to the earliest */
    unsigned first, end;                            /* the lines of the hull that may be lowest */
};

/* What may follow a poll. */
struct choice {
    double cost, delay, pause;
};

/* ---- the lines ---- */

static double height(const struct line *line, double x)
{
    return line->slope * x + line->base;
}

/* Where the second line, which is steeper upwards, crosses the first. */
static double crossing(const struct line *first, const struct line *second)
{
    return (second->base - first->base) / (first->slope - second->slope);
}

static void add_line(struct work *work, unsigned point)
{
    struct line *hull = work->hull;
    struct line line = {.point = point,
        .slope = -work->price * work->times[point],
        .base = work->costs[point] + work->price * work->areas[point]};
    while (work->end - work->first >= 2 && crossing(&hull[work->end - 1], &line) >=
                                               crossing(&hull[work->end - 2], &hull[work->end - 1]))
        work->end--;
    hull[work->end++] = line;
}

/* The lowest line at x, which falls from call to call. */
static const struct line *lowest_line(struct work *work, double x)
{
    const struct line *hull = work->hull;
    while (work->end - work->first >= 2 &&
           height(&hull[work->first + 1], x) <= height(&hull[work->first], x))
        work->first++;
    return &hull[work->first];
}

/* ---- choices ---- */

/* The time of the best poll near point j: the lowest point of a parabola through the costs at j and
 * its neighbours. */
static double refine(const struct work *work, unsigned j, double x)
{
    double costs[3], before = work->times[j] - work->times[j - 1];
    double behind = work->times[j + 1] - work->times[j];
    for (unsigned k = 0; k < 3; k++) {
        unsigned point = j - 1 + k;
        costs[k] = work->costs[point] + work->price * (work->areas[point] - x * work->times[point]);
    }
    double fall = (costs[1] - costs[0]) / before, rise = (costs[2] - costs[1]) / behind;
    double bend = (rise - fall) / (before + behind);
    double shift = bend > 0 ? -(fall + bend * before) / (2 * bend) : 0;
    return work->times[j] + (shift > -before && shift < behind ? shift : 0);
}

/* One poll at the best of the points that are far enough from point i. */
static struct choice poll_later(struct work *work, unsigned i, unsigned known)
{
    double x = work->done[i];
    unsigned j = lowest_line(work, x)->point;
    double span = work->times[j] - work->times[i];
    double delay = work->areas[j] - work->areas[i] - x * span;
    if (j > i + 1 && j < known)
        span = refine(work, j, x) - work->times[i];
    return (struct choice){.cost = 1 - x + work->price * delay + work->costs[j],
        .delay = delay + work->delays[j],
        .pause = span};
}

/* Several polls with the same pause, up to the next point. */
static struct choice poll_often(const struct work *work, unsigned i)
{
    double left = 1 - work->done[i], ending = work->done[i + 1] - work->done[i];
    double span = work->times[i + 1] - work->times[i];
    double room = span / work->terms->least;
    double best = sqrt(work->price * ending * span / (2 * left - ending));
    unsigned polls = (unsigned)smaller(best + 0.5, room);
    polls += polls == 0;
    double delay = ending * span / (2 * polls);
    double cost = polls * left - (polls - 1) * ending / 2;
    return (struct choice){.cost = cost + work->price * delay + work->costs[i + 1],
        .delay = delay + work->delays[i + 1],
        .pause = span / polls};
}

/* Finds the pauses for a price. Returns the mean delay. */
static double solve(struct work *work, struct plan *plan)
{
    const struct plan_terms *terms = work->terms;
    unsigned known = plan->known, next = known;
    work->first = work->end = 0;
    work->delays[known] = (1 - work->done[known]) * terms->usual / 2;
    work->costs[known] = (1 - work->done[known]) * LATE_POLLS + work->price * work->delays[known];
    for (unsigned i = known; i-- > 0;) {
        while (next > i && work->times[next] - work->times[i] >= terms->least)
            add_line(work, next--);
        struct choice choice = poll_often(work, i);
        if (work->end > work->first) {
            struct choice later = poll_later(work, i, known);
            choice = later.cost <= choice.cost ? later : choice;
        }
        work->costs[i] = choice.cost;
        work->delays[i] = choice.delay;
        plan->pauses[i] = (float)larger(terms->least, smaller(choice.pause, terms->most));
    }
    return work->delays[0];
}

static void measure(struct work *work, const struct survival *survival, unsigned known)
{
    for (unsigned k = 0; k <= known; k++) {
        double place = (double)k / PLAN_PER_CELL;
        work->times[k] = cells_seconds(place);
        work->done[k] = 1 - cells_at(survival->left, place);
        work->areas[k] = 0;
        if (k > 0)
            work->areas[k] = work->areas[k - 1] + (work->done[k] + work->done[k - 1]) / 2 *
                                                      (work->times[k] - work->times[k - 1]);
    }
}

/* With many polls the delay is in inverse proportion to the root of the price, which gives a guess.
 * It goes a little too far, so that the next one comes from the other side. */
void plan_make(struct plan *plan, const struct survival *survival, const struct plan_terms *terms)
{
    struct work work = {.terms = terms};
    double low = 1e-3 / terms->usual, high = 1e6 / terms->usual;
    plan->known = survival->known * PLAN_PER_CELL;
    measure(&work, survival, plan->known);
    work.price = 10 / terms->usual;
    for (unsigned i = 0; i < PRICES && high > low * CLOSE; i++) {
        double excess = solve(&work, plan) / terms->delay;
        *(excess > 1 ? &low : &high) = work.price;
        work.price *= excess * excess * (excess > 1 ? TOO_FAR : 1 / TOO_FAR);
        if (work.price <= low || work.price >= high)
            work.price = sqrt(low * high);
    }
    work.price = high;
    solve(&work, plan);
}

double plan_pause(const struct plan *plan, double after)
{
    double point = after > 0 ? cells_place(after) * PLAN_PER_CELL : 0;
    if (!(point < plan->known))
        return 0;
    unsigned k = (unsigned)point;
    double pause = plan->pauses[k], next = k + 1 < plan->known ? plan->pauses[k + 1] : pause;
    return pause + (next - pause) * (point - k);
}
