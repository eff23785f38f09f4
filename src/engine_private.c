/* engine_private.c - the ground that engine.c, operation.c and poller.c stand on: who may use the
 * engine, what has finished, what is due, and who still holds on to it. */
#include "engine_private.h"

#include <pthread.h>
#include <stdlib.h>

/* Counted rather than asked for: getpid() is a system call, and this is looked at everywhere. */
static unsigned generation;

static void leave_engines(void)
{
    generation++;
}

/* At a program's exit libcurl's TLS library is taken down, by a handler that is called after this
 * one; a handler of the program's that closes a Lua state may come later still. */
bool engine_watch_process(void)
{
    return pthread_atfork(NULL, NULL, leave_engines) == 0 && atexit(leave_engines) == 0;
}

unsigned engine_generation(void)
{
    return generation;
}

bool engine_is_usable(const struct engine *engine)
{
    return !engine->closed && engine->generation == generation;
}

bool engine_step_is_over(const struct engine *engine)
{
    return engine->step_bytes == 0 || clock_monotonic_us() >= engine->step_until_us;
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
    struct item *item = engine->finished.next;
    if (item == &engine->finished)
        return NULL;
    engine_unlist(item);
    return item;
}

struct event *engine_next_event(struct engine *engine)
{
    struct event *event = engine->first_event;
    if (!event)
        return NULL;
    engine->first_event = event->next;
    if (!event->next)
        engine->last_event = &engine->first_event;
    return event;
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
    engine->references++;
}

void engine_release(struct engine *engine)
{
    if (--engine->references > 0)
        return;
    struct event *event;
    while ((event = engine_next_event(engine)))
        free(event);
    heap_destroy(&engine->timers);
    heap_destroy(&engine->polls_due);
    heap_destroy(&engine->queue);
    free(engine->user_agent);
    free(engine->ca_file);
    free(engine);
}
