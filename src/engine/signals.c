/* signals.c - the signals that are blocked while an engine works; see signals.h. */
#include "signals.h"

#include <pthread.h>
#include <time.h>

void signals_block(struct signals *signals)
{
    sigset_t all;
    if (signals->are_blocked)
        return;
    sigfillset(&all);
    signals->are_blocked = pthread_sigmask(SIG_SETMASK, &all, &signals->before) == 0;
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

bool signals_are_pending(const struct signals *signals)
{
    const sigset_t *before = &signals->before;
    sigset_t pending;
    if (!signals->are_blocked || sigpending(&pending) != 0 || sigisemptyset(&pending))
        return false;
    if (signals->may_pipe && sigismember(&pending, SIGPIPE) && !sigismember(before, SIGPIPE))
        drop_sigpipe(&pending);
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        if (sigismember(&pending, signal) == 1 && sigismember(before, signal) == 0)
            return true;
    return false;
}

void signals_restore(struct signals *signals)
{
    if (!signals->are_blocked)
        return;
    if (signals->may_pipe && !sigismember(&signals->before, SIGPIPE))
        (void)signals_are_pending(signals);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    signals->are_blocked = false;
}
