/* endpoint.c - what requests are sent to, and what waits there; see endpoint.h. */
#include "endpoint.h"

#include "operation_private.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* How long an endpoint that no operation uses is kept in mind after it was held: a program that
 * asks for it again and again is to be refused as one that is known. */
#define REMEMBERED_US INT64_C(60000000)

/* ---- which it is ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Digits, a UUID, or nothing: a place of a template that was left empty. */
static bool names_record(const char *segment, size_t length)
{
    static const char uuid[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    bool is_number = true, is_uuid = length == strlen(uuid);
    for (size_t i = 0; i < length; i++) {
        is_number = is_number && is_digit(segment[i]);
        is_uuid = is_uuid && (uuid[i] == '-' ? segment[i] == '-' : is_hex(segment[i]));
    }
    return is_number || is_uuid;
}

/* As long as both texts and three bytes at most. */
static void write_key(char *key, const char *method, const char *url)
{
    key = stpcpy(key, method);
    for (const char *segment = url;; segment++) {
        size_t length = strcspn(segment, "/?#");
        if (!names_record(segment, length)) {
            *key++ = '/';
            key = mempcpy(key, segment, length);
        }
        segment += length;
        if (*segment != '/')
            break;
    }
    *key = '\0';
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* ---- life ---- */

static bool reserve(struct engine *engine)
{
    for (size_t i = 0; i < ENDPOINT_HEAPS; i++)
        if (!heap_reserve(&engine->endpoints[i])) {
            while (i-- > 0)
                heap_unreserve(&engine->endpoints[i]);
            return false;
        }
    return true;
}

static void forget(struct endpoint *endpoint)
{
    struct engine *engine = endpoint->engine;
    tdelete(endpoint->key, &engine->known_endpoints, compare);
    for (size_t i = 0; i < ENDPOINT_HEAPS; i++)
        heap_unreserve(&engine->endpoints[i]);
    free(endpoint);
}

static void forget_unused(struct engine *engine, int64_t now_us)
{
    struct heap *unused = &engine->endpoints[ENDPOINTS_UNUSED];
    struct heap_node *first;
    while ((first = heap_first(unused)) && first->due_us <= now_us) {
        heap_remove(unused, first);
        forget(container_of(first, struct endpoint, wake.node));
    }
}

static void settle(struct endpoint *endpoint);

static void on_wake(struct timer *timer)
{
    settle(container_of(timer, struct endpoint, wake));
}

static struct endpoint *make(struct engine *engine, const char *method, const char *url)
{
    struct endpoint *endpoint = malloc(sizeof *endpoint + strlen(method) + strlen(url) + 3);
    if (!endpoint)
        return NULL;
    *endpoint = (struct endpoint){.engine = engine, .wake.fire = on_wake};
    for (size_t i = 0; i < TURNS; i++)
        TAILQ_INIT(&endpoint->lanes[i].line);
    write_key(endpoint->key, method, url);
    return endpoint;
}

struct endpoint *endpoint_take(struct engine *engine, const char *method, const char *url)
{
    struct endpoint *made = make(engine, method, url);
    char **known = made ? tsearch(made->key, &engine->known_endpoints, compare) : NULL;
    if (!known) {
        free(made);
        return NULL;
    }
    struct endpoint *endpoint = container_of(*known, struct endpoint, key);
    if (endpoint != made) {
        free(made);
    } else if (!reserve(engine)) {
        tdelete(made->key, &engine->known_endpoints, compare);
        free(made);
        return NULL;
    }
    if (endpoint->users++ == 0)
        heap_remove(&engine->endpoints[ENDPOINTS_UNUSED], &endpoint->wake.node);
    return endpoint;
}

void endpoint_give_back(struct endpoint *endpoint)
{
    struct engine *engine = endpoint->engine;
    int64_t now_us = clock_monotonic_us(), until_us = endpoint->held_us + REMEMBERED_US;
    forget_unused(engine, now_us);
    if (--endpoint->users > 0)
        return;
    if (until_us > now_us)
        heap_insert(&engine->endpoints[ENDPOINTS_UNUSED], &endpoint->wake.node, until_us);
    else
        forget(endpoint);
}

void endpoint_forget_all(struct engine *engine)
{
    forget_unused(engine, INT64_MAX);
    for (size_t i = 0; i < ENDPOINT_HEAPS; i++)
        heap_destroy(&engine->endpoints[i]);
}

/* ---- what waits ---- */

/* Puts the endpoint where it belongs: among those at which something is ready to be sent, or among
 * those that are held while something waits. */
static void settle(struct endpoint *endpoint)
{
    struct heap *heaps = endpoint->engine->endpoints;
    bool is_held = endpoint->held_us > clock_monotonic_us(), is_waited_for = false;
    for (size_t turn = 0; turn < TURNS; turn++) {
        struct lane *lane = &endpoint->lanes[turn];
        const struct operation *first = TAILQ_FIRST(&lane->line);
        is_waited_for |= first != NULL;
        if (first && !is_held)
            heap_insert(&heaps[turn], &lane->ready, first->lined_up_us);
        else
            heap_remove(&heaps[turn], &lane->ready);
    }
    if (is_held && is_waited_for)
        heap_insert(&heaps[ENDPOINTS_HELD], &endpoint->wake.node, endpoint->held_us);
    else
        heap_remove(&heaps[ENDPOINTS_HELD], &endpoint->wake.node);
}

void endpoint_line_up(struct operation *operation)
{
    struct operation_line *line = &operation->endpoint->lanes[operation->turn].line;
    bool is_first = TAILQ_EMPTY(line);
    operation->lined_up_us = clock_monotonic_us();
    TAILQ_INSERT_TAIL(line, operation, lined_up);
    if (is_first)
        settle(operation->endpoint);
}

void endpoint_step_out(struct operation *operation)
{
    struct operation_line *line = &operation->endpoint->lanes[operation->turn].line;
    bool was_first = TAILQ_FIRST(line) == operation;
    TAILQ_REMOVE(line, operation, lined_up);
    if (was_first)
        settle(operation->endpoint);
}

void endpoint_hold(struct endpoint *endpoint, int64_t until_us)
{
    if (until_us <= endpoint->held_us)
        return;
    endpoint->held_us = until_us;
    settle(endpoint);
}

struct operation *endpoint_first(const struct engine *engine, enum turn turn)
{
    struct heap_node *first = heap_first(&engine->endpoints[turn]);
    return first ? TAILQ_FIRST(&container_of(first, struct lane, ready)->line) : NULL;
}
