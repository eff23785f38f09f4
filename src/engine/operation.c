/* operation.c - one request, with its tries and its one deadline; see operation.h. */
#include "operation_private.h"

#include "retry.h"
#include "transfer.h"
#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a copy of the request, in one block ---- */

static char *copy_bytes(char **room, const char *bytes, size_t length)
{
    char *copy = *room;
    if (length)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    *room += length + 1;
    return copy;
}

static bool copy_request(struct operation *operation, const struct request *request)
{
    size_t room = request->header_count * sizeof(char *);
    room += strlen(request->method) + 1 + strlen(request->url) + 1;
    for (size_t i = 0; i < request->header_count; i++)
        room += strlen(request->headers[i]) + 1;
    if (request->body)
        room += request->body_length + 1;
    char *block = malloc(room);
    if (!block)
        return false;

    const char **headers = (const char **)(void *)block;
    char *next = block + request->header_count * sizeof(char *);
    operation->block = block;
    operation->request = *request;
    operation->request.headers = headers;
    operation->request.endpoint = NULL;
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = copy_bytes(&next, request->headers[i], strlen(request->headers[i]));
    operation->request.method = copy_bytes(&next, request->method, strlen(request->method));
    operation->request.url = copy_bytes(&next, request->url, strlen(request->url));
    if (request->body)
        operation->request.body = copy_bytes(&next, request->body, request->body_length);
    return true;
}

/* The headers, which lie before the method, may hold a secret. */
static void free_request(struct operation *operation)
{
    explicit_bzero(operation->block, (size_t)(operation->request.method - operation->block));
    free(operation->block);
}

/* ---- events ---- */

static void report(struct operation *operation, enum event_kind kind, int64_t pause_us)
{
    struct engine *engine = operation->engine;
    if (!engine->report_events)
        return;
    struct event *event = malloc(sizeof *event);
    if (!event)
        return; /* an event less, and nothing else lost */
    *event = (struct event){
        .kind = kind,
        .ref = operation->subject->ref,
        .subject = operation->subject,
        .outcome = operation->outcome.kind,
        .status = operation->outcome.status,
        .tries = operation->tries,
        .pause_us = pause_us,
        .elapsed_us = clock_monotonic_us() - operation->submitted_us,
    };
    operation->subject->events++;
    *engine->last_event = event;
    engine->last_event = &event->next;
}

/* ---- life ---- */

void operation_clear(struct operation *operation)
{
    struct outcome *outcome = &operation->outcome;
    buffer_clear(&outcome->headers);
    buffer_clear(&outcome->body);
    free(outcome->message);
    *outcome =
        (struct outcome){.headers = outcome->headers, .body = outcome->body, .retry_after_us = -1};
}

static void leave_wire(struct operation *operation)
{
    struct engine *engine = operation->engine;
    if (!operation->transfer)
        return;
    window_leave(operation);
    if (operation->tests) /* in vain, for no answer has come */
        rest_test_again(&engine->rest, clock_monotonic_us());
    operation->tests = false;
    if (engine_is_usable(engine))
        transfer_release(engine, operation->transfer);
    operation->transfer = NULL;
}

static void leave_line(struct operation *operation)
{
    if (operation->state == OPERATION_QUEUED)
        endpoint_step_out(operation);
}

static void finish(struct operation *operation, enum outcome_kind kind, const char *message)
{
    struct engine *engine = operation->engine;
    /* What was sent before and waits to be sent again was refused, or does no harm. */
    if (!operation->transfer && !operation->repeatable)
        operation->outcome.sent = false;
    leave_wire(operation);
    engine_clear_timer(engine, &operation->timer);
    leave_line(operation);
    operation->state = OPERATION_DONE;
    operation->outcome.kind = kind;
    operation->outcome.tries = operation->tries;
    free(operation->outcome.message);
    operation->outcome.message = message ? strdup(message) : NULL;
    report(operation, EVENT_FINISHED, 0);
    operation->done(operation);
}

/* Finishes one that cannot be sent before its deadline. False: it may be, or has none. */
static bool end_if_hopeless(struct operation *operation)
{
    int64_t held_us = operation->endpoint->held_us;
    int64_t rested_us = rest_certain_us(&operation->engine->rest);
    int64_t sent_us = held_us > rested_us ? held_us : rested_us;
    int64_t now_us = clock_monotonic_us();
    if (operation->patient || sent_us <= operation->deadline_us || sent_us <= now_us)
        return false;
    operation->outcome.retry_after_us = sent_us - now_us;
    finish(operation, OUTCOME_HELD, "the service asked to wait beyond the deadline");
    return true;
}

static void wait_turn(struct operation *operation)
{
    if (end_if_hopeless(operation))
        return;
    operation->state = OPERATION_QUEUED;
    if (!operation->patient)
        engine_set_timer(operation->engine, &operation->timer, operation->deadline_us);
    endpoint_line_up(operation);
}

static const char *late_message(const struct operation *operation)
{
    if (operation->state == OPERATION_QUEUED)
        return operation->tries ? "the deadline passed before the next try"
                                : "the deadline passed before the request's turn came";
    return "the deadline passed before the answer was there";
}

/* The program may have come late, after a long computation, to an answer that came in time: as long
 * as there is something to read, it is read first. Not for ever, for a server can send that long.
 */
#define LATE_LOOKS 64
#define LATE_PAUSE_US 200

static bool may_have_come(struct operation *operation)
{
    if (!operation->transfer || !operation->engine->heard || operation->late_looks == LATE_LOOKS ||
        !transfer_may_be_whole(operation->transfer))
        return false;
    operation->late_looks++;
    return true;
}

static void on_timer(struct timer *timer)
{
    struct operation *operation = container_of(timer, struct operation, timer);
    if (operation->state == OPERATION_PAUSED) {
        wait_turn(operation);
        return;
    }
    if (may_have_come(operation)) {
        engine_set_timer(operation->engine, timer, clock_monotonic_us() + LATE_PAUSE_US);
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
            message = "the deadline passed before a connection was there";
    }
    finish(operation, OUTCOME_TIMEOUT, message);
}

static enum turn turn_of(const struct request *request, enum operation_manner manner)
{
    if (manner == OPERATION_PATIENT)
        return TURN_POLL;
    return request->urgent ? TURN_URGENT : TURN_CALL;
}

bool operation_init(struct operation *operation, struct engine *engine,
    const struct request *request, enum operation_manner manner, struct item *subject,
    void (*done)(struct operation *))
{
    *operation = (struct operation){
        .engine = engine,
        .subject = subject,
        .done = done,
        .patient = manner == OPERATION_PATIENT,
        .most_tries = manner == OPERATION_PATIENT || request->once ? 1 : engine->retries + 1,
        .turn = turn_of(request, manner),
        .timer.fire = on_timer,
        .repeatable = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0,
    };
    if (!copy_request(operation, request))
        return false;
    if (!heap_reserve(&engine->timers))
        goto no_timer;
    operation->endpoint = endpoint_take(
        engine, request->method, request->endpoint ? request->endpoint : request->url);
    if (!operation->endpoint)
        goto no_endpoint;
    LIST_INSERT_HEAD(&engine->operations, operation, link);
    engine_retain(engine);
    return true;

no_endpoint:
    heap_unreserve(&engine->timers);
no_timer:
    free_request(operation);
    return false;
}

void operation_destroy(struct operation *operation)
{
    struct engine *engine = operation->engine;
    operation_withdraw(operation);
    LIST_REMOVE(operation, link);
    heap_unreserve(&engine->timers);
    endpoint_give_back(operation->endpoint);
    buffer_free(&operation->outcome.headers);
    buffer_free(&operation->outcome.body);
    free(operation->outcome.message);
    free_request(operation);
}

void operation_start(struct operation *operation)
{
    operation_clear(operation);
    operation->tries = operation->paid = operation->starved = 0;
    operation->stale_excused = operation->is_starved = false;
    operation->submitted_us = clock_monotonic_us();
    operation->deadline_us = operation->submitted_us + operation->request.timeout_us;
    wait_turn(operation);
}

void operation_withdraw(struct operation *operation)
{
    leave_wire(operation);
    engine_clear_timer(operation->engine, &operation->timer);
    leave_line(operation);
    operation->state = OPERATION_IDLE;
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
    if (operation->transfer && engine_is_usable(operation->engine))
        operation->outcome.sent = transfer_result(operation->transfer, CURLE_OK).attempt.sent;
    finish(operation, kind, message);
}

/* ---- tries ---- */

void operation_try(struct operation *operation)
{
    struct engine *engine = operation->engine;
    operation_clear(operation);
    operation->transfer =
        transfer_start(engine, &operation->request, operation->repeatable, operation);
    if (!operation->transfer) {
        finish(operation, OUTCOME_NO_MEMORY, "no memory for the request, or libcurl refuses it");
        return;
    }
    leave_line(operation);
    operation->state = OPERATION_IN_FLIGHT;
    operation->tried_us = clock_monotonic_us();
    operation->late_looks = 0;
    pace_sent(&engine->pace, operation->tried_us);
    operation->tests = rest_test(&engine->rest, operation->tried_us);
    if (operation->patient) {
        operation->deadline_us = operation->tried_us + operation->request.timeout_us;
        engine_set_timer(engine, &operation->timer, operation->deadline_us);
    }
    operation->tries++;
    engine->stats.requests++;
    engine->stats.retries += operation->tries > 1;
    window_enter(operation);
    report(operation, EVENT_STARTED, 0);
}

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
    struct engine *engine = operation->engine;
    leave_wire(operation);
    operation->state = OPERATION_PAUSED;
    engine_set_timer(engine, &operation->timer, clock_monotonic_us() + pause_us);
    report(operation, EVENT_RETRIED, pause_us);
}

static void skip_hopeless(struct lane *lane)
{
    struct operation *operation, *next;
    for (operation = TAILQ_FIRST(&lane->line); operation; operation = next) {
        next = TAILQ_NEXT(operation, lined_up);
        end_if_hopeless(operation);
    }
}

/* A 429. Its endpoint is held for as long as it asks. It may be about all that the client sends, so
 * that rests, too, and less than before is sent afterwards; unless the endpoint's last answer was a
 * 429 already: then it is about this endpoint, for others have been taken since, or will show. */
static void hold_back(struct operation *operation, int64_t pause_us)
{
    struct engine *engine = operation->engine;
    struct endpoint *endpoint = operation->endpoint;
    int64_t now_us = clock_monotonic_us(), span_us = retry_hold_us(pause_us);
    if (!endpoint->refused) {
        if (engine->rest.state == REST_NONE || operation->tests)
            rest_begin(&engine->rest, now_us, span_us);
        pace_slow_down(&engine->pace, now_us, operation->tried_us, rest_certain_us(&engine->rest));
    } else if (operation->tests) {
        rest_test_again(&engine->rest, now_us);
    }
    endpoint->refused = true;
    endpoint_hold(endpoint, now_us + span_us);
    skip_hopeless(&endpoint->lanes[TURN_URGENT]);
    skip_hopeless(&endpoint->lanes[TURN_CALL]);
}

/* What an answer says of the next requests. */
static void heed(struct operation *operation, const struct try_result *result, int64_t pause_us)
{
    if (result->status == 0)
        return;
    if (result->status == 429) {
        hold_back(operation, pause_us);
    } else {
        operation->endpoint->refused = false;
        if (operation->tests)
            rest_end(&operation->engine->rest);
    }
    operation->tests = false;
}

/* Before its deadline, and from what all operations may repeat. */
static bool can_repeat(struct operation *operation, enum retry_choice choice,
    const struct try_result *result, int64_t pause_us)
{
    if (choice == RETRY_NO || clock_monotonic_us() + pause_us >= operation->deadline_us)
        return false;
    if (choice == RETRY_WITH_ROOM)
        return !operation->patient; /* its schedule repeats it */
    return choice == RETRY_AT_ONCE ||
           retry_quota_take(&operation->engine->quota, result, &operation->paid);
}

void operation_try_ended(struct operation *operation, CURLcode code)
{
    struct engine *engine = operation->engine;
    struct transfer_result result = transfer_result(operation->transfer, code);
    const struct retry_history history = {
        .repeatable = operation->repeatable,
        .tries = operation->tries,
        .limit = operation->most_tries + operation->stale_excused + operation->starved,
        .stale_excused = operation->stale_excused,
    };
    enum retry_choice choice = retry_decide(&history, &result.attempt);
    int64_t pause_us = 0;
    if (choice == RETRY_WITH_ROOM)
        pause_us = retry_pause_us(1, -1, engine_random(engine));
    else if (choice == RETRY_AFTER_PAUSE || result.attempt.status == 429)
        pause_us =
            retry_pause_us(operation->tries, result.attempt.retry_after_us, engine_random(engine));
    operation->is_starved = choice == RETRY_WITH_ROOM;
    keep_result(&operation->outcome, &result);

    if (result.attempt.end == TRY_ANSWERED && result.attempt.status < 400)
        retry_quota_refill(&engine->quota, operation->paid);
    heed(operation, &result.attempt, pause_us);
    if (can_repeat(operation, choice, &result.attempt, pause_us)) {
        operation->stale_excused |= choice == RETRY_AT_ONCE;
        operation->starved += operation->is_starved;
        pause_before_next(operation, pause_us);
    } else {
        char message[TRANSFER_MESSAGE]; /* finish() releases the transfer, and its words with it */
        snprintf(message, sizeof message, "%s", result.message);
        finish(operation, result.kind, result.kind == OUTCOME_RESPONSE ? NULL : message);
    }
}

/* ---- the operation that stands for itself ---- */

struct single {
    struct item item;
    struct operation operation;
};

static void single_done(struct operation *operation)
{
    struct single *single = container_of(operation, struct single, operation);
    engine_list_finished(operation->engine, &single->item);
}

struct operation *operation_new(struct engine *engine, const struct request *request, int ref)
{
    if (!engine_is_usable(engine))
        return NULL;
    struct single *single = calloc(1, sizeof *single);
    if (!single)
        return NULL;
    single->item = (struct item){.kind = ITEM_OPERATION, .ref = ref};
    engine_enter(engine);
    bool made = operation_init(
        &single->operation, engine, request, OPERATION_EAGER, &single->item, single_done);
    if (made)
        operation_start(&single->operation);
    engine_leave(engine);
    if (made)
        return &single->operation;
    free(single);
    return NULL;
}

void operation_relist(struct operation *operation)
{
    struct single *single = container_of(operation, struct single, operation);
    struct engine *engine = engine_enter(operation->engine);
    engine_list_finished(engine, &single->item);
    engine_leave(engine);
}

void operation_free(struct operation *operation)
{
    struct single *single = container_of(operation, struct single, operation);
    struct engine *engine = engine_enter(operation->engine);
    engine_forget(engine, &single->item);
    operation_destroy(operation);
    engine_leave(engine);
    engine_release(engine);
    free(single);
}

void operation_cancel(struct operation *operation)
{
    struct engine *engine = engine_enter(operation->engine);
    operation_end(operation, OUTCOME_CANCELLED, "cancelled");
    engine_leave(engine);
}

const struct outcome *operation_outcome(const struct operation *operation)
{
    struct engine *engine = engine_enter(operation->engine);
    bool is_done = operation->state == OPERATION_DONE;
    engine_leave(engine);
    return is_done ? &operation->outcome : NULL;
}
