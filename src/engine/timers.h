/* timers.h - functions that are called when they are due. */
#ifndef CEKURA_TIMERS_H
#define CEKURA_TIMERS_H

#include "heap.h"
#include "step.h"

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* A part of what it is about; a node of a heap of timers, where its owner inserts it. */
struct timer {
    struct heap_node node;
    void (*fire)(struct timer *timer);
};

/* When the first is due; CLOCK_NEVER: there is none. */
int64_t timers_due_us(const struct heap *timers);

/* Fires those that are due, the earliest first, until the step is over. */
void timers_fire(struct heap *timers, int64_t now_us, const struct step *step);

#endif
