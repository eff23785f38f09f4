/* completions.c - the queues of completions and events; see completions.h. */
#include "completions.h"

#include <stdlib.h>
#include <sys/socket.h>

void completions_init(struct completions *completions)
{
    TAILQ_INIT(&completions->listed);
    STAILQ_INIT(&completions->events);
    completions->notify_fd = -1;
}

void completions_register(struct completions *completions, struct item *item)
{
    LIST_INSERT_HEAD(&completions->items[item->kind], item, registered);
}

static void unlist(struct completions *completions, struct item *item)
{
    if (item->listed)
        TAILQ_REMOVE(&completions->listed, item, next);
    item->listed = false;
}

void completions_forget(struct completions *completions, struct item *item)
{
    struct event *event;
    LIST_REMOVE(item, registered);
    unlist(completions, item);
    for (event = STAILQ_FIRST(&completions->events); event && item->events;
         event = STAILQ_NEXT(event, next))
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
    if (!item->listed)
        TAILQ_INSERT_TAIL(&completions->listed, item, next);
    item->listed = true;
}

void completions_relist(struct completions *completions, int ref)
{
    for (size_t kind = 0; kind < ITEM_KINDS; kind++) {
        struct item *item;
        LIST_FOREACH (item, &completions->items[kind], registered)
            if (item->ref == ref)
                completions_list(completions, item);
    }
}

struct item *completions_next(struct completions *completions)
{
    struct item *item = TAILQ_FIRST(&completions->listed);
    if (!item || !STAILQ_EMPTY(&completions->events))
        return NULL;
    unlist(completions, item);
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
    STAILQ_INSERT_TAIL(&completions->events, copy, next);
}

struct event *completions_next_event(struct completions *completions)
{
    struct event *event = STAILQ_FIRST(&completions->events);
    if (!event)
        return NULL;
    STAILQ_REMOVE_HEAD(&completions->events, next);
    if (event->subject)
        event->subject->events--;
    return event;
}

bool completions_are_listed(const struct completions *completions)
{
    return !TAILQ_EMPTY(&completions->listed);
}

bool completions_are_pending(const struct completions *completions)
{
    return completions_are_listed(completions) || !STAILQ_EMPTY(&completions->events);
}

void completions_notify(struct completions *completions)
{
    if (completions->notify_fd >= 0)
        (void)send(completions->notify_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    completions->notify_fd = -1;
}
