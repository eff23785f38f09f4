/* process.c - forks, and the exit of the process; see process.h. */
#include "process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Counted rather than asked for: getpid() is a system call, and the generation is checked in every
 * function. */
static atomic_uint generation;

/* A reader holds the process. The threads of several engines may overlap forever, so a writer goes
 * first, and their steps end early: a fork and the exit wait for one piece of work. */
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

/* The lock knows its writer by its thread's number, which is another in the child; and the threads
 * that wanted the process are not there. */
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

/* At a program's exit libcurl's TLS library is taken down by a handler that is called after this
 * one; a handler of the program that closes a Lua state may come later still. */
bool process_watch(void)
{
    return pthread_atfork(claim, process_release, begin_child) == 0 && atexit(begin_exit) == 0;
}

unsigned process_generation(void)
{
    return generation;
}
