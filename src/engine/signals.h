/* signals.h - the signals that are blocked while an engine works.
 *
 * libcurl's resolver threads inherit the signal mask. If they accepted signals, the kernel could
 * deliver the host's SIGTERM to one of them, and no thread of the host would be interrupted. */
#ifndef CEKURA_SIGNALS_H
#define CEKURA_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
    sigset_t before; /* the caller's mask, while they are blocked */
    bool are_blocked;
    /* What is done meanwhile may raise SIGPIPE. A TLS library may when the peer closes a
     * connection, because some of its writes lack MSG_NOSIGNAL; libcurl's own have it. */
    bool may_pipe;
};

/* Blocks all signals, unless they are blocked. */
void signals_block(struct signals *signals);

/* Restores the caller's mask, if they are blocked. A SIGPIPE that was raised meanwhile is
 * dropped. */
void signals_restore(struct signals *signals);

/* Drops SIGPIPE in the same way. Returns whether another signal waits for signals_restore(). */
bool signals_are_pending(const struct signals *signals);

#endif
