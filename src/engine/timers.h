/* timers.h - callbacks in the order of their due times. */
#ifndef CEKURA_TIMERS_H
#define CEKURA_TIMERS_H

#include "heap.h"
#include "step.h"

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* A member of the object that is due. Its owner inserts the node into a heap of timers. */
struct timer {
    struct heap_node node;
    void (*fire)(struct timer *timer);
};

/* When the first timer is due; CLOCK_NEVER if there is none. */
int64_t timers_due_us(const struct heap *timers);

/* Removes the timers that are due and calls them, the earliest first, until the step is over. */
void timers_fire(struct heap *timers, int64_t now_us, const struct step *step);

#endif
