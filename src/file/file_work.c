/* file_work.c - reads or replaces a locked file in a background thread; see file_work.h. */
#include "file_work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define STACK_SIZE ((size_t)256 * 1024)

struct file_work {
    atomic_uint references; /* one of the caller, one of the thread */
    struct locked_file *file;
    bool replaces;
    struct buffer text;
    int code;

    pthread_mutex_t mutex; /* guards `done` */
    pthread_cond_t finished;
    bool done;
};

static void release(struct file_work *work)
{
    if (atomic_fetch_sub(&work->references, 1) > 1)
        return;
    locked_file_free(work->file);
    buffer_free(&work->text);
    pthread_cond_destroy(&work->finished);
    pthread_mutex_destroy(&work->mutex);
    free(work);
}

static void *run_thread(void *user)
{
    struct file_work *work = user;
    work->code = work->replaces
                     ? locked_file_replace(work->file, work->text.bytes, work->text.length)
                     : locked_file_read(work->file, &work->text);
    pthread_mutex_lock(&work->mutex);
    work->done = true;
    pthread_cond_signal(&work->finished);
    pthread_mutex_unlock(&work->mutex);
    release(work);
    return NULL;
}

/* The thread inherits a mask that blocks all signals: they belong to the host's threads. */
static bool start_thread(struct file_work *work)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t signals, before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    sigfillset(&signals);
    pthread_sigmask(SIG_SETMASK, &signals, &before);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &attributes, run_thread, work) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

/* Timed waits use the monotonic clock, so a change of the system's date does not move them. */
static bool init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

static struct file_work *work_new(struct locked_file *file)
{
    struct file_work *work = calloc(1, sizeof *work);
    if (!work)
        return NULL;
    if (!init_condition(&work->finished)) {
        free(work);
        return NULL;
    }
    pthread_mutex_init(&work->mutex, NULL);
    work->file = file;
    work->references = 2;
    locked_file_retain(file);
    return work;
}

static struct file_work *start(struct file_work *work)
{
    if (start_thread(work))
        return work;
    release(work); /* the thread's reference */
    release(work);
    return NULL;
}

struct file_work *file_work_read(struct locked_file *file)
{
    struct file_work *work = work_new(file);
    return work ? start(work) : NULL;
}

struct file_work *file_work_replace(struct locked_file *file, const char *text, size_t length)
{
    struct file_work *work = work_new(file);
    if (!work)
        return NULL;
    work->replaces = true;
    if (buffer_append(&work->text, text, length, LOCKED_FILE_LIMIT) == BUFFER_OK)
        return start(work);
    release(work);
    release(work);
    return NULL;
}

/* Whether this is a forked child, and the work's thread runs in the parent. The thread may have
 * held the mutex at the fork. */
static bool is_orphaned(const struct file_work *work)
{
    return locked_file_is_inherited(work->file);
}

bool file_work_is_done(struct file_work *work)
{
    if (is_orphaned(work))
        return true;
    pthread_mutex_lock(&work->mutex);
    bool is_done = work->done;
    pthread_mutex_unlock(&work->mutex);
    return is_done;
}

int file_work_finish(struct file_work *work, int64_t wait_us, const struct buffer **text)
{
    struct timespec until;
    *text = &work->text;
    if (is_orphaned(work))
        return LOCKED_FILE_LOST;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + wait_us % 1000000 * 1000;
    until.tv_sec += (time_t)(wait_us / 1000000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    int fault = 0;
    pthread_mutex_lock(&work->mutex);
    while (!work->done && !fault)
        fault = pthread_cond_timedwait(&work->finished, &work->mutex, &until);
    int code = work->done ? work->code : LOCKED_FILE_SLOW;
    pthread_mutex_unlock(&work->mutex);
    return code;
}

void file_work_free(struct file_work *work)
{
    if (is_orphaned(work))
        return; /* leaked: the thread's reference is never released here */
    release(work);
}
