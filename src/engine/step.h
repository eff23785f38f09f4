/* step.h - how much one step of an engine does.
 *
 * A host waits for the step to return, so it does so much and no more; what it leaves is due at
 * once. */
#ifndef CEKURA_STEP_H
#define CEKURA_STEP_H

#include "gate.h"

#include <stddef.h>

struct step {
    int64_t began_us, until_us;
    size_t bytes;                  /* of bodies, that it may still read */
    bool heard;                    /* something has come, or is still to be read */
    int64_t longest_us;            /* that a caller was blocked */
    const struct gate *background; /* the gate that it leaves as soon as others want to enter; NULL:
                                      the host steps */
};

void step_begin(struct step *step);

/* A caller was blocked for so long. */
void step_record(struct step *step, int64_t span_us);

/* Bytes of a body were read. */
void step_take(struct step *step, size_t length);

/* Whether the step has read enough, or has taken long enough; or, in the background, whether
 * another thread wants the engine, or wants to fork or end the process. Asked after each piece of
 * work: one of each kind is done in any case, so that everything goes on. */
bool step_is_over(const struct step *step);

#endif
