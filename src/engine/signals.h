/* signals.h - the signals that are blocked while an engine works.
 *
 * libcurl's resolver threads inherit the signal mask. If they accepted signals, the kernel could
 * deliver the host's SIGTERM to one of them, and no thread of the host would be interrupted. */
#ifndef CEKURA_SIGNALS_H
#define CEKURA_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Blocks all signals. `before` becomes the caller's mask. */
void signals_block(sigset_t *before);

/* Restores the caller's mask. A SIGPIPE that was raised meanwhile is dropped: when the peer closes
 * a connection, libcurl or its TLS library may raise it, because some of their writes lack
 * MSG_NOSIGNAL. */
void signals_restore(const sigset_t *before);

/* Drops SIGPIPE in the same way. Returns whether another signal waits for signals_restore(). */
bool signals_are_pending(const sigset_t *before);

#endif
