/* engine_private.c - the ground that engine.c, operation.c and poller.c stand on: who may use the
 * engine, what has finished, what is due, and who still holds on to it. */
#include "engine_private.h"

#include "endpoint.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Counted rather than asked for: getpid() is a system call, and this is looked at everywhere. */
static atomic_uint generation;

/* Read: the process stays as it is. The threads of several engines may overlap for ever, so what is
 * to write goes first, and their steps end early: a fork and the exit wait for one piece of work.
 */
#define PROCESS_LOCK PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
static pthread_rwlock_t process = PROCESS_LOCK;
static atomic_uint process_wanted;

void engine_hold_process(void)
{
    pthread_rwlock_rdlock(&process);
}

void engine_release_process(void)
{
    pthread_rwlock_unlock(&process);
}

/* Before the process is another one, or none. */
static void claim_process(void)
{
    process_wanted++;
    pthread_rwlock_wrlock(&process);
    process_wanted--;
}

/* The lock knows its writer by his number, which is another here. */
static void begin_child(void)
{
    generation++;
    process = (pthread_rwlock_t)PROCESS_LOCK;
    process_wanted = 0; /* by threads that are not here */
}

static void leave_engines(void)
{
    claim_process();
    generation++;
    engine_release_process();
}

/* At a program's exit libcurl's TLS library is taken down, by a handler that is called after this
 * one; a handler of the program's that closes a Lua state may come later still. */
bool engine_watch_process(void)
{
    return pthread_atfork(claim_process, engine_release_process, begin_child) == 0 &&
           atexit(leave_engines) == 0;
}

unsigned engine_generation(void)
{
    return generation;
}

void engine_record_blocked(struct engine *engine, int64_t span_us)
{
    if (span_us > engine->stats.longest_step_us)
        engine->stats.longest_step_us = span_us;
}

static bool is_of_this_process(const struct engine *engine)
{
    return engine->generation == generation;
}

/* In a forked child the thread may have left the gate shut, and is not there any more. */
struct engine *engine_enter(struct engine *engine)
{
    if (is_of_this_process(engine))
        engine_record_blocked(engine, gate_enter(&engine->gate));
    return engine;
}

void engine_leave(struct engine *engine)
{
    if (is_of_this_process(engine))
        gate_leave(&engine->gate);
}

bool engine_is_usable(const struct engine *engine)
{
    return !engine->closed && is_of_this_process(engine);
}

bool engine_step_is_over(const struct engine *engine)
{
    return engine->step_bytes == 0 || clock_monotonic_us() >= engine->step_until_us ||
           (engine->aside && (gate_is_wanted(&engine->gate) || process_wanted > 0));
}

/* splitmix64: for jitter, not for secrets. */
uint64_t engine_random(struct engine *engine)
{
    uint64_t z = (engine->random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* ---- what has finished ---- */

void engine_list_finished(struct engine *engine, struct item *item)
{
    if (item->listed)
        return;
    struct item *ring = &engine->finished;
    item->listed = true;
    item->next = ring;
    item->previous = ring->previous;
    ring->previous->next = item;
    ring->previous = item;
}

void engine_unlist(struct item *item)
{
    if (!item->listed)
        return;
    item->listed = false;
    item->previous->next = item->next;
    item->next->previous = item->previous;
}

struct item *engine_next_finished(struct engine *engine)
{
    engine_enter(engine);
    struct item *item = engine->finished.next;
    if (item == &engine->finished || engine->first_event)
        item = NULL;
    else
        engine_unlist(item);
    engine_leave(engine);
    return item;
}

static struct event *take_event(struct engine *engine)
{
    struct event *event = engine->first_event;
    if (!event)
        return NULL;
    engine->first_event = event->next;
    if (!event->next)
        engine->last_event = &engine->first_event;
    return event;
}

struct event *engine_next_event(struct engine *engine)
{
    engine_enter(engine);
    struct event *event = take_event(engine);
    if (event && event->subject)
        event->subject->events--;
    engine_leave(engine);
    return event;
}

void engine_forget(struct engine *engine, struct item *item)
{
    engine_unlist(item);
    for (struct event *event = engine->first_event; event && item->events; event = event->next)
        if (event->subject == item) {
            event->subject = NULL;
            item->events--;
        }
}

bool engine_has_completions(const struct engine *engine)
{
    return engine->finished.next != &engine->finished || engine->first_event || engine->rang;
}

void engine_send_notification(struct engine *engine)
{
    if (engine->tell_fd >= 0)
        (void)send(engine->tell_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    engine->tell_fd = -1;
}

bool engine_notify(struct engine *engine, int fd)
{
    engine_enter(engine);
    bool has_news = engine_has_completions(engine) || engine->closed;
    engine->tell_fd = has_news ? -1 : fd;
    engine_leave(engine);
    return !has_news;
}

void engine_cancel_notify(struct engine *engine, int fd)
{
    engine_enter(engine);
    if (engine->tell_fd == fd)
        engine->tell_fd = -1;
    engine_leave(engine);
}

/* ---- what is due ---- */

void engine_set_timer(struct engine *engine, struct timer *timer, int64_t due_us)
{
    heap_insert(&engine->timers, &timer->node, due_us);
}

void engine_clear_timer(struct engine *engine, struct timer *timer)
{
    heap_remove(&engine->timers, &timer->node);
}

void engine_set_poll(struct engine *engine, struct timer *timer, int64_t due_us)
{
    heap_insert(&engine->polls_due, &timer->node, due_us);
}

void engine_clear_poll(struct engine *engine, struct timer *timer)
{
    heap_remove(&engine->polls_due, &timer->node);
}

/* ---- who holds on to it ---- */

void engine_retain(struct engine *engine)
{
    atomic_fetch_add(&engine->references, 1);
}

void engine_release(struct engine *engine)
{
    if (atomic_fetch_sub(&engine->references, 1) > 1)
        return;
    struct event *event;
    while ((event = take_event(engine)))
        free(event);
    heap_destroy(&engine->timers);
    heap_destroy(&engine->polls_due);
    endpoint_forget_all(engine);
    free(engine->user_agent);
    free(engine->ca_file);
    free(engine->bundle.path);
    free(engine->proxy_peer);
    free(engine);
}
