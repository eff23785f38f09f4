/* operation.c - one request, with its tries and its one deadline; see operation.h. */
#include "operation_private.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events ---- */

static void report(struct operation *operation, enum event_kind kind, int64_t pause_us)
{
    if (!operation->engine->completions.report_events)
        return;
    const struct event event = {
        .kind = kind,
        .subject = operation->item,
        .outcome = operation->outcome.kind,
        .status = operation->outcome.status,
        .tries = operation->tries,
        .pause_us = pause_us,
        .elapsed_us = clock_monotonic_us() - operation->submitted_us,
    };
    completions_report(&operation->engine->completions, &event);
}

/* ---- ends ---- */

void outcome_free(struct outcome *outcome)
{
    buffer_free(&outcome->headers);
    buffer_free(&outcome->body);
    free(outcome->message);
    *outcome = (struct outcome){.retry_after_us = -1};
}

bool outcome_is_good(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_RESPONSE && outcome->status >= 200 && outcome->status < 300;
}

static void leave_wire(struct operation *operation)
{
    struct engine *engine = operation->engine;
    if (!operation->transfer)
        return;
    window_leave(&engine->window, &operation->turn);
    if (gate_is_open(&engine->gate))
        transfer_release(operation->transfer);
    operation->transfer = NULL;
}

/* Removes it from the wire, the queue and the timers. */
static void stop(struct operation *operation)
{
    leave_wire(operation);
    heap_remove(&operation->engine->timers, &operation->timer.node);
    if (operation->state == OPERATION_QUEUED)
        endpoint_dequeue(&operation->turn);
}

static void finish(struct operation *operation, enum outcome_kind kind, const char *message)
{
    /* A start that waits for its next try has certainly not been processed: see retry_decide(). */
    if (!operation->transfer && !request_is_repeatable(&operation->copy.request))
        operation->outcome.sent = false;
    stop(operation);
    request_close_files(&operation->copy); /* the program may keep the operation for long */
    operation->state = OPERATION_DONE;
    operation->outcome.kind = kind;
    operation->outcome.tries = operation->tries;
    free(operation->outcome.message);
    operation->outcome.message = message ? strdup(message) : NULL;
    report(operation, EVENT_FINISHED, 0);
    operation->kind->done(operation);
}

/* Finishes an operation that cannot be sent before its deadline, and returns whether it did. */
static bool end_if_hopeless(struct operation *operation)
{
    int64_t sent_us = window_certain_us(&operation->engine->window, &operation->turn);
    if (sent_us <= operation->deadline_us)
        return false;
    int64_t now_us = clock_monotonic_us();
    if (sent_us <= now_us)
        return false;
    operation->outcome.retry_after_us = sent_us - now_us;
    finish(operation, OUTCOME_HELD, "the service asked for a pause beyond the deadline");
    return true;
}

/* Whether the deadline runs only while a try is in flight. */
static bool is_timed_by_try(const struct operation *operation)
{
    return operation->kind->is_scheduled || operation->copy.request.long_running;
}

static void enqueue(struct operation *operation)
{
    if (is_timed_by_try(operation))
        operation->deadline_us = CLOCK_NEVER;
    if (end_if_hopeless(operation))
        return;
    operation->state = OPERATION_QUEUED;
    if (!operation->kind->is_scheduled)
        heap_insert(&operation->engine->timers, &operation->timer.node, operation->deadline_us);
    endpoint_enqueue(&operation->turn);
}

static const char *late_message(const struct operation *operation)
{
    if (operation->state == OPERATION_QUEUED)
        return operation->tries ? "the deadline passed before the next try"
                                : "the deadline passed while the request was queued";
    return "the deadline passed before the answer was complete";
}

/* A program may step late, after a long computation, although the answer arrived in time. So an
 * expired deadline is extended while there is input to read, but not without limit, since a server
 * can send forever. */
#define LATE_READS 64
#define LATE_PAUSE_US 200

static bool may_have_come(struct operation *operation)
{
    if (!operation->transfer || !operation->engine->step.had_input ||
        operation->late_reads == LATE_READS || !transfer_may_be_whole(operation->transfer))
        return false;
    operation->late_reads++;
    return true;
}

static void on_timer(struct timer *timer)
{
    struct operation *operation = container_of(timer, struct operation, timer);
    if (operation->state == OPERATION_PAUSED) {
        enqueue(operation);
        return;
    }
    if (may_have_come(operation)) {
        heap_insert(&operation->engine->timers, &timer->node, clock_monotonic_us() + LATE_PAUSE_US);
        return;
    }
    if (operation->is_starved && !operation->transfer) {
        finish(operation, OUTCOME_NETWORK, TRANSFER_STARVED);
        return;
    }
    const char *message = late_message(operation);
    if (operation->transfer) {
        struct transfer_result result =
            transfer_result(operation->transfer, CURLE_OPERATION_TIMEDOUT);
        operation->outcome.sent = result.attempt.sent;
        operation->outcome.status = result.attempt.status;
        if (!result.attempt.sent)
            message = "the deadline passed before the connection was established";
    }
    finish(operation, OUTCOME_TIMEOUT, message);
}

/* ---- tries ---- */

static void keep_result(struct outcome *outcome, const struct transfer_result *result)
{
    outcome->kind = result->kind;
    outcome->status = result->attempt.status;
    outcome->sent = result->attempt.sent;
    outcome->retry_after_us = result->attempt.retry_after_us;
    buffer_move(&outcome->headers, result->headers);
    buffer_move(&outcome->body, result->body);
}

static void pause_before_next(struct operation *operation, int64_t pause_us)
{
    leave_wire(operation);
    operation->state = OPERATION_PAUSED;
    heap_insert(
        &operation->engine->timers, &operation->timer.node, clock_monotonic_us() + pause_us);
    report(operation, EVENT_RETRIED, pause_us);
}

static void end_hopeless_in(struct lane *lane)
{
    struct turn *turn, *next;
    for (turn = TAILQ_FIRST(&lane->queue); turn; turn = next) {
        next = TAILQ_NEXT(turn, queued);
        end_if_hopeless(container_of(turn, struct operation, turn));
    }
}

void operation_end_hopeless(struct endpoint *endpoint)
{
    end_hopeless_in(&endpoint->lanes[PRIORITY_URGENT]);
    end_hopeless_in(&endpoint->lanes[PRIORITY_CALL]);
}

/* Adjusts the window by the status of an answer. */
static void adjust_window(
    struct operation *operation, const struct try_result *result, int64_t pause_us)
{
    struct window *window = &operation->engine->window;
    struct turn *turn = &operation->turn;
    if (result->status == 0)
        return;
    if (result->status != 429) {
        window_accepted(window, turn);
        return;
    }
    window_refused(window, turn, retry_hold_us(pause_us));
    operation_end_hopeless(turn->endpoint);
}

/* Whether the deadline and the engine's quota allow the next try. Takes its cost from the quota. */
static bool can_repeat(struct operation *operation, enum retry_choice choice,
    const struct try_result *result, int64_t pause_us)
{
    if (choice == RETRY_NO || clock_monotonic_us() + pause_us >= operation->deadline_us)
        return false;
    if (choice == RETRY_WITH_ROOM)
        return !operation->kind->is_scheduled;
    return choice == RETRY_AT_ONCE ||
           retry_quota_take(&operation->engine->tries.quota, result, &operation->paid);
}

static enum retry_choice decide(
    const struct operation *operation, const struct try_result *result, int64_t *pause_us)
{
    bool once = operation->kind->is_scheduled || operation->copy.request.once;
    unsigned limit = once ? 1 : operation->engine->tries.retries + 1;
    const struct retry_history history = {
        .repeatable = request_is_repeatable(&operation->copy.request),
        .tries = operation->tries,
        .limit = limit + operation->stale_excused + operation->starved,
        .stale_excused = operation->stale_excused,
    };
    struct jitter *jitter = &operation->engine->jitter;
    enum retry_choice choice = retry_decide(&history, result);
    *pause_us = 0;
    if (choice == RETRY_WITH_ROOM)
        *pause_us = retry_pause_us(1, -1, jitter_next(jitter));
    else if (choice == RETRY_AFTER_PAUSE || result->status == 429)
        *pause_us = retry_pause_us(operation->tries, result->retry_after_us, jitter_next(jitter));
    *pause_us = engine_quicken_us(operation->engine, *pause_us);
    return choice;
}

/* Called when libcurl has finished the try. */
static void on_ended(void *owner, CURLcode code)
{
    struct operation *operation = owner;
    struct transfer_result result = transfer_result(operation->transfer, code);
    int64_t pause_us;
    enum retry_choice choice = decide(operation, &result.attempt, &pause_us);
    operation->is_starved = choice == RETRY_WITH_ROOM;
    keep_result(&operation->outcome, &result);

    if (result.attempt.end == TRY_ANSWERED && result.attempt.status < 400)
        retry_quota_refill(&operation->engine->tries.quota, operation->paid);
    adjust_window(operation, &result.attempt, pause_us);
    if (can_repeat(operation, choice, &result.attempt, pause_us)) {
        operation->stale_excused |= choice == RETRY_AT_ONCE;
        operation->starved += operation->is_starved;
        pause_before_next(operation, pause_us);
    } else if (result.kind == OUTCOME_RESPONSE) {
        finish(operation, OUTCOME_RESPONSE, NULL);
    } else {
        char message[TRANSFER_MESSAGE]; /* a copy, since finish() releases the transfer */
        snprintf(message, sizeof message, "%s", result.message);
        finish(operation, result.kind, message);
    }
}

void operation_send(struct operation *operation)
{
    struct engine *engine = operation->engine;
    outcome_free(&operation->outcome);
    operation->transfer =
        transfer_start(&engine->transfers, &operation->copy.request, on_ended, operation);
    if (!operation->transfer) {
        finish(operation, OUTCOME_NO_MEMORY, "out of memory, or libcurl refuses the request");
        return;
    }
    if (operation->state == OPERATION_QUEUED)
        endpoint_dequeue(&operation->turn);
    operation->state = OPERATION_IN_FLIGHT;
    operation->late_reads = 0;
    window_enter(&engine->window, &operation->turn);
    if (is_timed_by_try(operation)) {
        operation->deadline_us = operation->turn.sent_us + operation->copy.request.timeout_us;
        heap_insert(&engine->timers, &operation->timer.node, operation->deadline_us);
    }
    operation->tries++;
    engine->stats.requests++;
    engine->stats.retries += operation->tries > 1;
    report(operation, EVENT_STARTED, 0);
    if (operation->copy.request.long_running)
        completions_list(&engine->completions, operation->item);
}

static void on_turn(struct turn *turn)
{
    operation_send(container_of(turn, struct operation, turn));
}

/* ---- life ---- */

static enum priority priority_of(const struct operation *operation)
{
    if (operation->kind->is_scheduled)
        return PRIORITY_POLL;
    if (operation->copy.request.urgent)
        return PRIORITY_URGENT;
    return operation->copy.request.long_running ? PRIORITY_LONG : PRIORITY_CALL;
}

/* Initializes an idle operation that has its request. Returns false if memory runs out. */
static bool init(struct operation *operation, struct engine *engine,
    const struct operation_kind *kind, struct endpoint *endpoint)
{
    if (!heap_reserve(&engine->timers))
        return false;
    operation->engine = engine;
    operation->kind = kind;
    operation->timer.fire = on_timer;
    operation->turn = (struct turn){.fire = on_turn, .endpoint = endpoint};
    operation->turn.priority = priority_of(operation);
    operation->submitted_us = clock_monotonic_us();
    operation->outcome.retry_after_us = -1;
    return true;
}

void operation_discard(struct operation *operation)
{
    stop(operation);
    heap_unreserve(&operation->engine->timers);
    if (operation->form)
        form_release(operation->form);
    else
        endpoint_release(operation->turn.endpoint);
    outcome_free(&operation->outcome);
    request_free(&operation->copy);
    free(operation);
}

bool operation_is_active(const struct operation *operation)
{
    return operation->state == OPERATION_QUEUED || operation->state == OPERATION_IN_FLIGHT ||
           operation->state == OPERATION_PAUSED;
}

void operation_end(struct operation *operation, enum outcome_kind kind, const char *message)
{
    if (!operation_is_active(operation))
        return;
    if (operation->transfer && gate_is_open(&operation->engine->gate))
        operation->outcome.sent = transfer_result(operation->transfer, CURLE_OK).attempt.sent;
    finish(operation, kind, message);
}

/* ---- single operations ---- */

static void on_done(struct operation *operation)
{
    completions_list(&operation->engine->completions, operation->item);
}

static void on_close(struct item *item)
{
    struct operation *operation = container_of(item, struct operation, own_item);
    operation_end(operation, OUTCOME_CLOSED, "the client was closed");
}

static const struct operation_kind single = {.done = on_done};

/* Creates an idle operation. Returns NULL if memory runs out. */
static struct operation *make(struct engine *engine, const struct request *request)
{
    struct operation *operation = calloc(1, sizeof *operation);
    if (!operation)
        return NULL;
    if (!request_copy(&operation->copy, request)) {
        free(operation);
        return NULL;
    }
    struct endpoint *endpoint = endpoint_acquire(&engine->window.endpoints, request->method,
        request->endpoint ? request->endpoint : request->url);
    if (endpoint && init(operation, engine, &single, endpoint))
        return operation;
    if (endpoint)
        endpoint_release(endpoint);
    request_free(&operation->copy);
    free(operation);
    return NULL;
}

struct operation *operation_new(struct engine *engine, const struct request *request, int ref)
{
    if (!gate_is_open(&engine->gate))
        return NULL;
    engine_enter(engine);
    struct operation *operation = make(engine, request);
    if (operation) {
        operation->own_item = (struct item){.kind = ITEM_OPERATION, .ref = ref, .end = on_close};
        operation->item = &operation->own_item;
        completions_register(&engine->completions, operation->item);
        engine_retain(engine);
        operation->deadline_us = operation->submitted_us + request->timeout_us;
        enqueue(operation);
    }
    engine_leave(engine);
    return operation;
}

void operation_free(struct operation *operation)
{
    struct engine *engine = engine_enter(operation->engine);
    completions_forget(&engine->completions, operation->item);
    operation_discard(operation);
    engine_leave(engine);
    engine_release(engine);
}

bool operation_cancel(struct operation *operation)
{
    struct engine *engine = engine_enter(operation->engine);
    bool was_active = operation_is_active(operation);
    operation_end(operation, OUTCOME_CANCELLED, "cancelled");
    engine_leave(engine);
    return was_active;
}

const struct outcome *operation_outcome(const struct operation *operation)
{
    struct engine *engine = engine_enter(operation->engine);
    bool is_done = operation->state == OPERATION_DONE;
    engine_leave(engine);
    return is_done ? &operation->outcome : NULL;
}

/* ---- requests of polls ---- */

struct operation *operation_of_poll(
    struct engine *engine, const struct operation_kind *kind, struct form *form, const char *id)
{
    struct operation *operation = calloc(1, sizeof *operation);
    if (!operation)
        return NULL;
    if (!request_copy_for(&operation->copy, &form->copy.request, id)) {
        free(operation);
        return NULL;
    }
    if (!init(operation, engine, kind, form->endpoint)) {
        request_free(&operation->copy);
        free(operation);
        return NULL;
    }
    operation->form = form;
    form_retain(form);
    return operation;
}
