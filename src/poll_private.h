/* poll_private.h - polls as engine.c sees them. */
#ifndef CEKURA_POLL_PRIVATE_H
#define CEKURA_POLL_PRIVATE_H

#include "poll.h"

/* Ends it with OUTCOME_CLOSED, as news if it is watched. */
void poll_end(struct poll *poll);

void poll_end_all(struct engine *engine);

#endif
