/* step.h - the time slice of one step of an engine.
 *
 * The host is blocked during a step, so a step does a bounded amount of work. What is left over is
 * due at once. A caller that blocks anyway gets more done in each. */
#ifndef CEKURA_STEP_H
#define CEKURA_STEP_H

#include "gate.h"
#include "signals.h"

#include <stddef.h>

struct step {
    int64_t began_us, until_us;
    size_t bytes;                  /* of bodies that it may still read */
    bool had_input;                /* input has arrived, or is left to be read */
    int64_t longest_us;            /* the longest time that a caller was blocked */
    struct signals signals;        /* blocked in a part of it, see transfers_use_tls() */
    const struct gate *background; /* in the background, the engine's gate; else NULL */
};

/* The slice of a step in a host's loop, and of one for a caller that blocks. */
#define STEP_US 500
#define STEP_BLOCKING_US 1000

void step_begin(struct step *step, int64_t slice_us);

/* Records how long a caller was blocked. */
void step_record(struct step *step, int64_t span_us);

/* Takes bytes of a body that were read from the slice. */
void step_take(struct step *step, size_t length);

/* Whether the slice is used up: enough bytes were read, or enough time has passed. In the
 * background, also whether another thread wants the engine, to fork, or to exit. Checked after each
 * piece of work, so that a step makes progress with each kind. */
bool step_is_over(const struct step *step);

#endif
