/* completions.h - what an engine has for the layers above.
 *
 * Each operation and each poll has an item, which is registered from its making to its freeing. An
 * item is listed when its subject has finished, or has an update, and is fetched in that order.
 * Events, if they are reported, are fetched before it. A socket can be notified of both. */
#ifndef CEKURA_COMPLETIONS_H
#define CEKURA_COMPLETIONS_H

#include "request.h"

#include <sys/queue.h>

enum item_kind { ITEM_POLLER, ITEM_OPERATION, ITEM_KINDS };

struct item {
    enum item_kind kind;
    int ref; /* the caller's, to find the object by */
    bool listed;
    unsigned events;                /* about it, that are to be fetched */
    void (*end)(struct item *item); /* the engine is being closed */
    LIST_ENTRY(item) registered;
    TAILQ_ENTRY(item) next; /* of those that are listed */
};

enum event_kind { EVENT_STARTED, EVENT_RETRIED, EVENT_FINISHED };

struct event {
    enum event_kind kind;
    int ref;              /* of the operation or poll */
    struct item *subject; /* NULL: it was freed */
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

/* The item is about to be freed: it is not listed, and no event is about it. */
void completions_forget(struct completions *completions, struct item *item);

/* Ends all that are registered: the polls, then the operations, each the youngest first. */
void completions_end_all(struct completions *completions);

/* Lists an item, unless it is listed already. */
void completions_list(struct completions *completions, struct item *item);

/* The next item, which is listed no longer; NULL: there is none, or events come before it. */
struct item *completions_next(struct completions *completions);

/* Reports a copy of the event, if events are reported; without memory it is lost. */
void completions_report(struct completions *completions, const struct event *event);

/* The next event, to be freed; NULL: there is none. */
struct event *completions_next_event(struct completions *completions);

/* Whether an item is listed. */
bool completions_are_listed(const struct completions *completions);

/* Whether there is anything to fetch, an item or an event. */
bool completions_are_there(const struct completions *completions);

/* Writes a byte to the socket that waits for a notification, once. */
void completions_notify(struct completions *completions);

#endif
