/* poll.h - a request that is repeated until its answer changes.
 *
 * A poll that is watched is an entry in the engine's heap of due times, no handle and no coroutine.
 * When it is due it becomes an operation; an answer equal to the last one only sets the next due
 * time, and so does trouble that may pass (no answer, 429, 5xx). Anything else is news: the poll is
 * listed as finished, and rests until poll_continue(). */
#ifndef CEKURA_POLL_H
#define CEKURA_POLL_H

#include "operation.h"

struct poll;

/* A poll of that request, not yet watched. started_here: its first poll waits for the schedule's
 * first pause. usual_us: the interval that growing pauses end at. NULL: out of memory or closed. */
struct poll *poll_new(
    struct engine *engine, const struct request *request, bool started_here, int64_t usual_us);

void poll_free(struct poll *poll);

struct item *poll_item(struct poll *poll);

/* From now on it is polled; fixed_us > 0: at that interval, else at the schedule's pauses. May be
 * called again to change the interval. */
void poll_watch(struct poll *poll, int64_t fixed_us);

/* No further request. One that is in flight is let finish, so that an answer which is already on
 * its way is not lost. */
void poll_unwatch(struct poll *poll);

bool poll_is_watched(const struct poll *poll);

/* A request of this poll is on its way: it will be listed once more, watched or not, if it brings
 * news. */
bool poll_in_flight(const struct poll *poll);

/* The outcome that was news; NULL if there is none. */
const struct outcome *poll_news(const struct poll *poll);

/* Ends the rest after news. */
void poll_continue(struct poll *poll);

/* The last trouble that was polled through, NULL if a good answer came since. */
const struct outcome *poll_trouble(const struct poll *poll);

/* Body of the last good answer. */
const struct buffer *poll_answer(const struct poll *poll);

/* Tells of a good answer that somebody got by himself: it counts as a poll, and later ones are
 * compared with it. False: out of memory, and nothing has changed. */
bool poll_put_answer(struct poll *poll, const char *body, size_t length);

/* How many requests of it have ended. */
uint32_t poll_count(const struct poll *poll);

#endif
