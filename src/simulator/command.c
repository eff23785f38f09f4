/* command.c - runs a program with the server beside it; see command.h. */
#include "command.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* Starts the program with the signals of this process as they were. Returns an errno, or 0. */
static int start(char *const *words, char *const *environment, const sigset_t *mask, pid_t *pid)
{
    posix_spawnattr_t attributes;
    int fault = posix_spawnattr_init(&attributes);
    if (fault)
        return fault;
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    fault = posix_spawnp(pid, words[0], NULL, &attributes, words, environment);
    posix_spawnattr_destroy(&attributes);
    return fault;
}

static struct command_end wait_for(pid_t pid, const sigset_t *signals)
{
    int status;
    siginfo_t info;
    while (waitpid(pid, &status, WNOHANG) == 0)
        if (sigwaitinfo(signals, &info) > 0 && info.si_signo != SIGCHLD &&
            info.si_code != SI_KERNEL)
            kill(pid, info.si_signo);
    if (WIFSIGNALED(status))
        return (struct command_end){.signal = WTERMSIG(status)};
    return (struct command_end){.status = WEXITSTATUS(status)};
}

struct command_end command_run(char *const *words, char *const *environment)
{
    sigset_t signals, before;
    struct sigaction children, by_default = {.sa_handler = SIG_DFL};
    struct command_end end = {0};
    pid_t pid;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaddset(&signals, passed_on[i]);
    sigaction(SIGCHLD, &by_default, &children); /* ignored, its exit status would be lost */
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    end.fault = start(words, environment, &before, &pid);
    if (end.fault == 0)
        end = wait_for(pid, &signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGCHLD, &children, NULL);
    return end;
}
