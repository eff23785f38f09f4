/* timers.c - callbacks in the order of their due times; see timers.h. */
#include "timers.h"

#include "clock.h"

int64_t timers_due_us(const struct heap *timers)
{
    const struct heap_node *first = heap_first(timers);
    return first ? first->due_us : CLOCK_NEVER;
}

void timers_fire(struct heap *timers, int64_t now_us, const struct step *step)
{
    do {
        struct heap_node *first = heap_first(timers);
        if (!first || first->due_us > now_us)
            return;
        struct timer *timer = container_of(first, struct timer, node);
        heap_remove(timers, first);
        timer->fire(timer);
    } while (!step_is_over(step));
}
