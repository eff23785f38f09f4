/* engine.c - combines the parts of an engine: what is due, the order of work in a step, and the
 * engine's life.
 *
 * Requests are implemented in operation.c, and polls in poller.c. */
#include "engine.h"

#include "engine_parts.h"
#include "guest.h"
#include "process.h"
#include "signals.h"
#include "text/ascii.h"
#include "text/url.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

/* libcurl sends all new transfers in one call, so this bounds the time of that call. */
#define STARTS_PER_ROUND 4

/* Sent unless the options have a header of that name. decoder.c reads more than it offers. */
#define ENCODING_OFFER "Accept-Encoding: gzip"
#define ENCODING_NAME strlen("Accept-Encoding")

bool engine_is_closed(const struct engine *engine)
{
    return !gate_is_open(&engine->gate);
}

/* ---- what is due ---- */

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static struct turn *next_turn(const struct engine *engine)
{
    return window_next(&engine->window, engine->transfers.connecting);
}

static int64_t due_us(const struct engine *engine)
{
    const struct window *window = &engine->window;
    if (loop_has_events(&engine->loop) || transfers_are_paused(&engine->transfers))
        return 0;
    int64_t first_us = earlier(engine->transfers.multi.due_us, timers_due_us(&engine->timers));
    first_us = earlier(first_us, timers_due_us(&window->endpoints.heaps[ENDPOINTS_HELD]));
    if (window_takes_polls(window))
        first_us = earlier(first_us, timers_due_us(&engine->polls.due));
    if (next_turn(engine))
        first_us = earlier(first_us, window_opens_us(window));
    return first_us;
}

/* In a forked child a step is due at once; it closes the engine. */
int64_t engine_due_us(struct engine *engine)
{
    if (!gate_is_open(&engine->gate))
        return engine->gate.closed ? CLOCK_NEVER : 0;
    engine_enter(engine);
    int64_t first_us = due_us(engine);
    engine_leave(engine);
    return first_us;
}

void engine_wait_for_polls(struct engine *engine, int change)
{
    engine_enter(engine);
    if (!engine->gate.closed)
        window_count_waiter(&engine->window, change);
    engine_leave(engine);
}

/* ---- for the layers above ---- */

static bool has_completions(const struct engine *engine)
{
    return completions_are_pending(&engine->completions) || engine->loop.rang;
}

void engine_alarm(struct engine *engine, int64_t alarm_us)
{
    engine_enter(engine);
    if (gate_is_open(&engine->gate)) {
        loop_set_alarm(&engine->loop, alarm_us);
        /* If completions are left, their handling failed or is not done: wake the host again. */
        if (has_completions(engine))
            loop_set_alarm(
                &engine->loop, earlier(alarm_us, clock_monotonic_us() + LOOP_REMINDER_US));
        loop_arm(&engine->loop, due_us(engine));
    }
    engine_leave(engine);
}

bool engine_has_completions(struct engine *engine)
{
    engine_enter(engine);
    bool are_there = has_completions(engine);
    engine_leave(engine);
    return are_there;
}

static void notify(struct engine *engine)
{
    if (has_completions(engine))
        completions_notify(&engine->completions);
}

bool engine_notify(struct engine *engine, int fd)
{
    engine_enter(engine);
    bool is_pending = has_completions(engine) || engine->gate.closed;
    engine->completions.notify_fd = is_pending ? -1 : fd;
    engine_leave(engine);
    return !is_pending;
}

void engine_cancel_notify(struct engine *engine, int fd)
{
    engine_enter(engine);
    if (engine->completions.notify_fd == fd)
        engine->completions.notify_fd = -1;
    engine_leave(engine);
}

struct item *engine_next_finished(struct engine *engine)
{
    engine_enter(engine);
    struct item *item = completions_next(&engine->completions);
    engine_leave(engine);
    return item;
}

void engine_relist(struct engine *engine, int ref)
{
    engine_enter(engine);
    completions_relist(&engine->completions, ref);
    engine_leave(engine);
}

struct event *engine_next_event(struct engine *engine)
{
    engine_enter(engine);
    struct event *event = completions_next_event(&engine->completions);
    engine_leave(engine);
    return event;
}

void engine_set_speed(struct engine *engine, double speed)
{
    engine_enter(engine);
    engine->speed = speed > 0 ? speed : 1;
    engine_leave(engine);
}

double engine_speed(struct engine *engine)
{
    engine_enter(engine);
    double speed = engine->speed;
    engine_leave(engine);
    return speed;
}

bool engine_is_busy(struct engine *engine)
{
    engine_enter(engine);
    bool polls = window_takes_polls(&engine->window) && engine->polls.watched > 0;
    bool is_busy = engine->window.in_flight > 0 || engine->timers.count > 0 || polls ||
                   completions_are_listed(&engine->completions);
    engine_leave(engine);
    return is_busy;
}

struct engine_stats engine_stats(struct engine *engine)
{
    engine_enter(engine);
    struct engine_stats stats = engine->stats;
    stats.connections = engine->transfers.connections;
    stats.bytes_in = engine->transfers.bytes_in;
    stats.in_flight = engine->window.in_flight;
    stats.most_in_flight = engine->window.most_in_flight;
    stats.long_in_flight = engine->window.long_in_flight;
    stats.retry_quota = engine->tries.quota.left;
    stats.longest_step_us = engine->step.longest_us;
    engine_leave(engine);
    return stats;
}

/* ---- one step ---- */

static void act(struct engine *engine, curl_socket_t fd, int what)
{
    struct transfers *transfers = &engine->transfers;
    if (!transfers->multi.handle) /* the event's socket was closed with the handle */
        return;
    bool works = multi_act(&transfers->multi, fd, what);
    transfers_end_done(transfers);
    if (!works)
        transfers_give_up(transfers);
}

static void fill_window(struct engine *engine, int64_t now_us)
{
    for (int started = 0; started < STARTS_PER_ROUND; started++) {
        struct turn *next = next_turn(engine);
        if (!next || now_us < window_opens_us(&engine->window))
            return;
        next->fire(next);
    }
}

/* Does what is due, and what becomes due meanwhile, until the step is over. */
static void do_due(struct engine *engine)
{
    const struct step *step = &engine->step;
    do {
        int64_t now_us = clock_monotonic_us();
        if (due_us(engine) > now_us)
            return;
        timers_fire(&engine->timers, now_us, step);
        timers_fire(&engine->window.endpoints.heaps[ENDPOINTS_HELD], now_us, step);
        if (window_takes_polls(&engine->window))
            timers_fire(&engine->polls.due, now_us, step);
        fill_window(engine, now_us);
        transfers_resume(&engine->transfers);
        if (engine->transfers.multi.due_us <= now_us) {
            engine->transfers.multi.due_us = CLOCK_NEVER;
            act(engine, CURL_SOCKET_TIMEOUT, 0);
        }
    } while (!step_is_over(step));
}

/* The guest whose socket that is, or NULL. */
static struct guest *guest_of(const struct engine *engine, int fd)
{
    struct guest *guest;
    LIST_FOREACH (guest, &engine->guests, next)
        if (guest->fd == fd && guest->events != 0)
            return guest;
    return NULL;
}

static void on_event(struct engine *engine, const struct epoll_event *event)
{
    struct guest *guest = guest_of(engine, event->data.fd);
    int what = 0;
    engine->step.had_input = true;
    if (guest) {
        guest->ready(guest, event->events);
        return;
    }
    if (event->events & (EPOLLIN | EPOLLHUP))
        what |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (event->events & EPOLLERR)
        what |= CURL_CSELECT_ERR;
    act(engine, event->data.fd, what);
}

/* All fetched events are handled before more are fetched, since epoll serves its descriptors in
 * turn only then. An event may be stale, its socket closed by an earlier one; libcurl treats it as
 * a spurious wake-up. */
static void work(struct engine *engine, int64_t slice_us)
{
    step_begin(&engine->step, slice_us);
    engine->step.had_input = transfers_are_paused(&engine->transfers);
    while (loop_has_events(&engine->loop)) {
        const struct epoll_event *event = loop_next(&engine->loop);
        if (event)
            on_event(engine, event);
        if (step_is_over(&engine->step))
            break;
    }
    engine->step.had_input |= loop_has_events(&engine->loop);
    do_due(engine);
    if (!engine->step.background)
        step_record(&engine->step, clock_monotonic_us() - engine->step.began_us);
}

/* Sockets come first, since an answer may finish an operation whose deadline is due. */
static void step(struct engine *engine)
{
    struct signals *signals = &engine->step.signals;
    loop_fetch(&engine->loop, 0, NULL);
    if (due_us(engine) <= clock_monotonic_us()) {
        if (signals->may_pipe) /* else they are blocked when a name is looked up */
            signals_block(signals);
        work(engine, STEP_US);
        signals_restore(signals);
    }
    loop_arm(&engine->loop, due_us(engine));
}

/* Steps until there is something to fetch, the time is over, or a signal arrives, whose handler has
 * to run, and may have set a hook for the caller. Signals are accepted only while epoll waits: one
 * that came before would interrupt nothing. A caller that blocks keeps its own time: neither alarm
 * nor timerfd is set before engine_alarm(). */
static void run(struct engine *engine, int64_t wait_us)
{
    struct signals *signals = &engine->step.signals;
    int64_t now_us = clock_monotonic_us(), until_us = now_us + wait_us;
    bool goes_on = true;
    signals_block(signals);
    loop_set_alarm(&engine->loop, CLOCK_NEVER);
    while (goes_on) {
        int64_t next_us = has_completions(engine) ? now_us : earlier(until_us, due_us(engine));
        enum loop_fetched fetched = loop_fetch(&engine->loop, next_us - now_us, &signals->before);
        goes_on = fetched == LOOP_EVENTS || (fetched == LOOP_NOTHING && next_us < until_us);
        if (fetched == LOOP_SIGNAL) /* the process may have been stopped; sockets come first */
            loop_fetch(&engine->loop, 0, NULL);
        if (due_us(engine) <= clock_monotonic_us())
            work(engine, STEP_BLOCKING_US);
        now_us = clock_monotonic_us();
        goes_on = goes_on && now_us < until_us && !has_completions(engine) &&
                  !signals_are_pending(signals);
    }
    signals_restore(signals);
}

/* In a forked child a step closes the engine, which ends what the waiters wait for. */
void engine_step(struct engine *engine, int64_t wait_us)
{
    if (!gate_is_open(&engine->gate)) {
        engine_close(engine);
        return;
    }
    engine_enter(engine);
    if (wait_us > 0)
        run(engine, wait_us);
    else
        step(engine);
    notify(engine);
    engine_leave(engine);
}

/* Steps each engine, and returns whether none has something to fetch. */
static bool are_quiet(struct engine *const *engines, size_t count)
{
    bool are_quiet = true;
    for (size_t i = 0; i < count; i++) {
        engine_step(engines[i], 0);
        are_quiet = are_quiet && !engine_has_completions(engines[i]);
    }
    return are_quiet;
}

void engine_step_all(
    struct engine *const *engines, size_t count, struct pollfd *room, int64_t wait_us)
{
    int64_t until_us = clock_monotonic_us() + wait_us, left_us = wait_us;
    struct signals signals = {.are_blocked = false};
    for (size_t i = 0; i < count; i++)
        room[i] = (struct pollfd){.fd = engine_fd(engines[i]), .events = POLLIN};
    signals_block(&signals);
    while (are_quiet(engines, count) && left_us > 0 && !signals_are_pending(&signals)) {
        const struct timespec wait = {
            .tv_sec = (time_t)(left_us / 1000000), .tv_nsec = (long)(left_us % 1000000) * 1000};
        if (ppoll(room, count, &wait, &signals.before) <= 0)
            break; /* the time is over, or the handler of a signal has run */
        left_us = until_us - clock_monotonic_us();
    }
    signals_restore(&signals);
}

bool engine_step_in_background(struct engine *engine)
{
    gate_enter_last(&engine->gate);
    process_hold();
    bool may_go_on = gate_is_open(&engine->gate);
    if (may_go_on) {
        engine->step.background = &engine->gate;
        step(engine);
        notify(engine);
        engine->step.background = NULL;
        may_go_on = !has_completions(engine);
    }
    process_release();
    gate_leave_last(&engine->gate);
    return may_go_on;
}

/* ---- life ---- */

static bool process_is_watched;

/* Called once in a process: curl_version_info() writes to static memory without a lock. */
static void start(void)
{
    process_is_watched = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && process_watch();
    const curl_version_info_data *libcurl = curl_version_info(CURLVERSION_NOW);
    certificates_begin(libcurl);
    transfers_begin(libcurl);
}

static bool copy_text(char **copy, const char *text)
{
    if (!text)
        return true;
    *copy = strdup(text);
    return *copy != NULL;
}

static bool add_header(struct transfers *transfers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfers->headers, line);
    if (longer)
        transfers->headers = longer;
    return longer != NULL;
}

/* The service gets it as one of the headers, for which libcurl does less than for its option; a
 * proxy gets it by the option. */
static bool copy_user_agent(struct transfers *transfers, const char *text)
{
    static const char name[] = "User-Agent: ";
    if (!text)
        return true;
    char *line = malloc(sizeof name + strlen(text));
    if (!line)
        return false;
    strcpy(line, name);
    strcat(line, text);
    bool copied = copy_text(&transfers->user_agent, text) && add_header(transfers, line);
    free(line);
    return copied;
}

static bool copy_options(struct engine *engine, const struct engine_options *options)
{
    struct transfers *transfers = &engine->transfers;
    engine->window.max_in_flight = options->max_in_flight;
    engine->window.max_long = options->max_long;
    engine->tries.retries = options->retries;
    engine->completions.report_events = options->report_events;
    engine->speed = options->speed > 0 ? options->speed : 1;
    transfers->multi.max_connections = options->max_in_flight + options->max_long;
    transfers->max_response = options->max_response;
    transfers->connect_timeout_us = options->connect_timeout_us;
    transfers->direct = options->loopback;
    transfers->certificates.service = options->secure;
    bool offers = false;
    for (size_t i = 0; i < options->header_count; i++) {
        offers |= ascii_same(options->headers[i], ENCODING_OFFER, ENCODING_NAME);
        if (!add_header(transfers, options->headers[i]))
            return false;
    }
    return (offers || add_header(transfers, ENCODING_OFFER)) &&
           copy_user_agent(transfers, options->user_agent) &&
           copy_text(&transfers->proxy, options->proxy);
}

/* Returns what is wrong with the proxy's URL, or NULL. */
static const char *read_proxy(struct transfers *transfers)
{
    struct proxy proxy;
    if (!transfers->proxy || !*transfers->proxy)
        return NULL;
    const char *fault = url_parse_proxy(&proxy, transfers->proxy);
    if (fault)
        return fault;
    transfers->proxy_peer = proxy.peer;
    transfers->certificates.proxy = proxy.secure;
    return proxy.secure && !certificates_serve_proxies()
               ? "this build of libcurl does not support TLS to a proxy"
               : NULL;
}

/* Called when the engine is created, since it would delay a step by 20 ms or more. */
static void load_certificates(struct transfers *transfers)
{
    struct signals signals = {.may_pipe = true};
    if (!transfers_use_tls(transfers))
        return;
    signals_block(&signals);
    if (!certificates_load(&transfers->certificates, &transfers->multi))
        multi_close(&transfers->multi);
    signals_restore(&signals);
}

static void init(struct engine *engine)
{
    struct transfers *transfers = &engine->transfers;
    gate_init(&engine->gate);
    engine->references = 1;
    engine->loop.epoll_fd = engine->loop.timer_fd = -1;
    engine->loop.armed_us = engine->loop.alarm_us = CLOCK_NEVER;
    completions_init(&engine->completions);
    engine->tries.quota.left = RETRY_QUOTA_FULL;
    engine->polls.origin_us = clock_monotonic_us();
    if (getrandom(&engine->jitter, sizeof engine->jitter, GRND_NONBLOCK) < 0)
        engine->jitter.state = (uint64_t)clock_monotonic_us();
    transfers->multi.loop = &engine->loop;
    transfers->multi.due_us = CLOCK_NEVER;
    transfers->step = &engine->step;
    transfers->sockets.loop = &engine->loop;
    STAILQ_INIT(&transfers->paused);
}

struct engine *engine_new(const struct engine_options *options, const char **message)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    struct engine *engine = process_is_watched ? calloc(1, sizeof *engine) : NULL;
    *message = "out of memory";
    if (!engine)
        return NULL;
    init(engine);
    if (!copy_options(engine, options))
        goto fail;
    if ((*message = read_proxy(&engine->transfers)))
        goto fail;
    *message = "no descriptor for epoll or timerfd";
    if (!loop_open(&engine->loop))
        goto fail;
    *message = "libcurl cannot create a multi handle";
    if (!transfers_open(&engine->transfers))
        goto fail;
    *message = "out of memory";
    if (!certificates_choose(&engine->transfers.certificates, options->ca_file))
        goto fail;
    load_certificates(&engine->transfers);
    engine->step.signals.may_pipe = transfers_use_tls(&engine->transfers);
    return engine;

fail:
    engine_free(engine);
    return NULL;
}

static void close_now(struct engine *engine)
{
    if (engine->gate.closed)
        return;
    completions_end_all(&engine->completions);
    bool is_open = gate_is_open(&engine->gate);
    engine->gate.closed = true;
    /* A forked child shares its connections with the parent. A cleanup would send a TLS
     * close_notify on them, so the handles are leaked, and never used again. */
    if (is_open)
        transfers_close(&engine->transfers);
    transfers_forget_secrets(&engine->transfers);
    loop_close(&engine->loop);
    if (is_open)
        completions_notify(&engine->completions);
}

void engine_close(struct engine *engine)
{
    engine_enter(engine);
    close_now(engine);
    engine_leave(engine);
}

void engine_free(struct engine *engine)
{
    engine_close(engine);
    engine_release(engine);
}

void engine_retain(struct engine *engine)
{
    atomic_fetch_add(&engine->references, 1);
}

void engine_release(struct engine *engine)
{
    if (atomic_fetch_sub(&engine->references, 1) > 1)
        return;
    struct event *event;
    while ((event = completions_next_event(&engine->completions)))
        free(event);
    heap_destroy(&engine->timers);
    heap_destroy(&engine->polls.due);
    learners_free(&engine->polls.learners);
    endpoint_forget_all(&engine->window.endpoints);
    transfers_free_options(&engine->transfers);
    free(engine);
}

struct engine *engine_none(void)
{
    static struct engine none = {
        .references = 1, /* never released */
        .gate.mutex = PTHREAD_MUTEX_INITIALIZER,
        .gate.unwanted = PTHREAD_COND_INITIALIZER,
        .gate.closed = true,
    };
    return &none;
}

int engine_fd(const struct engine *engine)
{
    return gate_is_open(&engine->gate) ? engine->loop.epoll_fd : -1;
}
