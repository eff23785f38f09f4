/* engine.h - HTTP requests and repeated polls behind one descriptor.
 *
 * The engine knows HTTP, time and descriptors. It knows nothing of Lua and nothing of any API. What
 * is asked of it are operations (operation.h: one request, with its tries) and polls (poller.h: a
 * request that is repeated until its answer changes); what it gives back are their outcomes.
 *
 * Everything it waits for, curl's sockets and one timerfd, is in one epoll descriptor. A host waits
 * until that is readable, or until engine_due_us(), and calls engine_step(), which never blocks.
 * Nothing is called back from a step: what finished is listed, and fetched with
 * engine_next_finished() once the step has returned. So whoever handles an outcome may do anything,
 * also close the engine.
 *
 * One thread at a time may use an engine, not always the same one; beside it another may step it,
 * by engine_step_in_background(). What a function here, or of operation.h or poller.h, returns a
 * pointer to is changed by no step, only by further calls. An engine does not survive a fork: in
 * the child it counts as closed, the first step there closes it, and the parent's connections are
 * left alone. So it is from exit() on: what is closed then, libcurl hears nothing of. */
#ifndef CEKURA_ENGINE_H
#define CEKURA_ENGINE_H

#include "text/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

struct engine_options {
    unsigned max_in_flight; /* HTTP requests at once; more wait their turn */
    size_t max_response;    /* bytes of a body, counted after decompression */
    unsigned retries;       /* further tries of what may be repeated */
    int64_t connect_timeout_us;
    const char *user_agent;
    const char
        *ca_file; /* PEM bundle in place of the system's, or NULL; read again when it changes */
    const char *proxy;          /* NULL: what the environment says */
    const char *const *headers; /* "Name: value", sent with every request; wiped at close */
    size_t header_count;
    bool loopback;      /* plain http to this machine: no proxy of the environment */
    bool secure;        /* https: certificates are loaded by engine_new, not in a step */
    bool report_events; /* see engine_next_event() */
};

/* How an operation ended. */
enum outcome_kind {
    OUTCOME_RESPONSE,  /* a whole answer, whatever its status */
    OUTCOME_NETWORK,   /* no answer */
    OUTCOME_TLS,       /* the service, or the proxy, could not prove its identity */
    OUTCOME_TIMEOUT,   /* the deadline of the operation, or the one for connecting, passed */
    OUTCOME_TRUNCATED, /* the head of an answer came, its body did not arrive whole */
    OUTCOME_TOO_LARGE, /* the body went over max_response, or the head over a limit of its own */
    OUTCOME_ENCODED,   /* more than once */
    OUTCOME_GARBLED,   /* in an encoding that was not offered, or is broken or cut */
    OUTCOME_MALFORMED, /* what came is not HTTP */
    OUTCOME_CONFIG,    /* libcurl cannot do what it is asked for */
    OUTCOME_PROXY_REFUSED, /* the proxy wants a user and password, or allows no such connection */
    OUTCOME_HELD,          /* never sent: the service said when to come back, beyond the deadline */
    OUTCOME_NO_MEMORY,
    OUTCOME_CANCELLED,
    OUTCOME_CLOSED,
};

struct outcome {
    enum outcome_kind kind;
    int status;            /* HTTP status, 0 where none came */
    struct buffer headers; /* the head of the answer as it came, status line first */
    struct buffer body;    /* decompressed; of a truncated or too large one, what came */
    char *message;         /* what went wrong, in words; NULL with OUTCOME_RESPONSE */
    unsigned tries;
    bool sent;              /* the last try may have reached the service */
    int64_t retry_after_us; /* what the answer asked for; negative: nothing */
};

/* What is listed when it has finished. `ref` belongs to the caller, who finds his object by it. */
enum item_kind { ITEM_OPERATION, ITEM_POLLER };

struct item {
    enum item_kind kind;
    bool listed;
    int ref;
    unsigned events; /* of it, that are to be fetched */
    struct item *next, *previous;
};

struct engine_stats {
    uint64_t requests; /* tries that were sent off */
    uint64_t retries;  /* of these, the ones that repeated another */
    uint64_t connections;
    uint64_t bytes_in;
    unsigned in_flight, most_in_flight;
    unsigned polls;          /* polls that were made, as objects */
    unsigned retry_quota;    /* what is left of it, see retry.h */
    int64_t longest_step_us; /* what kept a caller longest: his step, or one aside */
};

enum event_kind { EVENT_STARTED, EVENT_RETRIED, EVENT_FINISHED };

struct event {
    enum event_kind kind;
    int ref;              /* of the operation or poll */
    struct item *subject; /* NULL: it is gone */
    enum outcome_kind outcome;
    int status;
    unsigned tries;
    int64_t pause_us;   /* EVENT_RETRIED: until the next try */
    int64_t elapsed_us; /* since the operation was submitted */
    struct event *next;
};

/* NULL on failure, with `message` (constant) telling why. The options are copied. */
struct engine *engine_new(const struct engine_options *options, const char **message);

/* Ends every operation and watched poll with OUTCOME_CLOSED, closes all connections and
 * descriptors. They are still listed and can be fetched. Idempotent. */
void engine_close(struct engine *engine);

bool engine_is_closed(const struct engine *engine);

/* Closes, and frees once the last operation and poll is freed too. */
void engine_free(struct engine *engine);

/* Keeps the memory of an engine, closed or not, until it is released. */
void engine_retain(struct engine *engine);
void engine_release(struct engine *engine);

/* One that is closed and never was another, to stand where an engine was freed. */
struct engine *engine_none(void);

/* The descriptor to watch for reading; -1 when closed. */
int engine_fd(const struct engine *engine);

/* When a step is due, on the monotonic clock; CLOCK_NEVER: only when the descriptor is readable. */
int64_t engine_due_us(struct engine *engine);

/* Makes the descriptor readable at that time too, for what the layers above have due, and again and
 * again until the next call; and soon, if they have left something that they could fetch.
 * CLOCK_NEVER: no longer. */
void engine_alarm(struct engine *engine, int64_t due_us);

/* Watched pollers are polled while `waiting` is above zero: +1 when somebody begins to wait for
 * one, -1 when he no longer does. */
void engine_wait_for_polls(struct engine *engine, int change);

/* Does what is due. With wait_us > 0 it first blocks until there is something to do, or so long:
 * that is for a caller with no loop of its own. */
void engine_step(struct engine *engine, int64_t wait_us);

/* The same without waiting, for a thread beside the host's: it leaves the engine to others as soon
 * as they want it. False: there is something for the layers above, see engine_notify(), or
 * the engine is of no use any more. */
bool engine_step_in_background(struct engine *engine);

/* Has a byte sent to a socket, once, as soon as there is something for the layers above: what has
 * finished, an event, the time of the alarm; also when the engine is closed. False: there is
 * already, and nothing is sent. */
bool engine_notify(struct engine *engine, int fd);

/* Calls that off, if it was about this socket. */
void engine_cancel_notify(struct engine *engine, int fd);

/* Whether anything is queued, in flight or being polled. */
bool engine_is_busy(struct engine *engine);

/* What has finished since the last call, oldest first; NULL when there is no more, and as long as
 * there are events: those of what has finished come before it. */
struct item *engine_next_finished(struct engine *engine);

/* Events since the last call, if report_events; the caller frees each with free(). */
struct event *engine_next_event(struct engine *engine);

struct engine_stats engine_stats(struct engine *engine);

#endif
