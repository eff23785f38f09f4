/* forked.c - descriptors that a forked child must not share with its parent; see forked.h. */
#include "forked.h"

#include <pthread.h>
#include <stddef.h>

static LIST_HEAD(, forked) watched = LIST_HEAD_INITIALIZER(watched);
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool forks_are_watched;

static void before_fork(void)
{
    pthread_mutex_lock(&mutex);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&mutex);
}

static void begin_child(void)
{
    struct forked *forked;
    LIST_FOREACH (forked, &watched, link)
        forked->in_child(forked);
    pthread_mutex_unlock(&mutex);
}

static void watch_forks(void)
{
    forks_are_watched = pthread_atfork(before_fork, after_fork, begin_child) == 0;
}

bool forked_watch(struct forked *forked, void (*in_child)(struct forked *forked))
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    if (!forks_are_watched)
        return false;
    forked->in_child = in_child;
    pthread_mutex_lock(&mutex);
    LIST_INSERT_HEAD(&watched, forked, link);
    pthread_mutex_unlock(&mutex);
    return true;
}

void forked_forget(struct forked *forked)
{
    pthread_mutex_lock(&mutex);
    LIST_REMOVE(forked, link);
    pthread_mutex_unlock(&mutex);
}
