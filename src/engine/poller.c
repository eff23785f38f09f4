/* poller.c - a request that is repeated until its answer changes; see poller.h.
 *
 * A poll is small, since a program may have a hundred thousand of them: what it shares with others
 * is in its form, and an operation exists only while its request is in flight, or has an update. */
#include "poller.h"

#include "clock.h"
#include "learner.h"
#include "operation_private.h"
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

enum poll_state {
    POLL_RESTS,     /* unwatched, or with an update */
    POLL_SCHEDULED, /* in the heap of due times */
    POLL_QUEUED,    /* due, and waits for its turn */
    POLL_IN_FLIGHT,
};

struct poller {
    struct item item;
    struct engine *engine;
    struct form *form;
    struct operation *operation; /* in flight, or the one that brought the update; else NULL */
    enum poll_state state;
    bool is_watched, has_update;
    bool is_forced;   /* the next good answer is an update, even if it equals the last */
    bool is_outdated; /* the request in flight went to a former URL */
    union {
        struct timer due; /* SCHEDULED */
        struct turn turn; /* QUEUED */
    };
    struct schedule schedule;
    struct learning *learning; /* NULL: the schedule does not learn */
    int64_t last_us;           /* when the job started, or the last request ended */
    int64_t not_before_us;     /* from the last Retry-After */
    int64_t began_us;          /* when the last request was queued */
    int64_t expedited_us;      /* when poller_expedite() was called; 0: the schedule applies */
    struct buffer answer;      /* the last good one, unless that is the update, in the outcome */
    struct outcome *error;     /* the last transient failure, or NULL */
    struct outcome *shown;     /* the one that poller_last_error() returned, or NULL */
    char id[];
};

/* Outcomes that need no memory: of a poll that was closed while it had no operation, and of a
 * failure that could not be kept, or whose request could not be created. */
static struct outcome closed = {
    .kind = OUTCOME_CLOSED, .message = "the client was closed", .retry_after_us = -1};
static struct outcome no_memory = {.kind = OUTCOME_NO_MEMORY, .retry_after_us = -1};

/* ---- when it is sent ---- */

static void on_due(struct timer *timer);
static void on_turn(struct turn *turn);

/* A moment of a job that is learned from, as it would be at speed 1. So all that is learned is in
 * the time of the service, unless the speed changes while the job runs. */
static int64_t learned_us(const struct poller *poll, int64_t us)
{
    int64_t started_us = poll->learning->started_us;
    return started_us + engine_unquicken_us(poll->engine, us - started_us);
}

static void set_due(struct poller *poll)
{
    struct engine *engine = poll->engine;
    if (!poll->is_watched || poll->has_update || poll->state > POLL_SCHEDULED)
        return;
    if (poll->learning)
        poll->schedule.fixed_us =
            learning_pause_us(poll->learning, learned_us(poll, poll->last_us));
    int64_t last_us = poll->last_us - engine->polls.origin_us;
    int64_t due_us = engine->polls.origin_us +
                     schedule_due_us(&poll->schedule, last_us, jitter_next(&engine->jitter));
    due_us = poll->last_us + engine_quicken_us(engine, due_us - poll->last_us);
    if (poll->expedited_us)
        due_us = poll->last_us;
    if (due_us < poll->not_before_us)
        due_us = poll->not_before_us;
    if (poll->state == POLL_RESTS)
        poll->due = (struct timer){.fire = on_due};
    poll->state = POLL_SCHEDULED;
    heap_insert(&engine->polls.due, &poll->due.node, due_us);
}

static void on_due(struct timer *timer)
{
    struct poller *poll = container_of(timer, struct poller, due);
    poll->state = POLL_QUEUED;
    poll->began_us = clock_monotonic_us();
    poll->turn =
        (struct turn){.fire = on_turn, .priority = PRIORITY_POLL, .endpoint = poll->form->endpoint};
    endpoint_enqueue(&poll->turn);
}

/* Takes the poll out of the heap and the queue. A request in flight goes on. */
static void rest(struct poller *poll)
{
    if (poll->state == POLL_IN_FLIGHT)
        return;
    if (poll->state == POLL_SCHEDULED)
        heap_remove(&poll->engine->polls.due, &poll->due.node);
    else if (poll->state == POLL_QUEUED)
        endpoint_dequeue(&poll->turn);
    poll->state = POLL_RESTS;
}

/* ---- answers ---- */

static void forget(struct outcome **outcome)
{
    if (*outcome && *outcome != &no_memory) {
        outcome_free(*outcome);
        free(*outcome);
    }
    *outcome = NULL;
}

static void forget_error(struct poller *poll)
{
    forget(&poll->error);
    forget(&poll->shown);
}

static void keep_error(struct poller *poll, struct outcome *outcome)
{
    struct outcome *error = outcome == &no_memory ? NULL : malloc(sizeof *error);
    forget(&poll->error);
    poll->error = error ? error : &no_memory;
    if (error) {
        *error = *outcome;
        *outcome = (struct outcome){.retry_after_us = -1};
    }
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

/* The outcome of the update. */
static struct outcome *update_of(const struct poller *poll)
{
    return poll->operation ? &poll->operation->outcome : &closed;
}

/* The body of the last good answer. */
static struct buffer *answer_of(struct poller *poll)
{
    return poll->has_update && outcome_is_good(update_of(poll)) ? &update_of(poll)->body
                                                                : &poll->answer;
}

/* Takes in the outcome of a request that has ended, and returns whether it is an update. */
static bool take(struct poller *poll, struct outcome *outcome)
{
    bool is_ignored = poll->is_outdated && outcome->kind == OUTCOME_RESPONSE;
    poll->is_outdated = false;
    if (is_transient(outcome)) {
        keep_error(poll, outcome);
        return false;
    }
    bool is_same = !is_ignored && outcome_is_good(outcome) && !poll->is_forced &&
                   poll->answer.bytes && buffer_equal(&outcome->body, &poll->answer);
    if (is_same && poll->learning)
        learning_runs(poll->learning, learned_us(poll, poll->last_us));
    if (is_ignored || is_same)
        return false;
    poll->is_forced = false;
    return true;
}

/* The request has ended. */
static void end_request(struct poller *poll, struct outcome *outcome)
{
    poll->state = POLL_RESTS;
    if (poll->began_us >= poll->expedited_us)
        poll->expedited_us = 0;
    poll->last_us = clock_monotonic_us();
    poll->schedule.polls += outcome->kind != OUTCOME_CLOSED && outcome->kind != OUTCOME_HELD;
    if (outcome->status) /* without an answer, the last Retry-After stays in force */
        poll->not_before_us =
            poll->last_us + engine_quicken_us(poll->engine, retry_hold_us(outcome->retry_after_us));
    poll->has_update = take(poll, outcome);
    /* An unwatched poll is always listed, since a caller may be waiting for its end. */
    if (poll->has_update || !poll->is_watched)
        completions_list(&poll->engine->completions, &poll->item);
}

static void discard_operation(struct poller *poll)
{
    if (poll->operation)
        operation_discard(poll->operation);
    poll->operation = NULL;
}

static void on_answer(struct operation *operation)
{
    struct poller *poll = container_of(operation->item, struct poller, item);
    end_request(poll, &operation->outcome);
    if (!poll->has_update)
        discard_operation(poll);
    set_due(poll);
}

static const struct operation_kind polled = {.done = on_answer, .is_scheduled = true};

static void on_turn(struct turn *turn)
{
    struct poller *poll = container_of(turn, struct poller, turn);
    endpoint_dequeue(turn);
    poll->state = POLL_IN_FLIGHT;
    poll->operation = operation_of_poll(poll->engine, &polled, poll->form, poll->id);
    if (poll->operation) {
        poll->operation->item = &poll->item;
        poll->operation->submitted_us = poll->began_us;
        operation_send(poll->operation);
    } else {
        end_request(poll, &no_memory);
        set_due(poll);
    }
}

/* ---- life ---- */

/* Ends a poll with OUTCOME_CLOSED, which is an update if the poll is watched. */
static void end(struct poller *poll)
{
    rest(poll);
    if (poll->state == POLL_IN_FLIGHT)
        operation_end(poll->operation, OUTCOME_CLOSED, closed.message);
    if (!poll->is_watched || poll->has_update)
        return;
    poll->has_update = true;
    completions_list(&poll->engine->completions, &poll->item);
}

static void on_close(struct item *item)
{
    end(container_of(item, struct poller, item));
}

/* Creates a poll that is not registered yet. Returns NULL if memory runs out. */
static struct poller *make(struct engine *engine, const struct request *request, const char *id)
{
    struct poller *poll = calloc(1, sizeof *poll + strlen(id) + 1);
    if (!poll)
        return NULL;
    poll->form = form_acquire(&engine->polls.forms, &engine->window.endpoints, request);
    if (!poll->form) {
        free(poll);
        return NULL;
    }
    if (!heap_reserve(&engine->polls.due)) {
        form_release(poll->form);
        free(poll);
        return NULL;
    }
    poll->engine = engine;
    memcpy(poll->id, id, strlen(id));
    return poll;
}

struct poller *poller_new(struct engine *engine, const struct request *request, const char *id,
    bool started_here, int64_t usual_us)
{
    if (!gate_is_open(&engine->gate))
        return NULL;
    engine_enter(engine);
    struct poller *poll = make(engine, request, id);
    if (poll) {
        poll->schedule = (struct schedule){.usual_us = usual_us, .started_here = started_here};
        poll->last_us = clock_monotonic_us();
        poll->item = (struct item){.kind = ITEM_POLLER, .end = on_close};
        completions_register(&engine->completions, &poll->item);
        engine_retain(engine);
        engine->stats.polls++;
    }
    engine_leave(engine);
    return poll;
}

static void unwatch(struct poller *poll)
{
    if (poll->is_watched)
        poll->engine->polls.watched--;
    if (poll->is_watched && poll->learning)
        learning_left(poll->learning);
    poll->is_watched = false;
    rest(poll);
}

static void forget_learning(struct poller *poll)
{
    if (poll->learning)
        learning_left(poll->learning);
    free(poll->learning);
    poll->learning = NULL;
}

void poller_free(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    unwatch(poll);
    discard_operation(poll);
    completions_forget(&engine->completions, &poll->item);
    heap_unreserve(&engine->polls.due);
    form_release(poll->form);
    forget_error(poll);
    forget_learning(poll);
    buffer_free(&poll->answer);
    free(poll);
    engine_leave(engine);
    engine_release(engine);
}

void poller_watch(struct poller *poll, int64_t fixed_us, int ref)
{
    struct engine *engine = engine_enter(poll->engine);
    poll->item.ref = ref;
    poll->schedule.fixed_us = fixed_us;
    engine->polls.watched += !poll->is_watched;
    poll->is_watched = true;
    if (poll->learning)
        learning_resumed(poll->learning);
    if (!gate_is_open(&engine->gate))
        end(poll);
    set_due(poll);
    engine_leave(engine);
}

bool poller_learn(struct poller *poll, const char *kind, int64_t started_us)
{
    struct engine *engine = engine_enter(poll->engine);
    if (!kind) {
        forget_learning(poll);
    } else if (!poll->learning) {
        struct learner *learner = learners_find(&engine->polls.learners, kind);
        bool counts = poll->schedule.started_here && poll->schedule.polls == 0;
        if (learner) {
            learner->usual_us = poll->schedule.usual_us;
            poll->learning = learning_new(learner, started_us, counts);
        }
    }
    bool done = !kind || poll->learning;
    engine_leave(engine);
    return done;
}

void poller_ended(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    if (poll->learning)
        learning_ended(poll->learning, learned_us(poll, clock_monotonic_us()));
    engine_leave(engine);
}

void poller_disregard(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    if (poll->learning)
        learning_disregard(poll->learning);
    engine_leave(engine);
}

void poller_unwatch(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    unwatch(poll);
    engine_leave(engine);
}

/* The update has been handled. */
static void end_rest(struct poller *poll)
{
    if (poll->has_update)
        discard_operation(poll);
    poll->has_update = false;
    if (poll->is_watched && !gate_is_open(&poll->engine->gate))
        end(poll); /* the engine was closed while the update was handled */
    set_due(poll);
}

void poller_accept(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    struct buffer *answer = answer_of(poll);
    if (answer != &poll->answer)
        buffer_keep(&poll->answer, answer);
    if (poll->learning && poll->is_watched)
        learning_runs(poll->learning, learned_us(poll, poll->last_us));
    end_rest(poll);
    engine_leave(engine);
}

void poller_reject(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    if (poll->has_update && poll->operation)
        keep_error(poll, &poll->operation->outcome);
    end_rest(poll);
    engine_leave(engine);
}

/* ---- queries ---- */

bool poller_is_needed(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    bool is_needed = poll->is_watched || poll->state == POLL_IN_FLIGHT || poll->has_update ||
                     poll->item.listed || poll->item.events > 0;
    engine_leave(engine);
    return is_needed;
}

void poller_forget_ref(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    poll->item.ref = 0;
    engine_leave(engine);
}

const struct outcome *poller_update(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    const struct outcome *update = poll->has_update ? update_of(poll) : NULL;
    engine_leave(engine);
    return update;
}

/* Moves `error` to `shown`: a step may replace the former, but not the one that was returned. */
const struct outcome *poller_last_error(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    if (poll->error) {
        forget(&poll->shown);
        poll->shown = poll->error;
        poll->error = NULL;
    }
    engine_leave(engine);
    return poll->shown;
}

void poller_forget_error(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    forget_error(poll);
    engine_leave(engine);
}

const struct buffer *poller_answer(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    const struct buffer *answer = answer_of(poll);
    engine_leave(engine);
    return answer;
}

/* Applies a changed due time, even if the request is queued already. */
static void reschedule(struct poller *poll)
{
    rest(poll);
    set_due(poll);
}

void poller_postpone(struct poller *poll, int64_t span_us)
{
    struct engine *engine = engine_enter(poll->engine);
    poll->not_before_us = clock_monotonic_us() + engine_quicken_us(engine, retry_hold_us(span_us));
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
    struct buffer answer;
    if (!buffer_copy(&answer, body, length))
        return false;
    struct engine *engine = engine_enter(poll->engine);
    buffer_move(answer_of(poll), &answer);
    count_poll(poll);
    engine_leave(engine);
    return true;
}

void poller_force_update(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    poll->is_forced = true;
    engine_leave(engine);
}

void poller_expedite(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    poll->expedited_us = clock_monotonic_us();
    if (poll->state == POLL_QUEUED) /* not sent yet, so it is recent enough */
        poll->began_us = poll->expedited_us;
    set_due(poll);
    engine_leave(engine);
}

bool poller_set_url(struct poller *poll, const char *url, const char *url_rest)
{
    struct engine *engine = engine_enter(poll->engine);
    struct form *form = form_at(poll->form, url, url_rest);
    if (form) {
        form_release(poll->form);
        poll->form = form;
        poll->is_forced = true;
        poll->is_outdated = poll->state == POLL_IN_FLIGHT;
    }
    engine_leave(engine);
    return form != NULL;
}

void poller_count_poll(struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    count_poll(poll);
    engine_leave(engine);
}

bool poller_next(const struct poller *poll, int64_t *span_us)
{
    struct engine *engine = engine_enter(poll->engine);
    enum poll_state state = poll->state;
    int64_t left_us = state == POLL_SCHEDULED ? poll->due.node.due_us - clock_monotonic_us() : 0;
    engine_leave(engine);
    *span_us = left_us > 0 ? left_us : 0;
    return state != POLL_RESTS;
}

const struct engine *poller_engine(const struct poller *poll)
{
    return poll->engine;
}

bool poller_is_started_here(const struct poller *poll)
{
    return poll->schedule.started_here;
}

uint32_t poller_count(const struct poller *poll)
{
    struct engine *engine = engine_enter(poll->engine);
    uint32_t count = poll->schedule.polls;
    engine_leave(engine);
    return count;
}
