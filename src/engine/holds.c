/* holds.c - the holds of endpoints, out of an engine and into another: engine_next_hold(),
 * engine_hold() and engine_held_us() of engine.h. */
#include "engine.h"
#include "operation_private.h"

#include <string.h>

static int64_t left_us(int64_t until_us)
{
    int64_t span_us = until_us - clock_monotonic_us();
    return span_us > 0 ? span_us : 0;
}

/* The endpoint of the next 429 after that number of them whose name fits, or NULL. */
static const struct endpoint *next_of(const struct engine *engine, int64_t number)
{
    const struct endpoints *endpoints = &engine->window.endpoints;
    const struct endpoint *next = NULL;
    if (!gate_is_open(&engine->gate))
        return NULL;
    do
        next = endpoint_next_refusing(endpoints, next ? next->refusal : number);
    while (next && strlen(next->key) >= ENGINE_ENDPOINT_SIZE);
    return next;
}

bool engine_next_hold(struct engine *engine, struct engine_hold *hold)
{
    engine_enter(engine);
    const struct endpoint *next = next_of(engine, hold->number);
    hold->number = next ? next->refusal : engine->window.endpoints.refusals;
    if (next) {
        hold->left_us = left_us(next->asked_us);
        strcpy(hold->endpoint, next->key);
    }
    engine_leave(engine);
    return next != NULL;
}

bool engine_hold(struct engine *engine, const char *name, int64_t span_us)
{
    if (!gate_is_open(&engine->gate) || strlen(name) >= ENGINE_ENDPOINT_SIZE)
        return false;
    engine_enter(engine);
    struct endpoint *endpoint = endpoint_acquire_key(&engine->window.endpoints, name);
    if (endpoint) {
        window_hold(&engine->window, endpoint, retry_hold_us(span_us));
        operation_end_hopeless(endpoint);
        endpoint_release(endpoint); /* it is kept for the time of the hold */
        if (completions_are_pending(&engine->completions))
            loop_arm(&engine->loop, 0); /* a step lets the host fetch them */
    }
    engine_leave(engine);
    return endpoint != NULL;
}

int64_t engine_held_us(struct engine *engine, const char *method, const char *url)
{
    engine_enter(engine);
    const struct endpoint *endpoint = endpoint_find(&engine->window.endpoints, method, url);
    int64_t span_us = endpoint ? left_us(endpoint->held_us) : 0;
    engine_leave(engine);
    return span_us;
}
