/* cells.h - the grid of durations: cells that grow with the duration, eight to each doubling.
 *
 * A place on the grid is a number of cells: cell k lies between the places k and k + 1. The first
 * cell is a quarter of a second long. The last one begins after almost four hours, and never ends.
 */
#ifndef CEKURA_CELLS_H
#define CEKURA_CELLS_H

#define CELLS 128
#define CELLS_ENDLESS (CELLS - 1)

double cells_place(double seconds);
double cells_seconds(double place);

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* sums[k] becomes the sum of the first k values. */
void cells_sum_up(double sums[CELLS + 1], const double values[CELLS]);

/* What was given for whole places, between them: the sum of the values up to there. */
double cells_at(const double sums[CELLS + 1], double place);

#endif
