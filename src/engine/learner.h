/* learner.h - when jobs are polled that take as long as those of their kind took before.
 *
 * A learner has the sketch of a kind of jobs and the plan that follows from it. Each job that is to
 * be polled by it has a `struct learning`. What polls show goes into the sketch, and the plan is
 * made again for the next pause after some jobs have ended. */
#ifndef CEKURA_LEARNER_H
#define CEKURA_LEARNER_H

#include "plan.h"

#include <sys/queue.h>

struct learner {
    SLIST_ENTRY(learner) next;
    struct sketch sketch;
    struct plan plan;
    int64_t usual_us; /* the usual pause; a plan has the mean delay of polls at that pause */
    unsigned changes; /* of jobs, since the plan was made */
    bool is_stale;    /* the plan is to be made again */
    char kind[];
};

/* A zeroed list is valid, and empty. */
SLIST_HEAD(learners, learner);

/* The learner of that kind, a new one if there is none. Returns NULL if memory runs out. */
struct learner *learners_find(struct learners *learners, const char *kind);

void learners_free(struct learners *learners);

/* The sketch as a text. Returns false if it has too few jobs for a plan. */
bool learner_write(const struct learner *learner, char text[SKETCH_TEXT + 1]);

/* Replaces the sketch. */
void learner_begin_with(struct learner *learner, const struct sketch *sketch);

/* ---- jobs ---- */

struct learning {
    struct learner *learner;
    int64_t started_us; /* the start of the job */
    uint32_t number;    /* of the job in the sketch; 0: it does not count */
};

/* Begins the learning of a job, before its first poll. If it does not count, its polls follow the
 * plan, but the sketch does without it. Returns NULL if memory runs out. */
struct learning *learning_new(struct learner *learner, int64_t started_us, bool counts);

/* What was seen of the job. Times are those of the monotonic clock. */
void learning_runs(struct learning *learning, int64_t now_us);
void learning_ended(struct learning *learning, int64_t now_us);

/* The job is not watched any longer, or is watched again. */
void learning_left(struct learning *learning);
void learning_resumed(struct learning *learning);

/* The job counts no longer. */
void learning_disregard(struct learning *learning);

/* The pause after a poll at last_us that has shown that the job goes on, or after its start. 0: too
 * little is known. */
int64_t learning_pause_us(const struct learning *learning, int64_t last_us);

#endif
