/* poller.c - a request that is repeated until its answer changes; see poller.h. */
#include "poller.h"

#include "clock.h"
#include "operation_private.h"
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

struct poller {
    struct operation operation;
    LIST_ENTRY(poller) watched; /* in the engine's list, see is_watched() */
    struct timer due;
    struct schedule schedule;
    int64_t last_us;       /* when the job started, or the last request ended */
    int64_t not_before_us; /* from the last Retry-After */
    int64_t began_us;      /* when the last request was queued */
    int64_t expedited_us;  /* when poller_expedite() was called; 0: the schedule applies */
    struct buffer answer;  /* the last good one, unless that is the update, in the outcome */
    char *url;             /* from poller_set_url(), or NULL */
    struct outcome error;  /* the last transient failure */
    struct outcome shown;  /* the one that poller_last_error() returned */
    bool has_error, is_shown, has_update;
    bool is_forced;   /* the next good answer is an update, even if it equals the last */
    bool is_outdated; /* the request in flight went to a former URL */
};

static bool is_watched(const struct poller *poll)
{
    return poll->watched.le_prev != NULL;
}

static void set_due(struct poller *poll)
{
    struct engine *engine = poll->operation.engine;
    if (!is_watched(poll) || poll->has_update || operation_is_active(&poll->operation))
        return;
    int64_t last_us = poll->last_us - engine->polls.origin_us;
    int64_t due_us = engine->polls.origin_us +
                     schedule_due_us(&poll->schedule, last_us, jitter_next(&engine->jitter));
    if (poll->expedited_us)
        due_us = poll->last_us;
    if (due_us < poll->not_before_us)
        due_us = poll->not_before_us;
    heap_insert(&engine->polls.due, &poll->due.node, due_us);
}

static void unset_due(struct poller *poll)
{
    heap_remove(&poll->operation.engine->polls.due, &poll->due.node);
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

static void forget_error(struct poller *poll)
{
    free_outcome(&poll->error);
    free_outcome(&poll->shown);
    poll->has_error = poll->is_shown = false;
}

static void keep_error(struct poller *poll, struct outcome *outcome)
{
    move_outcome(&poll->error, outcome);
    poll->has_error = true;
}

/* Whether a failure is transient, so that polling continues. With a status of 429 or 5xx the body
 * does not matter. */
static bool is_transient(const struct outcome *outcome)
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

/* The body of the last good answer. */
static struct buffer *answer_of(struct poller *poll)
{
    struct outcome *outcome = &poll->operation.outcome;
    return poll->has_update && is_good(outcome) ? &outcome->body : &poll->answer;
}

static void on_answer(struct operation *operation)
{
    struct poller *poll = container_of(operation, struct poller, operation);
    struct outcome *outcome = &operation->outcome;
    if (poll->began_us >= poll->expedited_us)
        poll->expedited_us = 0;
    poll->last_us = clock_monotonic_us();
    poll->schedule.polls += outcome->kind != OUTCOME_CLOSED && outcome->kind != OUTCOME_HELD;
    if (outcome->status) /* without an answer, the last Retry-After stays in force */
        poll->not_before_us = poll->last_us + retry_hold_us(outcome->retry_after_us);

    bool is_ignored = poll->is_outdated && outcome->kind == OUTCOME_RESPONSE;
    poll->is_outdated = false;
    if (is_transient(outcome)) {
        keep_error(poll, outcome);
    } else if (is_ignored) {
        buffer_clear(&outcome->body);
    } else if (is_good(outcome) && !poll->is_forced && poll->answer.bytes &&
               buffer_equal(&outcome->body, &poll->answer)) {
        buffer_clear(&outcome->body);
    } else {
        poll->has_update = true;
        poll->is_forced = false;
    }
    /* An unwatched poll is always listed, since a caller may be waiting for its end. */
    if (poll->has_update || !is_watched(poll))
        completions_list(&operation->engine->completions, &poll->operation.item);
    set_due(poll);
}

/* ---- life ---- */

/* Ends a poll with OUTCOME_CLOSED, which is an update if the poll is watched. */
static void end(struct poller *poll)
{
    unset_due(poll);
    operation_end(&poll->operation, OUTCOME_CLOSED, "the client was closed");
    if (!is_watched(poll) || poll->has_update)
        return;
    operation_clear(&poll->operation);
    poll->operation.outcome.kind = OUTCOME_CLOSED;
    poll->has_update = true;
    completions_list(&poll->operation.engine->completions, &poll->operation.item);
}

static void on_close(struct item *item)
{
    end(container_of(item, struct poller, operation.item));
}

static const struct operation_kind polled = {
    .item = ITEM_POLLER, .done = on_answer, .end = on_close, .is_scheduled = true};

struct poller *poller_new(
    struct engine *engine, const struct request *request, bool started_here, int64_t usual_us)
{
    if (!gate_is_open(&engine->gate))
        return NULL;
    struct poller *poll = calloc(1, sizeof *poll);
    if (!poll)
        return NULL;
    engine_enter(engine);

    poll->due.fire = on_due;
    poll->schedule = (struct schedule){.usual_us = usual_us, .started_here = started_here};
    poll->last_us = clock_monotonic_us();
    if (!heap_reserve(&engine->polls.due))
        goto no_timer;
    if (!operation_init(&poll->operation, engine, request, &polled))
        goto no_operation;
    engine->stats.polls++;
    engine_leave(engine);
    return poll;

no_operation:
    heap_unreserve(&engine->polls.due);
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
    if (!is_watched(poll))
        return;
    LIST_REMOVE(poll, watched);
    poll->watched.le_prev = NULL;
    unset_due(poll);
    if (operation_is_active(&poll->operation) && !is_in_flight(poll))
        operation_withdraw(&poll->operation);
}

void poller_free(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    unwatch(poll);
    heap_unreserve(&engine->polls.due);
    forget_error(poll);
    buffer_free(&poll->answer);
    free(poll->url);
    operation_destroy(&poll->operation);
    engine_leave(engine);
    engine_release(engine);
    free(poll);
}

void poller_watch(struct poller *poll, int64_t fixed_us, int ref)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->operation.item.ref = ref;
    poll->schedule.fixed_us = fixed_us;
    if (!is_watched(poll))
        LIST_INSERT_HEAD(&engine->polls.watched, poll, watched);
    if (!gate_is_open(&engine->gate))
        end(poll);
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
    completions_list(&engine->completions, &poll->operation.item);
    engine_leave(engine);
}

static void end_rest(struct poller *poll)
{
    poll->has_update = false;
    if (is_watched(poll) && !gate_is_open(&poll->operation.engine->gate))
        end(poll); /* the engine was closed while the update was handled */
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
    if (poll->has_update)
        keep_error(poll, &poll->operation.outcome);
    end_rest(poll);
    engine_leave(engine);
}

/* ---- queries ---- */

bool poller_is_needed(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    bool is_needed = is_watched(poll) || is_in_flight(poll) || poll->has_update ||
                     poll->operation.item.listed || poll->operation.item.events > 0;
    engine_leave(engine);
    return is_needed;
}

const struct outcome *poller_update(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    bool has_update = poll->has_update;
    engine_leave(engine);
    return has_update ? &poll->operation.outcome : NULL;
}

/* Moves `error` to `shown`: a step may replace the former, but not the one that was returned. */
const struct outcome *poller_last_error(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    if (poll->has_error)
        move_outcome(&poll->shown, &poll->error);
    poll->is_shown |= poll->has_error;
    poll->has_error = false;
    engine_leave(engine);
    return poll->is_shown ? &poll->shown : NULL;
}

void poller_forget_error(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    forget_error(poll);
    engine_leave(engine);
}

const struct buffer *poller_answer(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    const struct buffer *answer = answer_of(poll);
    engine_leave(engine);
    return answer;
}

/* Applies a changed due time, even if the request is queued already. */
static void reschedule(struct poller *poll)
{
    if (poll->operation.state == OPERATION_QUEUED)
        operation_withdraw(&poll->operation);
    set_due(poll);
}

void poller_postpone(struct poller *poll, int64_t span_us)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->not_before_us = clock_monotonic_us() + retry_hold_us(span_us);
    reschedule(poll);
    engine_leave(engine);
}

static void count_poll(struct poller *poll)
{
    poll->last_us = clock_monotonic_us();
    poll->expedited_us = 0;
    poll->schedule.polls++;
    reschedule(poll);
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
    poll->is_forced = true;
    engine_leave(engine);
}

void poller_expedite(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    poll->expedited_us = clock_monotonic_us();
    if (poll->operation.state == OPERATION_QUEUED) /* not sent yet, so it is recent enough */
        poll->began_us = poll->expedited_us;
    set_due(poll);
    engine_leave(engine);
}

bool poller_set_url(struct poller *poll, const char *url)
{
    char *copy = strdup(url);
    if (!copy)
        return false;
    struct engine *engine = engine_enter(poll->operation.engine);
    free(poll->url);
    poll->url = copy;
    poll->operation.request.url = copy; /* libcurl has copied that of a request in flight */
    poll->is_forced = true;
    poll->is_outdated = is_in_flight(poll);
    engine_leave(engine);
    return true;
}

void poller_count_poll(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    count_poll(poll);
    engine_leave(engine);
}

bool poller_next(const struct poller *poll, int64_t *span_us)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    bool is_active = operation_is_active(&poll->operation);
    bool is_scheduled = poll->due.node.place != 0;
    int64_t left_us = is_active ? 0 : poll->due.node.due_us - clock_monotonic_us();
    engine_leave(engine);
    *span_us = left_us > 0 ? left_us : 0;
    return is_active || is_scheduled;
}

uint32_t poller_count(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->operation.engine);
    uint32_t count = poll->schedule.polls;
    engine_leave(engine);
    return count;
}
