/* poller.c - a request that is repeated until its answer changes; see poller.h. */
#include "poller.h"

#include "operation_private.h"
#include "poller_private.h"
#include "retry.h"
#include "schedule.h"

#include <stdlib.h>

struct poller {
    struct item item;
    struct operation operation;
    LIST_ENTRY(poller) link;
    struct timer due;
    struct schedule schedule;
    int64_t last_us;       /* the start of the job, or the end of the last poll */
    int64_t not_before_us; /* Retry-After of the last poll */
    int64_t began_us;      /* the last poll */
    int64_t hurried_us;    /* no poll that began before is enough; 0: the schedule is */
    struct buffer answer; /* of the last good poll but for one that is news: it is in the outcome */
    struct outcome trouble; /* what was polled through last */
    struct outcome shown;   /* and was given out */
    bool has_trouble, is_shown, watched, news;
    bool look_again; /* the next good answer is news, also if it is the known one */
};

static void unset_due(struct poller *poll)
{
    engine_clear_poll(poll->operation.engine, &poll->due);
}

static void set_due(struct poller *poll)
{
    struct engine *engine = poll->operation.engine;
    if (!poll->watched || poll->news || operation_is_active(&poll->operation))
        return;
    int64_t due_us =
        engine->origin_us +
        schedule_due_us(&poll->schedule, poll->last_us - engine->origin_us, engine_random(engine));
    if (poll->hurried_us)
        due_us = poll->last_us;
    if (due_us < poll->not_before_us)
        due_us = poll->not_before_us;
    engine_set_poll(engine, &poll->due, due_us);
}

static void on_due(struct timer *timer)
{
    struct poller *poll = container_of(timer, struct poller, due);
    poll->began_us = clock_monotonic_us();
    operation_start(&poll->operation);
}

/* ---- answers ---- */

static void free_outcome(struct outcome *outcome)
{
    buffer_free(&outcome->headers);
    buffer_free(&outcome->body);
    free(outcome->message);
    *outcome = (struct outcome){.retry_after_us = -1};
}

static void move_outcome(struct outcome *to, struct outcome *from)
{
    free_outcome(to);
    *to = *from;
    *from = (struct outcome){.retry_after_us = -1};
}

static void forget_trouble(struct poller *poll)
{
    free_outcome(&poll->trouble);
    free_outcome(&poll->shown);
    poll->has_trouble = poll->is_shown = false;
}

static void keep_trouble(struct poller *poll, struct outcome *outcome)
{
    move_outcome(&poll->trouble, outcome);
    poll->has_trouble = true;
}

/* What passes by itself, without a look at it; a status of trouble does whatever became of the
 * body. */
static bool may_pass(const struct outcome *outcome)
{
    switch (outcome->kind) {
    case OUTCOME_NETWORK:
    case OUTCOME_TIMEOUT:
    case OUTCOME_HELD:
    case OUTCOME_NO_MEMORY:
        return true;
    case OUTCOME_RESPONSE:
    case OUTCOME_TRUNCATED:
    case OUTCOME_GARBLED:
        return outcome->status == 429 || outcome->status >= 500;
    default:
        return false;
    }
}

static bool is_good(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_RESPONSE && outcome->status >= 200 && outcome->status < 300;
}

/* Where the body of the last good answer is. */
static struct buffer *answer_of(struct poller *poll)
{
    struct outcome *outcome = &poll->operation.outcome;
    return poll->news && is_good(outcome) ? &outcome->body : &poll->answer;
}

static void on_answer(struct operation *operation)
{
    struct poller *poll = container_of(operation, struct poller, operation);
    struct outcome *outcome = &operation->outcome;
    if (poll->began_us >= poll->hurried_us)
        poll->hurried_us = 0;
    poll->last_us = clock_monotonic_us();
    poll->schedule.polls += outcome->kind != OUTCOME_CLOSED && outcome->kind != OUTCOME_HELD;
    if (outcome->status) /* without an answer, what the last one asked for holds */
        poll->not_before_us = poll->last_us + retry_hold_us(outcome->retry_after_us);

    if (may_pass(outcome)) {
        keep_trouble(poll, outcome);
    } else if (is_good(outcome) && !poll->look_again && poll->answer.bytes &&
               buffer_equal(&outcome->body, &poll->answer)) {
        buffer_clear(&outcome->body); /* nothing new */
    } else {
        poll->news = true;
        poll->look_again = false;
    }
    /* One that nobody watches any more is listed in any case: somebody may wait to let go of it. */
    if (poll->news || !poll->watched)
        engine_list_finished(operation->engine, &poll->item);
    set_due(poll);
}

/* ---- life ---- */

struct poller *poller_new(
    struct engine *engine, const struct request *request, bool started_here, int64_t usual_us)
{
    if (!engine_is_usable(engine))
        return NULL;
    struct poller *poll = calloc(1, sizeof *poll);
    if (!poll)
        return NULL;
    engine_enter(engine);
    poll->item.kind = ITEM_POLLER;
    poll->due.fire = on_due;
    poll->schedule = (struct schedule){.usual_us = usual_us, .started_here = started_here};
    poll->last_us = clock_monotonic_us();
    if (!heap_reserve(&engine->polls_due))
        goto no_timer;
    if (!operation_init(
            &poll->operation, engine, request, OPERATION_PATIENT, &poll->item, on_answer))
        goto no_operation;
    LIST_INSERT_HEAD(&engine->polls, poll, link);
    engine->stats.polls++;
    engine_leave(engine);
    return poll;

no_operation:
    heap_unreserve(&engine->polls_due);
no_timer:
    engine_leave(engine);
    free(poll);
    return NULL;
}

static bool is_in_flight(const struct poller *poll)
{
    return poll->operation.state == OPERATION_IN_FLIGHT;
}

static void unwatch(struct poller *poll)
{
    if (!poll->watched)
        return;
    poll->watched = false;
    poll->operation.engine->watched--;
    unset_due(poll);
    if (operation_is_active(&poll->operation) && !is_in_flight(poll))
        operation_withdraw(&poll->operation);
}

void poller_free(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    unwatch(poll);
    engine_forget(engine, &poll->item);
    LIST_REMOVE(poll, link);
    heap_unreserve(&engine->polls_due);
    forget_trouble(poll);
    buffer_free(&poll->answer);
    operation_destroy(&poll->operation);
    engine_leave(engine);
    engine_release(engine);
    free(poll);
}

void poller_watch(struct poller *poll, int64_t fixed_us, int ref)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->item.ref = ref;
    poll->schedule.fixed_us = fixed_us;
    if (!poll->watched)
        engine->watched++;
    poll->watched = true;
    if (!engine_is_usable(engine))
        poller_end(poll);
    set_due(poll);
    engine_leave(engine);
}

void poller_unwatch(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    unwatch(poll);
    engine_leave(engine);
}

void poller_relist(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    engine_list_finished(engine, &poll->item);
    engine_leave(engine);
}

static void end_rest(struct poller *poll)
{
    poll->news = false;
    if (poll->watched && !engine_is_usable(poll->operation.engine))
        poller_end(poll); /* closed while its news was looked at */
    set_due(poll);
}

void poller_accept(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    struct buffer *answer = answer_of(poll);
    if (answer != &poll->answer)
        buffer_move(&poll->answer, answer);
    end_rest(poll);
    engine_leave(engine);
}

void poller_reject(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    if (poll->news)
        keep_trouble(poll, &poll->operation.outcome);
    end_rest(poll);
    engine_leave(engine);
}

void poller_end(struct poller *poll)
{
    unset_due(poll);
    operation_end(&poll->operation, OUTCOME_CLOSED, "the client was closed");
    if (!poll->watched || poll->news)
        return;
    operation_clear(&poll->operation);
    poll->operation.outcome.kind = OUTCOME_CLOSED;
    poll->news = true;
    engine_list_finished(poll->operation.engine, &poll->item);
}

void poller_end_all(struct engine *engine)
{
    struct poller *poll;
    LIST_FOREACH (poll, &engine->polls, link)
        poller_end(poll);
}

/* ---- what others may know of it ---- */

bool poller_is_needed(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    bool is_needed = poll->watched || is_in_flight(poll) || poll->news || poll->item.listed ||
                     poll->item.events > 0;
    engine_leave(engine);
    return is_needed;
}

const struct outcome *poller_update(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    bool news = poll->news;
    engine_leave(engine);
    return news ? &poll->operation.outcome : NULL;
}

/* A step may replace the one that it keeps, but not the one that was given out. */
const struct outcome *poller_last_error(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    if (poll->has_trouble)
        move_outcome(&poll->shown, &poll->trouble);
    poll->is_shown |= poll->has_trouble;
    poll->has_trouble = false;
    engine_leave(engine);
    return poll->is_shown ? &poll->shown : NULL;
}

void poller_forget_error(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    forget_trouble(poll);
    engine_leave(engine);
}

const struct buffer *poller_answer(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    const struct buffer *answer = answer_of(poll);
    engine_leave(engine);
    return answer;
}

/* When the next poll is due has changed, also for one that waits for its turn. */
static void set_due_anew(struct poller *poll)
{
    if (poll->operation.state == OPERATION_QUEUED)
        operation_withdraw(&poll->operation);
    set_due(poll);
}

void poller_postpone(struct poller *poll, int64_t span_us)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->not_before_us = clock_monotonic_us() + retry_hold_us(span_us);
    set_due_anew(poll);
    engine_leave(engine);
}

static void count_poll(struct poller *poll)
{
    poll->last_us = clock_monotonic_us();
    poll->hurried_us = 0;
    poll->schedule.polls++;
    set_due_anew(poll);
}

bool poller_set_answer(struct poller *poll, const char *body, size_t length)
{
    struct buffer answer = {0};
    if (buffer_append(&answer, body, length, SIZE_MAX) != BUFFER_OK)
        return false;
    struct engine *engine = engine_enter(poll->operation.engine);
    buffer_move(answer_of(poll), &answer);
    count_poll(poll);
    engine_leave(engine);
    return true;
}

void poller_force_update(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->look_again = true;
    engine_leave(engine);
}

void poller_expedite(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->hurried_us = clock_monotonic_us();
    if (poll->operation.state == OPERATION_QUEUED) /* it is sent later than now */
        poll->began_us = poll->hurried_us;
    set_due(poll);
    engine_leave(engine);
}

void poller_count_poll(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    count_poll(poll);
    engine_leave(engine);
}

uint32_t poller_count(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    uint32_t count = poll->schedule.polls;
    engine_leave(engine);
    return count;
}
