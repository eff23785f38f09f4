/* signals.c - signals that are blocked for as long as libcurl works; see signals.h. */
#include "signals.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

void signals_block(struct signals *signals)
{
    sigset_t all;
    if (signals->are_blocked)
        return;
    sigfillset(&all);
    signals->are_blocked = pthread_sigmask(SIG_SETMASK, &all, &signals->before) == 0;
}

void signals_restore(struct signals *signals)
{
    sigset_t pending;
    if (!signals->are_blocked)
        return;
    if (!sigismember(&signals->before, SIGPIPE) && sigpending(&pending) == 0 &&
        sigismember(&pending, SIGPIPE)) {
        sigset_t pipe_only;
        const struct timespec at_once = {0};
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        sigtimedwait(&pipe_only, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    signals->are_blocked = false;
}
