/* poller.h - a request that is repeated until its answer changes.
 *
 * A poll that is watched is an entry in the engine's heap of due times, no handle and no coroutine.
 * When it is due it becomes an operation; an answer equal to the last one only sets the next due
 * time, and so does trouble that may pass (no answer, 429, 5xx). Anything else is news: the poll is
 * listed as finished, and rests until poller_accept() or poller_reject(). One that is in flight
 * when it is unwatched is listed when that is over, with news or without. */
#ifndef CEKURA_POLLER_H
#define CEKURA_POLLER_H

#include "operation.h"

struct poller;

/* A poll of that request, not yet watched. started_here: its first poll waits for the schedule's
 * first pause. usual_us: the interval that growing pauses end at. NULL: out of memory or closed. */
struct poller *poller_new(
    struct engine *engine, const struct request *request, bool started_here, int64_t usual_us);

void poller_free(struct poller *poll);

/* From now on it is polled, while somebody waits (engine_wait_for_polls()), and listed by `ref`;
 * fixed_us > 0: at that interval, else at the schedule's pauses. May be called again, to change the
 * interval. */
void poller_watch(struct poller *poll, int64_t fixed_us, int ref);

/* No further request. One that is in flight is let finish, so that an answer which is already on
 * its way is not lost. */
void poller_unwatch(struct poller *poll);

/* Whether it is, or may still be, listed, or told of by an event: its `ref` is needed until then.
 */
bool poller_is_needed(const struct poller *poll);

/* The outcome that was news; NULL if there is none. */
const struct outcome *poller_update(const struct poller *poll);

/* Lists it once more, for news that could not be taken in. */
void poller_relist(struct poller *poll);

/* Ends the rest after news. */
void poller_accept(struct poller *poll);

/* The same after news that says nothing: it counts as trouble that was polled through, and the last
 * good answer stays the one before. */
void poller_reject(struct poller *poll);

/* The last trouble that was polled through since it was last forgotten; NULL: none. */
const struct outcome *poller_last_error(struct poller *poll);
void poller_forget_error(struct poller *poll);

/* Body of the last good answer. */
const struct buffer *poller_answer(struct poller *poll);

/* The next poll comes no sooner: an answer from outside the schedule asked for that. */
void poller_postpone(struct poller *poll, int64_t span_us);

/* Tells of a good answer that somebody got by himself: it counts as a poll, and later ones are
 * compared with it. False: out of memory, and nothing has changed. */
bool poller_set_answer(struct poller *poll, const char *body, size_t length);

/* The next good answer is news, also if it is equal to the last: whoever is told of it is another.
 */
void poller_force_update(struct poller *poll);

/* Its next request is due at once, whatever the schedule says, when it is watched; not before a
 * Retry-After has passed. One that is in flight does not count: it may have come too early. */
void poller_expedite(struct poller *poll);

/* Tells of a request for it that somebody made by himself, and that brought no good answer. */
void poller_count_poll(struct poller *poll);

/* How many requests of it have ended. */
uint32_t poller_count(const struct poller *poll);

#endif
