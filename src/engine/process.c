/* process.c - forks and the exit of the process; see process.h. */
#include "process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A counter, since getpid() is a system call, and every function checks the generation. */
static atomic_uint generation;

/* Readers hold the process. The readers of several engines may overlap forever, so writers have
 * priority. Steps end early when there is a writer, so a fork and the exit wait for one piece of
 * work at most. */
#define PROCESS_LOCK PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
static pthread_rwlock_t process = PROCESS_LOCK;
static atomic_uint wanted;

void process_hold(void)
{
    pthread_rwlock_rdlock(&process);
}

void process_release(void)
{
    pthread_rwlock_unlock(&process);
}

bool process_is_wanted(void)
{
    return wanted > 0;
}

static void claim(void)
{
    wanted++;
    pthread_rwlock_wrlock(&process);
    wanted--;
}

/* The lock records its writer by thread id, which differs in the child. The threads that wanted the
 * process do not exist there. */
static void begin_child(void)
{
    generation++;
    process = (pthread_rwlock_t)PROCESS_LOCK;
    wanted = 0;
}

static void begin_exit(void)
{
    claim();
    generation++;
    process_release();
}

/* Exit handlers run in reverse order of registration: this one, then the one in which the TLS
 * library cleans up, then perhaps one of the program that closes a Lua state. */
bool process_watch(void)
{
    return pthread_atfork(claim, process_release, begin_child) == 0 && atexit(begin_exit) == 0;
}

unsigned process_generation(void)
{
    return generation;
}
