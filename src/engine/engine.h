/* engine.h - HTTP requests and repeated polls behind one descriptor.
 *
 * The engine knows HTTP, time and descriptors. It knows nothing of Lua and nothing of any API. It
 * runs operations (operation.h: one request, with its tries) and polls (poller.h: a request that is
 * repeated until its answer changes), and lists them when they have an outcome (completions.h).
 *
 * Everything that the engine waits for, libcurl's sockets and one timerfd, is in one epoll
 * descriptor. The host waits until that descriptor is readable, or until engine_due_us(), and calls
 * engine_step(), which never blocks. A step runs no callbacks of the layers above. It lists what
 * has finished, and the caller fetches that with engine_next_finished() after the step. So code
 * that handles an outcome may do anything, even close the engine.
 *
 * Threads: one thread at a time may use an engine, not always the same one. Beside it, one other
 * thread may call engine_step_in_background(). A step never changes what a pointer returned by a
 * function of this header, operation.h or poller.h points to; only further calls do.
 *
 * Forks: in a forked child an engine counts as closed, and the first step closes it without
 * touching the parent's connections. After exit() has begun, closing an engine likewise leaves
 * libcurl alone. */
#ifndef CEKURA_ENGINE_H
#define CEKURA_ENGINE_H

#include "completions.h"
#include "stats.h"

struct engine;
struct pollfd;

struct engine_options {
    unsigned max_in_flight; /* HTTP requests at once; further ones are queued */
    unsigned max_long;      /* long-running requests at once, beside these; see window.h */
    size_t max_response;    /* bytes of a body, counted after decompression */
    unsigned retries;       /* further tries of a request that may be repeated */
    int64_t connect_timeout_us;
    const char *user_agent;
    const char *ca_file;        /* PEM bundle, read again when it changes; NULL: the system's */
    const char *proxy;          /* a URL, "" for none; NULL: the proxy that the environment names */
    const char *const *headers; /* "Name: value", sent with every request; wiped at close */
    size_t header_count;
    bool loopback;      /* the service is on this machine: ignore the environment's proxy */
    bool secure;        /* https: engine_new() loads the certificates, so that no step has to */
    bool report_events; /* see engine_next_event() */
    double speed;       /* see engine_set_speed(); 0: 1 */
};

/* Creates an engine. On failure, returns NULL and sets *message to a constant string. The options
 * are copied. */
struct engine *engine_new(const struct engine_options *options, const char **message);

/* Ends every operation and every watched poll with OUTCOME_CLOSED, and closes all connections and
 * descriptors. The ended items can still be fetched. Idempotent. */
void engine_close(struct engine *engine);

bool engine_is_closed(const struct engine *engine);

/* Closes the engine, and releases the reference of its owner. The memory is freed with the last
 * reference; each operation, poll and bridge holds one. */
void engine_free(struct engine *engine);

/* Adds or releases a reference, which keeps the memory of an engine, closed or not. */
void engine_retain(struct engine *engine);
void engine_release(struct engine *engine);

/* A closed engine that is never freed, to stand in for one that was. */
struct engine *engine_none(void);

/* The descriptor to watch for reading; -1 when closed. */
int engine_fd(const struct engine *engine);

/* When a step is due, on the monotonic clock. CLOCK_NEVER means only when the descriptor is
 * readable. */
int64_t engine_due_us(struct engine *engine);

/* Sets an alarm for the timers of the layers above: the descriptor becomes readable at that time,
 * too, and repeatedly until the next call. It becomes readable soon if there are completions which
 * have not been fetched. CLOCK_NEVER disarms it. */
void engine_alarm(struct engine *engine, int64_t due_us);

/* Adds (1) or removes (-1) a waiter for polls. Watched polls are sent only while there is one. */
void engine_wait_for_polls(struct engine *engine, int change);

/* Does what is due. If wait_us > 0, it steps and blocks until there is something to fetch, that
 * time is over, or a signal has arrived; that is for a caller without a loop. */
void engine_step(struct engine *engine, int64_t wait_us);

/* The same for several engines: blocks until one of them has something to fetch. `room` is for that
 * many descriptors. */
void engine_step_all(
    struct engine *const *engines, size_t count, struct pollfd *room, int64_t wait_us);

/* A step that never waits, for a thread beside the host's. It ends as soon as another thread wants
 * the engine. Returns false if there is something to fetch, as in engine_notify(), or the engine is
 * closed. */
bool engine_step_in_background(struct engine *engine);

/* Sends one byte to a socket as soon as there is something to fetch: a completion, an event, or an
 * alarm that has gone off. Closing the engine sends it, too. Returns false, and sends nothing, if
 * there is something already, or the engine is closed. */
bool engine_notify(struct engine *engine, int fd);

/* Cancels a pending notification of that socket. */
void engine_cancel_notify(struct engine *engine, int fd);

/* Whether there is something to fetch, as in engine_notify(). */
bool engine_has_completions(struct engine *engine);

/* Divides the pauses that the engine makes by itself, from the next one on: between polls, between
 * tries, after a 429. For services that simulate one, whose jobs end so much sooner. Deadlines stay
 * as they are. */
void engine_set_speed(struct engine *engine, double speed);
double engine_speed(struct engine *engine);

/* Whether anything is queued, in flight, being polled or listed. */
bool engine_is_busy(struct engine *engine);

/* Removes the first listed item and returns it. Returns NULL if there is none, or if there are
 * events, which are fetched before the items that they are about. */
struct item *engine_next_finished(struct engine *engine);

/* Lists the registered item with that ref again, because it could not be handled. */
void engine_relist(struct engine *engine, int ref);

/* Removes the first event and returns it; the caller frees it with free(). Returns NULL if there is
 * none, or report_events is false. */
struct event *engine_next_event(struct engine *engine);

struct engine_stats engine_stats(struct engine *engine);

/* An endpoint (endpoint.h) whose last answer with 429 has that number; numbers begin with 1. Its
 * name has the same bytes in every process that sends requests to the same URLs. */
#define ENGINE_ENDPOINT_SIZE 2048
struct engine_hold {
    int64_t number;
    int64_t left_us; /* of the hold that its answers asked for; 0: it is over */
    char endpoint[ENGINE_ENDPOINT_SIZE];
};

/* Sets *hold to the endpoint of the next 429 after hold->number. Only the last 429 of an endpoint
 * counts, and endpoints with longer names are left out. If there is none, or the engine is closed,
 * returns false and sets hold->number to the number of the last 429 of all. */
bool engine_next_hold(struct engine *engine, struct engine_hold *hold);

/* Does what a 429 with a Retry-After of that span would do if the named endpoint answered it now;
 * but engine_next_hold() does not report it. Returns false, and changes nothing, if that is not the
 * name of an endpoint, the engine is closed or memory runs out. */
bool engine_hold(struct engine *engine, const char *endpoint, int64_t span_us);

/* For how long the endpoint of that URL is held; 0 if it is not. */
int64_t engine_held_us(struct engine *engine, const char *method, const char *url);

/* What polls that learn (poller_learn()) have learned of the durations of each kind of jobs: the
 * name of kind `index`, and a text for engine_learn(), which is empty if it is too little. Returns
 * NULL behind the last kind. The name belongs to the engine. */
#define ENGINE_DURATIONS_SIZE 257
const char *engine_durations(
    struct engine *engine, unsigned index, char text[ENGINE_DURATIONS_SIZE]);

/* Has the polls of a kind of jobs begin with such a text, in place of what they have learned.
 * Returns false, and changes nothing, if the text is malformed, the engine is closed or memory runs
 * out. Without an engine, it only checks the text. */
bool engine_learn(struct engine *engine, const char *kind, const char *text, size_t length);

#endif
