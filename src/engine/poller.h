/* poller.h - a request that is repeated until its answer changes.
 *
 * A watched poll is an entry in the engine's heap of due times, not an easy handle and not a
 * coroutine. When it is due its request is sent. An answer equal to the last one only sets the next
 * due time, and so does a transient failure (no answer, 429, 5xx). Anything else is an update: the
 * poll is listed, and pauses until poller_accept() or poller_reject(). A poll that is unwatched
 * while its request is in flight is listed when that request has ended, with or without an update.
 *
 * The caller owns a poll until poller_free(). Pointers that these functions return belong to the
 * poll. */
#ifndef CEKURA_POLLER_H
#define CEKURA_POLLER_H

#include "operation.h"

struct poller;

/* Creates a poll, not yet watched, of that request, which has neither headers nor a body. The
 * poll's URL is `url` of the request, the id, and `url_rest`: polls with the same request share all
 * but the id. If started_here, the first request waits for the schedule's first pause. Growing
 * pauses end at usual_us. Returns NULL if memory runs out or the engine is closed. */
struct poller *poller_new(struct engine *engine, const struct request *request, const char *id,
    bool started_here, int64_t usual_us);

void poller_free(struct poller *poll);

/* Watches the poll: its request is repeated while there is a waiter (engine_wait_for_polls()), at
 * the interval fixed_us or, if that is 0, at the schedule's pauses. Its item is listed with `ref`.
 * May be called again to change the interval. */
void poller_watch(struct poller *poll, int64_t fixed_us, int ref);

/* Has the schedule learn from the durations of jobs of that kind, unless the poll is watched at an
 * interval: see learner.h. `started_us` is the start of the job. NULL: it does so no longer.
 * Returns false, and changes nothing, if memory runs out. */
bool poller_learn(struct poller *poll, const char *kind, int64_t started_us);

/* The job has ended now, as an answer has shown. */
void poller_ended(struct poller *poll);

/* How long the job takes from now on says nothing of other jobs. */
void poller_disregard(struct poller *poll);

/* Stops sending. A request in flight continues, so that an answer which is on its way is not
 * lost. */
void poller_unwatch(struct poller *poll);

/* Whether the poll is or may still become listed, or the subject of an event. The caller keeps its
 * `ref` valid until then. */
bool poller_is_needed(const struct poller *poll);

/* Its `ref` is no longer valid: another item may get it. */
void poller_forget_ref(struct poller *poll);

/* The outcome of the update, or NULL if there is none. */
const struct outcome *poller_update(const struct poller *poll);

/* Ends the pause after an update. */
void poller_accept(struct poller *poll);

/* The same after an update that cannot be used: it counts as a transient failure, and the earlier
 * good answer stays the last one. */
void poller_reject(struct poller *poll);

/* The last transient failure since poller_forget_error(), or NULL. Valid until the next call of
 * either. */
const struct outcome *poller_last_error(struct poller *poll);
void poller_forget_error(struct poller *poll);

/* The body of the last good answer, empty if there is none. */
const struct buffer *poller_answer(struct poller *poll);

/* Delays the next request by at least that span, as an answer from outside the schedule asked. */
void poller_postpone(struct poller *poll, int64_t span_us);

/* Records a good answer from outside the schedule: it counts as a poll, and later answers are
 * compared with it. Returns false, and changes nothing, if memory runs out. */
bool poller_set_answer(struct poller *poll, const char *body, size_t length);

/* Makes the next good answer an update, even if it equals the last one, for a new waiter. */
void poller_force_update(struct poller *poll);

/* Makes the next request due at once, whatever the schedule says, but not before a Retry-After has
 * passed. A request in flight is followed by another, since it may have been answered too early. */
void poller_expedite(struct poller *poll);

/* Records a request from outside the schedule that brought no good answer: it counts as a poll. */
void poller_count_poll(struct poller *poll);

/* Sends later requests to another URL, of the same id and endpoint. The next good answer is an
 * update. The answer to a request in flight, which went to the former URL, is ignored. Returns
 * false, and changes nothing, if memory runs out. */
bool poller_set_url(struct poller *poll, const char *url, const char *url_rest);

/* Whether a request is scheduled or under way. If so, `span_us` becomes the time until it is due: 0
 * once it is. */
bool poller_next(const struct poller *poll, int64_t *span_us);

/* The engine that it was created with. */
const struct engine *poller_engine(const struct poller *poll);

/* As poller_new() was called. */
bool poller_is_started_here(const struct poller *poll);

/* The number of requests that have ended. */
uint32_t poller_count(const struct poller *poll);

#endif
