/* poller_private.h - polls as engine.c sees them. */
#ifndef CEKURA_POLLER_PRIVATE_H
#define CEKURA_POLLER_PRIVATE_H

#include "poller.h"

/* Ends it with OUTCOME_CLOSED, as news if it is watched. */
void poller_end(struct poller *poll);

void poller_end_all(struct engine *engine);

#endif
