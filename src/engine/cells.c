/* cells.c - the grid of durations; see cells.h. */
#include "cells.h"

#include <math.h>

#define FIRST_S 0.25
#define PER_DOUBLING 8

double cells_place(double seconds)
{
    double firsts = seconds / FIRST_S;
    return firsts < 1 ? firsts : 1 + PER_DOUBLING * log2(firsts);
}

double cells_seconds(double place)
{
    return FIRST_S * (place < 1 ? place : exp2((place - 1) / PER_DOUBLING));
}

void cells_sum_up(double sums[CELLS + 1], const double values[CELLS])
{
    sums[0] = 0;
    for (unsigned k = 0; k < CELLS; k++)
        sums[k + 1] = sums[k] + values[k];
}

double cells_at(const double sums[CELLS + 1], double place)
{
    unsigned k = place < CELLS ? (unsigned)place : CELLS - 1;
    return sums[k] + (sums[k + 1] - sums[k]) * (place - k);
}
