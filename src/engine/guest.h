/* guest.h - sockets that another part of the program has in an engine's loop, so that one
 * descriptor serves both: src/redis is such a part.
 *
 * A guest has at most one socket. What it has finished it lists as an item among the engine's
 * completions (completions.h), and its deadlines are timers of the engine (timers.h). Its callbacks
 * run in a step, on whichever thread that is: they neither block nor call the layers above.
 *
 * All of these functions are called with the engine entered: in a callback it is, and elsewhere
 * between guest_enter() and guest_leave(). */
#ifndef CEKURA_GUEST_H
#define CEKURA_GUEST_H

#include "completions.h"
#include "timers.h"

#include <stdint.h>

struct engine;

struct guest {
    struct engine *engine; /* NULL: it has not moved in */
    int fd;                /* -1: no socket */
    uint32_t events;       /* EPOLLIN, EPOLLOUT: what the socket is watched for */
    void (*ready)(struct guest *guest, uint32_t events);
    LIST_ENTRY(guest) next;
};

void guest_enter(struct engine *engine);

/* What the guest has done may be due: the descriptor becomes readable then. */
void guest_leave(struct engine *engine);

/* Whether the engine works: it has not been closed, and this is not a forked child. */
bool guest_may_work(const struct engine *engine);

/* Moves a guest in, whose owner holds a reference to the engine, and out. Without an engine, moving
 * out does nothing. */
void guest_move_in(struct guest *guest, struct engine *engine);
void guest_move_out(struct guest *guest);

/* Watches a socket for those events; 0: it is not watched. Returns false if that fails. */
bool guest_watch(struct guest *guest, int fd, uint32_t events);

/* Registers an item, whose `kind`, `ref` and `end` are set, and unregisters it before it is freed;
 * lists it for the caller of engine_next_finished(). */
void guest_register(struct engine *engine, struct item *item);
void guest_forget(struct engine *engine, struct item *item);
void guest_list(struct engine *engine, struct item *item);

/* Reserves room for a timer, before it is set, and returns it; sets the timer, or moves it; stops
 * it. */
bool guest_reserve_timer(struct engine *engine);
void guest_unreserve_timer(struct engine *engine);
void guest_set_timer(struct engine *engine, struct timer *timer, int64_t due_us);
void guest_stop_timer(struct engine *engine, struct timer *timer);

#endif
