/* sketch.h - how long the jobs of a kind took, in one kilobyte.
 *
 * Polls show only that a job still ran after one time and had ended after another. For the latest
 * jobs a sketch keeps these two times. Earlier jobs are spread over the cells of a grid, and fade.
 * A job that was not watched to its end has only the first time: it is censored.
 *
 * The latest jobs are in the order in which they began to be watched, not in that of their ends: of
 * jobs that run at the same time the short ones end first, and would be taken for a change. */
#ifndef CEKURA_SKETCH_H
#define CEKURA_SKETCH_H

#include "cells.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKETCH_JOBS 120

/* The two times, as places on the grid, times LIFETIME_UNITS. */
struct lifetime {
    uint16_t seen;  /* when the job was last seen running */
    uint16_t ended; /* when it was first seen ended, which is later; or one of these: */
};
#define LIFETIME_LEFT 0             /* it is not watched any longer */
#define LIFETIME_WATCHED UINT16_MAX /* it runs, and is watched */
#define LIFETIME_UNITS 256

/* A zeroed sketch is valid, and empty. */
struct sketch {
    float past[CELLS];                 /* the earlier jobs in each cell */
    float weight;                      /* their sum */
    struct lifetime jobs[SKETCH_JOBS]; /* job n is at n % SKETCH_JOBS */
    uint32_t last;  /* the number of the latest job; the first has the number 1 */
    uint32_t count; /* of the latest jobs */
};
_Static_assert(sizeof(struct sketch) <= 1024, "a sketch takes a kilobyte");

/* Adds a job that begins to be watched. Returns its number; 0 if there is no room, because too many
 * jobs are watched. Then the sketch does without this one. */
uint32_t sketch_add(struct sketch *sketch);

/* What was seen of a job, `after` seconds from its start. These do nothing, and return false, if
 * the job has ended before, or is not one of the latest. */
void sketch_runs(struct sketch *sketch, uint32_t number, double after);
bool sketch_ended(struct sketch *sketch, uint32_t number, double after);
bool sketch_left(struct sketch *sketch, uint32_t number);
void sketch_resumed(struct sketch *sketch, uint32_t number);

/* Forgets all jobs but that many of the latest. */
void sketch_forget(struct sketch *sketch, unsigned count);

/* Job `age` of the latest jobs; 0 is the last one. */
const struct lifetime *sketch_job(const struct sketch *sketch, unsigned age);

bool lifetime_has_end(const struct lifetime *job);

/* The places between which a job has ended, or will. */
double lifetime_from(const struct lifetime *job);
double lifetime_to(const struct lifetime *job);

/* The jobs of the sketch in each cell, each spread over its cells as `density` has it: all of them,
 * or, of the latest, only those that have ended. */
void sketch_spread(const struct sketch *sketch, const double density[CELLS], double jobs[CELLS]);
void sketch_spread_ended(
    const struct sketch *sketch, const double density[CELLS], double jobs[CELLS]);

/* Makes room for later jobs: moves the oldest of the latest jobs to the earlier ones, except for
 * one that is watched and does not take unusually long. */
void sketch_fold(struct sketch *sketch, const double density[CELLS]);

/* The jobs in each cell as a text, of letters, digits, "-" and "_". */
#define SKETCH_TEXT (2 * CELLS)
void sketch_write(const double jobs[CELLS], char text[SKETCH_TEXT + 1]);

/* Reads such a text. Returns false, and changes nothing, if it is not one. */
bool sketch_read(struct sketch *sketch, const char *text, size_t length);

#endif
