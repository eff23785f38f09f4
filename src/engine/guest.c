/* guest.c - sockets of another part in an engine's loop; see guest.h. */
#include "guest.h"

#include "engine_parts.h"

void guest_enter(struct engine *engine)
{
    engine_enter(engine);
}

void guest_leave(struct engine *engine)
{
    if (gate_is_open(&engine->gate))
        loop_arm(&engine->loop, timers_due_us(&engine->timers));
    engine_leave(engine);
}

bool guest_may_work(const struct engine *engine)
{
    return gate_is_open(&engine->gate);
}

void guest_move_in(struct guest *guest, struct engine *engine)
{
    guest->engine = engine;
    guest->fd = -1;
    guest->events = 0;
    LIST_INSERT_HEAD(&engine->guests, guest, next);
    engine->step.signals.may_pipe = true; /* it may write without MSG_NOSIGNAL */
}

void guest_move_out(struct guest *guest)
{
    if (!guest->engine)
        return;
    guest_watch(guest, guest->fd, 0);
    LIST_REMOVE(guest, next);
    guest->engine = NULL;
}

bool guest_watch(struct guest *guest, int fd, uint32_t events)
{
    struct loop *loop = &guest->engine->loop;
    bool is_known = guest->events != 0;
    if (!guest_may_work(guest->engine) || (fd == guest->fd && events == guest->events))
        return true;
    if (is_known && (events == 0 || fd != guest->fd)) {
        loop_unwatch(loop, guest->fd);
        is_known = false;
    }
    guest->fd = fd;
    guest->events = events;
    return events == 0 || loop_watch(loop, fd, events, is_known);
}

void guest_register(struct engine *engine, struct item *item)
{
    completions_register(&engine->completions, item);
}

void guest_forget(struct engine *engine, struct item *item)
{
    completions_forget(&engine->completions, item);
}

void guest_list(struct engine *engine, struct item *item)
{
    completions_list(&engine->completions, item);
}

bool guest_reserve_timer(struct engine *engine)
{
    return heap_reserve(&engine->timers);
}

void guest_unreserve_timer(struct engine *engine)
{
    heap_unreserve(&engine->timers);
}

void guest_set_timer(struct engine *engine, struct timer *timer, int64_t due_us)
{
    heap_insert(&engine->timers, &timer->node, due_us);
}

void guest_stop_timer(struct engine *engine, struct timer *timer)
{
    heap_remove(&engine->timers, &timer->node);
}
