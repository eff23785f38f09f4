/* endpoint.c - the endpoints of a service, and the queues of requests to them; see endpoint.h. */
#include "endpoint.h"

#include "clock.h"
#include "text/ascii.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* How long an unused endpoint is kept after the end of its hold, so that a program which requests
 * it again and again meets the same endpoint with its history, not a new one. */
#define REMEMBERED_US INT64_C(60000000)

/* ---- the key ---- */

static bool is_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether a segment is all digits, a UUID, or empty, like a place of a template. */
static bool names_record(const char *segment, size_t length)
{
    static const char uuid[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    bool is_number = true, is_uuid = length == strlen(uuid);
    for (size_t i = 0; i < length && (is_number || is_uuid); i++) {
        is_number = is_number && ascii_is_digit(segment[i]);
        is_uuid = is_uuid && (uuid[i] == '-' ? segment[i] == '-' : is_hex(segment[i]));
    }
    return is_number || is_uuid;
}

static size_t key_room(const char *method, const char *url)
{
    return strlen(method) + strlen(url) + 3;
}

/* Writes a key of at most key_room() bytes. */
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

/* Whether write_key() can have written it, of a URL of printable characters. */
static bool is_key(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (length == 0 || text[length] != '/')
        return false;
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '?' || *c == '#')
            return false;
    for (const char *segment = text + length; *segment == '/'; segment += length) {
        length = strcspn(++segment, "/");
        if (names_record(segment, length))
            return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* ---- life ---- */

static bool reserve(struct endpoints *endpoints)
{
    for (size_t i = 0; i < ENDPOINT_HEAPS; i++)
        if (!heap_reserve(&endpoints->heaps[i])) {
            while (i-- > 0)
                heap_unreserve(&endpoints->heaps[i]);
            return false;
        }
    return true;
}

static void unreserve(struct endpoints *endpoints)
{
    for (size_t i = 0; i < ENDPOINT_HEAPS; i++)
        heap_unreserve(&endpoints->heaps[i]);
}

static void forget(struct endpoint *endpoint)
{
    struct endpoints *endpoints = endpoint->endpoints;
    tdelete(endpoint->key, &endpoints->known, compare);
    if (endpoint->refusal)
        LIST_REMOVE(endpoint, refusing);
    unreserve(endpoints);
    free(endpoint);
}

static void forget_unused(struct endpoints *endpoints, int64_t now_us)
{
    struct heap *unused = &endpoints->heaps[ENDPOINTS_UNUSED];
    struct heap_node *first;
    while ((first = heap_first(unused)) && first->due_us <= now_us) {
        heap_remove(unused, first);
        forget(container_of(first, struct endpoint, wake.node));
    }
}

static void update_heaps(struct endpoint *endpoint);

static void on_wake(struct timer *timer)
{
    update_heaps(container_of(timer, struct endpoint, wake));
}

/* Adds an endpoint without a user. Returns NULL if memory runs out. */
static struct endpoint *add(struct endpoints *endpoints, const char *key)
{
    struct endpoint *endpoint = malloc(sizeof *endpoint + strlen(key) + 1);
    if (!endpoint)
        return NULL;
    *endpoint = (struct endpoint){.endpoints = endpoints, .wake.fire = on_wake};
    for (size_t i = 0; i < PRIORITIES; i++)
        TAILQ_INIT(&endpoint->lanes[i].queue);
    strcpy(endpoint->key, key);
    if (!reserve(endpoints)) {
        free(endpoint);
        return NULL;
    }
    if (tsearch(endpoint->key, &endpoints->known, compare))
        return endpoint;
    unreserve(endpoints);
    free(endpoint);
    return NULL;
}

static struct endpoint *find(struct endpoints *endpoints, const char *key)
{
    char **known = tfind(key, &endpoints->known, compare);
    return known ? container_of(*known, struct endpoint, key) : NULL;
}

static struct endpoint *acquire(struct endpoints *endpoints, const char *key)
{
    struct endpoint *endpoint = find(endpoints, key);
    if (!endpoint)
        endpoint = add(endpoints, key);
    if (endpoint && endpoint->users++ == 0)
        heap_remove(&endpoints->heaps[ENDPOINTS_UNUSED], &endpoint->wake.node);
    return endpoint;
}

/* Calls a function with the key of that URL. Returns NULL if memory runs out. */
static struct endpoint *by_url(struct endpoints *endpoints, const char *method, const char *url,
    struct endpoint *(*by_key)(struct endpoints *endpoints, const char *key))
{
    char small[200];
    size_t room = key_room(method, url);
    char *key = room <= sizeof small ? small : malloc(room);
    if (!key)
        return NULL;
    write_key(key, method, url);
    struct endpoint *endpoint = by_key(endpoints, key);
    if (key != small)
        free(key);
    return endpoint;
}

struct endpoint *endpoint_acquire(struct endpoints *endpoints, const char *method, const char *url)
{
    return by_url(endpoints, method, url, acquire);
}

struct endpoint *endpoint_acquire_key(struct endpoints *endpoints, const char *key)
{
    return is_key(key) ? acquire(endpoints, key) : NULL;
}

const struct endpoint *endpoint_find(
    struct endpoints *endpoints, const char *method, const char *url)
{
    return by_url(endpoints, method, url, find);
}

void endpoint_retain(struct endpoint *endpoint)
{
    endpoint->users++;
}

void endpoint_release(struct endpoint *endpoint)
{
    struct endpoints *endpoints = endpoint->endpoints;
    if (--endpoint->users > 0)
        return;
    int64_t now_us = clock_monotonic_us(), until_us = endpoint->held_us + REMEMBERED_US;
    forget_unused(endpoints, now_us);
    if (until_us > now_us)
        heap_insert(&endpoints->heaps[ENDPOINTS_UNUSED], &endpoint->wake.node, until_us);
    else
        forget(endpoint);
}

void endpoint_forget_all(struct endpoints *endpoints)
{
    forget_unused(endpoints, INT64_MAX);
    for (size_t i = 0; i < ENDPOINT_HEAPS; i++)
        heap_destroy(&endpoints->heaps[i]);
}

/* ---- the queues ---- */

/* Moves the endpoint into the heaps of the priorities that have a queued turn or, while it is held,
 * into the heap of held endpoints. */
static void update_heaps(struct endpoint *endpoint)
{
    struct heap *heaps = endpoint->endpoints->heaps;
    bool was_held = endpoint->held_us > 0, is_waited_for = false;
    bool is_held = was_held && endpoint->held_us > clock_monotonic_us();
    for (size_t priority = 0; priority < PRIORITIES; priority++) {
        struct lane *lane = &endpoint->lanes[priority];
        const struct turn *first = TAILQ_FIRST(&lane->queue);
        is_waited_for |= first != NULL;
        if (first && !is_held)
            heap_insert(&heaps[priority], &lane->ready, first->number);
        else
            heap_remove(&heaps[priority], &lane->ready);
    }
    if (is_held && is_waited_for)
        heap_insert(&heaps[ENDPOINTS_HELD], &endpoint->wake.node, endpoint->held_us);
    else
        heap_remove(&heaps[ENDPOINTS_HELD], &endpoint->wake.node);
}

void endpoint_enqueue(struct turn *turn)
{
    struct turn_queue *queue = &turn->endpoint->lanes[turn->priority].queue;
    bool is_first = TAILQ_EMPTY(queue);
    turn->number = turn->endpoint->endpoints->turns++;
    TAILQ_INSERT_TAIL(queue, turn, queued);
    if (is_first)
        update_heaps(turn->endpoint);
}

void endpoint_dequeue(struct turn *turn)
{
    struct turn_queue *queue = &turn->endpoint->lanes[turn->priority].queue;
    bool was_first = TAILQ_FIRST(queue) == turn;
    TAILQ_REMOVE(queue, turn, queued);
    if (was_first)
        update_heaps(turn->endpoint);
}

void endpoint_hold(struct endpoint *endpoint, int64_t until_us)
{
    if (until_us <= endpoint->held_us)
        return;
    endpoint->held_us = until_us;
    update_heaps(endpoint);
}

void endpoint_refused(struct endpoint *endpoint, int64_t until_us)
{
    struct endpoints *endpoints = endpoint->endpoints;
    if (endpoint->refusal)
        LIST_REMOVE(endpoint, refusing);
    LIST_INSERT_HEAD(&endpoints->refusing, endpoint, refusing);
    endpoint->refusal = ++endpoints->refusals;
    if (until_us > endpoint->asked_us)
        endpoint->asked_us = until_us;
    endpoint_hold(endpoint, until_us);
}

const struct endpoint *endpoint_next_refusing(const struct endpoints *endpoints, int64_t refusals)
{
    const struct endpoint *endpoint, *next = NULL;
    LIST_FOREACH (endpoint, &endpoints->refusing, refusing) {
        if (endpoint->refusal <= refusals)
            break;
        next = endpoint;
    }
    return next;
}

struct turn *endpoint_first(const struct endpoints *endpoints, enum priority priority)
{
    struct heap_node *first = heap_first(&endpoints->heaps[priority]);
    return first ? TAILQ_FIRST(&container_of(first, struct lane, ready)->queue) : NULL;
}
