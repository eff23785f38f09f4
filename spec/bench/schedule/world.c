/* world.c - known distributions of durations, and the best schedules for them; see world.h. */
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAIL 1e-7 /* jobs that take longer are left out */

/* ---- distributions ---- */

static double uniform(struct jitter *random)
{
    return ((double)(jitter_next(random) >> 11) + 0.5) * 0x1p-53;
}

double distribution_draw(const struct distribution *distribution, struct jitter *random)
{
    const struct mode *mode =
        &distribution->modes[uniform(random) >= distribution->modes[0].weight];
    double u = uniform(random), v = uniform(random);
    if (mode->sigma == 0)
        return -mode->median * log(u);
    return mode->median * exp(mode->sigma * sqrt(-2 * log(u)) * cos(2 * M_PI * v));
}

static double done_after(const struct distribution *distribution, double after)
{
    double sum = 0;
    for (int i = 0; i < 2 && after > 0; i++) {
        const struct mode *mode = &distribution->modes[i];
        if (mode->weight > 0 && mode->sigma == 0)
            sum += mode->weight * -expm1(-after / mode->median);
        else if (mode->weight > 0)
            sum += mode->weight * erfc(-log(after / mode->median) / mode->sigma / M_SQRT2) / 2;
    }
    return sum;
}

/* ---- the best schedule ---- */

struct search {
    const struct world *world;
    double price;
    double *costs;
    int *next;
};

static double base(const struct search *search, int point)
{
    return search->costs[point] + search->price * search->world->area[point];
}

/* Where the line of an earlier point crosses that of a later one. */
static double crossing(const struct search *search, int later, int earlier)
{
    double slopes = search->price * search->world->step * (later - earlier);
    return (base(search, later) - base(search, earlier)) / slopes;
}

static double height(const struct search *search, int point, double x)
{
    return base(search, point) - search->price * search->world->step * point * x;
}

/* Dynamic programming over all points, without any bound on a pause. src/engine/plan.c explains the
 * lines; here there is one for each point of a fine grid. */
static struct cost solve(struct search *search, int *hull)
{
    const struct world *world = search->world;
    int first = 0, end = 0, points = world->points;
    struct cost cost = {0};
    search->costs[points - 1] = 0;
    for (int i = points - 2; i >= 0; i--) {
        while (end - first >= 2 && -crossing(search, hull[end - 1], i + 1) <=
                                       -crossing(search, hull[end - 2], hull[end - 1]))
            end--;
        hull[end++] = i + 1;
        double x = world->done[i];
        while (end - first >= 2 &&
               height(search, hull[first + 1], x) <= height(search, hull[first], x))
            first++;
        search->next[i] = hull[first];
        search->costs[i] = 1 - x + height(search, hull[first], x) +
                           search->price * (x * world->step * i - world->area[i]);
    }
    for (int i = 0; i < points - 1; i = search->next[i])
        world_add_poll(world, &cost, i * world->step, search->next[i] * world->step);
    return cost;
}

static void find_best(struct world *world)
{
    size_t points = (size_t)world->points;
    struct search search = {
        world, 300, calloc(points, sizeof(double)), calloc(points, sizeof(int))};
    int *hull = calloc(points, sizeof *hull);
    for (int i = 0; i < PRICES; i++) {
        world->best[i] = solve(&search, hull);
        search.price *= 0.96;
    }
    free(search.costs);
    free(search.next);
    free(hull);
}

/* ---- worlds ---- */

/* The grid has a spacing of a twentieth of a second, or more for long jobs. */
struct world *world_new(struct distribution distribution)
{
    double last = 1;
    struct world *world = calloc(1, sizeof *world);
    while (1 - done_after(&distribution, last) > TAIL)
        last *= 1.05;
    world->distribution = distribution;
    world->step = last > 20000 ? last / 400000 : 0.05;
    world->points = (int)(last / world->step) + 1;
    world->done = calloc((size_t)world->points, sizeof(double));
    world->area = calloc((size_t)world->points, sizeof(double));
    for (int i = 1; i < world->points; i++) {
        world->done[i] = done_after(&distribution, i * world->step);
        world->area[i] =
            world->area[i - 1] + (world->done[i] + world->done[i - 1]) / 2 * world->step;
    }
    find_best(world);
    return world;
}

void world_free(struct world *world)
{
    free(world->done);
    free(world->area);
    free(world);
}

static double between(const double *values, const struct world *world, double after)
{
    double place = after / world->step;
    int i = place < world->points - 2 ? (int)place : world->points - 2;
    return values[i] + (values[i + 1] - values[i]) * (place - i);
}

double world_left(const struct world *world, double after)
{
    double left = 1 - between(world->done, world, after);
    return left > TAIL && after < world->step * (world->points - 1) ? left : 0;
}

void world_add_poll(const struct world *world, struct cost *cost, double from, double to)
{
    double last = world->step * (world->points - 1), end = to < last ? to : last;
    double done = between(world->done, world, from);
    cost->polls += 1 - done;
    cost->delay += between(world->area, world, end) - between(world->area, world, from) +
                   (to - end) - done * (to - from);
}

double world_best_polls(const struct world *world, double delay)
{
    int i = 1;
    while (i < PRICES - 1 && world->best[i].delay < delay)
        i++;
    const struct cost *low = &world->best[i - 1], *high = &world->best[i];
    double span = high->delay - low->delay, part = span > 0 ? (delay - low->delay) / span : 0;
    return low->polls + (high->polls - low->polls) * part;
}
