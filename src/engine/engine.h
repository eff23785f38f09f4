/* engine.h - HTTP requests and repeated polls behind one descriptor.
 *
 * The engine knows HTTP, time and descriptors. It knows nothing of Lua and nothing of any API. It
 * runs operations (operation.h: one request, with its tries) and polls (poller.h: a request that is
 * repeated until its answer changes), and lists them when they have an outcome (completions.h).
 *
 * Everything it waits for, curl's sockets and one timerfd, is in one epoll descriptor. A host waits
 * until that is readable, or until engine_due_us(), and calls engine_step(), which never blocks.
 * A step calls nothing back: what finished is listed, and fetched with engine_next_finished() once
 * the step has returned. So code that handles an outcome may do anything, also close the engine.
 *
 * One thread at a time may use an engine, not always the same one; beside it another may step it,
 * by engine_step_in_background(). What a function here, or of operation.h or poller.h, returns a
 * pointer to is changed by no step, only by further calls. An engine does not survive a fork: in
 * the child it counts as closed, the first step there closes it, and the parent's connections are
 * left alone. The same holds from exit() on: an engine that is closed then leaves libcurl alone. */
#ifndef CEKURA_ENGINE_H
#define CEKURA_ENGINE_H

#include "completions.h"
#include "stats.h"

struct engine;

struct engine_options {
    unsigned max_in_flight; /* HTTP requests at once; more wait their turn */
    size_t max_response;    /* bytes of a body, counted after decompression */
    unsigned retries;       /* further tries of what may be repeated */
    int64_t connect_timeout_us;
    const char *user_agent;
    const char *ca_file;        /* PEM bundle, read again when it changes; NULL: the system's */
    const char *proxy;          /* NULL: what the environment says */
    const char *const *headers; /* "Name: value", sent with every request; wiped at close */
    size_t header_count;
    bool loopback;      /* plain http to this machine: no proxy of the environment */
    bool secure;        /* https: certificates are loaded by engine_new, not in a step */
    bool report_events; /* see engine_next_event() */
};

/* NULL on failure, with the reason in `message` (constant). The options are copied. */
struct engine *engine_new(const struct engine_options *options, const char **message);

/* Ends every operation and watched poll with OUTCOME_CLOSED, closes all connections and
 * descriptors. They are listed and can be fetched. Idempotent. */
void engine_close(struct engine *engine);

bool engine_is_closed(const struct engine *engine);

/* Closes, and frees once the last operation and poll is freed too. */
void engine_free(struct engine *engine);

/* Keeps the memory of an engine, closed or not, until it is released. */
void engine_retain(struct engine *engine);
void engine_release(struct engine *engine);

/* An engine that was never open, to stand where one was freed. */
struct engine *engine_none(void);

/* The descriptor to watch for reading; -1 when closed. */
int engine_fd(const struct engine *engine);

/* When a step is due, on the monotonic clock; CLOCK_NEVER: only when the descriptor is readable. */
int64_t engine_due_us(struct engine *engine);

/* Makes the descriptor readable at that time too, for what the layers above have due, and again and
 * again until the next call; and soon, if they have not fetched all that is listed. CLOCK_NEVER: no
 * longer. */
void engine_alarm(struct engine *engine, int64_t due_us);

/* Watched polls are polled while there is a waiter for polls: 1 when one comes, -1 when one goes.
 */
void engine_wait_for_polls(struct engine *engine, int change);

/* Does what is due. With wait_us > 0 it first blocks until there is something to do, or so long:
 * that is for a caller without a loop. */
void engine_step(struct engine *engine, int64_t wait_us);

/* The same without waiting, for a thread beside the host's: the step ends as soon as another thread
 * wants the engine. False: there is something for the layers above, see engine_notify(), or the
 * engine is closed. */
bool engine_step_in_background(struct engine *engine);

/* Has a byte sent to a socket, once, as soon as there is something for the layers above: what has
 * finished, an event, the time of the alarm; also when the engine is closed. False: there is
 * something already, and nothing is sent. */
bool engine_notify(struct engine *engine, int fd);

/* Undoes that, for this socket. */
void engine_cancel_notify(struct engine *engine, int fd);

/* Whether anything is queued, in flight or being polled. */
bool engine_is_busy(struct engine *engine);

/* The next item that is listed, oldest first; NULL: there is none, or there are events, which come
 * before what they are about. */
struct item *engine_next_finished(struct engine *engine);

/* The next event, if report_events, to be freed with free(); NULL: there is none. */
struct event *engine_next_event(struct engine *engine);

struct engine_stats engine_stats(struct engine *engine);

#endif
