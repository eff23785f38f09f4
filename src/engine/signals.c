/* signals.c - the signals that are blocked while an engine works; see signals.h. */
#include "signals.h"

#include <pthread.h>
#include <time.h>

void signals_block(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static void drop_sigpipe(sigset_t *pending)
{
    sigset_t pipe_only;
    const struct timespec at_once = {0};
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigtimedwait(&pipe_only, NULL, &at_once);
    sigdelset(pending, SIGPIPE);
}

bool signals_are_pending(const sigset_t *before)
{
    sigset_t pending;
    if (sigpending(&pending) != 0 || sigisemptyset(&pending))
        return false;
    if (sigismember(&pending, SIGPIPE) && !sigismember(before, SIGPIPE))
        drop_sigpipe(&pending);
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        if (sigismember(&pending, signal) == 1 && sigismember(before, signal) == 0)
            return true;
    return false;
}

void signals_restore(const sigset_t *before)
{
    if (!sigismember(before, SIGPIPE))
        (void)signals_are_pending(before);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}
