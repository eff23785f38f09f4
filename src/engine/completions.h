/* completions.h - the queues from which the layers above fetch what has happened.
 *
 * Each operation and each poll has an item, which is registered for as long as the operation or
 * poll exists. An item is listed when its operation has finished or its poll has an update, and is
 * fetched in that order. Events, if they are reported, are in a second queue, which is fetched
 * first. One socket can be notified when either queue has an entry. */
#ifndef CEKURA_COMPLETIONS_H
#define CEKURA_COMPLETIONS_H

#include "request.h"

#include <sys/queue.h>

enum item_kind { ITEM_POLLER, ITEM_OPERATION, ITEM_GUEST, ITEM_KINDS }; /* the last: guest.h */

struct item {
    enum item_kind kind;
    int ref; /* the caller's key of the object */
    bool listed;
    unsigned events;                /* queued events about it */
    void (*end)(struct item *item); /* called when the engine is being closed */
    LIST_ENTRY(item) registered;
    TAILQ_ENTRY(item) next; /* in the queue of listed items */
};

enum event_kind { EVENT_STARTED, EVENT_RETRIED, EVENT_FINISHED };

struct event {
    enum event_kind kind;
    int ref;              /* of the operation or poll */
    struct item *subject; /* NULL once freed */
    enum outcome_kind outcome;
    int status;
    unsigned tries;
    int64_t pause_us;   /* EVENT_RETRIED: until the next try */
    int64_t elapsed_us; /* since the operation was submitted */
    STAILQ_ENTRY(event) next;
};

LIST_HEAD(item_list, item);
TAILQ_HEAD(item_queue, item);
STAILQ_HEAD(event_queue, event);

struct completions {
    bool report_events;
    struct item_list items[ITEM_KINDS];
    struct item_queue listed;
    struct event_queue events;
    int notify_fd; /* the socket to notify; -1: none */
};

void completions_init(struct completions *completions);

void completions_register(struct completions *completions, struct item *item);

/* Unregisters an item before it is freed: removes it from the list and from the events about it. */
void completions_forget(struct completions *completions, struct item *item);

/* Calls end() of all registered items: first polls, then operations, each newest first. */
void completions_end_all(struct completions *completions);

/* Lists an item, unless it is listed already. */
void completions_list(struct completions *completions, struct item *item);

/* Lists the registered item with that ref, if there is one. */
void completions_relist(struct completions *completions, int ref);

/* Removes the first listed item and returns it. Returns NULL if there is none, or if events are to
 * be fetched first. */
struct item *completions_next(struct completions *completions);

/* Queues a copy of the event if events are reported. If memory runs out, the event is lost. */
void completions_report(struct completions *completions, const struct event *event);

/* Removes the first event and returns it; the caller frees it. Returns NULL if there is none. */
struct event *completions_next_event(struct completions *completions);

/* Whether an item is listed. */
bool completions_are_listed(const struct completions *completions);

/* Whether there is an item or an event to fetch. */
bool completions_are_pending(const struct completions *completions);

/* Writes a byte to notify_fd, if it is set, and unsets it. */
void completions_notify(struct completions *completions);

#endif
