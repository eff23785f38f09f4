/* drift.h - whether the jobs of a kind take other times than before.
 *
 * Pure: a function of their sketch, and of the estimate that was made from it. */
#ifndef CEKURA_DRIFT_H
#define CEKURA_DRIFT_H

#include "survival.h"

/* How many of the latest jobs differ from those before them, so that the sketch is to forget these;
 * 0 if nothing has changed. */
unsigned drift_find(const struct sketch *sketch, const struct survival *survival);

#endif
