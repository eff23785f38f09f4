/* signals.h - signals that are blocked for as long as libcurl works. */
#ifndef CEKURA_SIGNALS_H
#define CEKURA_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
    sigset_t before; /* the mask of the thread */
    bool are_blocked;
};

/* Blocks all signals, unless they are blocked. libcurl's resolver threads inherit the mask. If they
 * accepted signals, the kernel could deliver the host's SIGTERM to one of them, and no thread of
 * the host would be interrupted. */
void signals_block(struct signals *signals);

/* Ends that. A SIGPIPE that libcurl or its TLS library has caused meanwhile is consumed: when the
 * peer closes a connection, some of their writes lack MSG_NOSIGNAL. */
void signals_restore(struct signals *signals);

#endif
