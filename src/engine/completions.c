/* completions.c - what an engine has for the layers above; see completions.h. */
#include "completions.h"

#include <stdlib.h>
#include <sys/socket.h>

void completions_register(struct completions *completions, struct item *item)
{
    LIST_INSERT_HEAD(&completions->items[item->kind], item, registered);
}

static void unlist(struct item *item)
{
    if (!item->listed)
        return;
    item->listed = false;
    item->previous->next = item->next;
    item->next->previous = item->previous;
}

void completions_forget(struct completions *completions, struct item *item)
{
    LIST_REMOVE(item, registered);
    unlist(item);
    for (struct event *event = completions->first_event; event && item->events; event = event->next)
        if (event->subject == item) {
            event->subject = NULL;
            item->events--;
        }
}

void completions_end_all(struct completions *completions)
{
    for (size_t kind = 0; kind < ITEM_KINDS; kind++) {
        struct item *item;
        LIST_FOREACH (item, &completions->items[kind], registered)
            item->end(item);
    }
}

void completions_list(struct completions *completions, struct item *item)
{
    if (item->listed)
        return;
    struct item *ring = &completions->listed;
    item->listed = true;
    item->next = ring;
    item->previous = ring->previous;
    ring->previous->next = item;
    ring->previous = item;
}

struct item *completions_next(struct completions *completions)
{
    struct item *item = completions->listed.next;
    if (!completions_are_listed(completions) || completions->first_event)
        return NULL;
    unlist(item);
    return item;
}

void completions_report(struct completions *completions, const struct event *event)
{
    struct event *copy = completions->report_events ? malloc(sizeof *copy) : NULL;
    if (!copy)
        return;
    *copy = *event;
    copy->ref = event->subject->ref;
    copy->subject->events++;
    *completions->last_event = copy;
    completions->last_event = &copy->next;
}

struct event *completions_next_event(struct completions *completions)
{
    struct event *event = completions->first_event;
    if (!event)
        return NULL;
    completions->first_event = event->next;
    if (!event->next)
        completions->last_event = &completions->first_event;
    if (event->subject)
        event->subject->events--;
    return event;
}

bool completions_are_listed(const struct completions *completions)
{
    return completions->listed.next != &completions->listed;
}

bool completions_are_there(const struct completions *completions)
{
    return completions_are_listed(completions) || completions->first_event;
}

void completions_notify(struct completions *completions)
{
    if (completions->notify_fd >= 0)
        (void)send(completions->notify_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    completions->notify_fd = -1;
}
