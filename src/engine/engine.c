/* engine.c - the loop: one epoll descriptor, one heap of due times, one window.
 *
 * What a request is lies in operation.c, how it is put to libcurl in transfer.c, what is repeated
 * in poller.c. */
#include "engine_private.h"

#include "certificates.h"
#include "operation_private.h"
#include "poller_private.h"
#include "text/ascii.h"
#include "text/secret.h"
#include "text/url.h"
#include "transfer.h"
#include "window.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A step does so much and no more, for a host is waiting: the rest is due at once. Time alone would
 * do, were libcurl not to read all that a socket has, and the clock of a busy machine to tell more
 * than the work. */
#define STEP_US 1000
#define BYTES_A_STEP ((size_t)256 * 1024)

/* libcurl sends all that are new to it off in one call. */
#define STARTS_A_ROUND 4

/* Sent unless the program says otherwise; decoder.c reads more. The name is what is compared. */
#define ENCODING_OFFER "Accept-Encoding: gzip"
#define ENCODING_NAME strlen("Accept-Encoding")

/* How soon those above hear again of what they have not fetched. */
#define LEFT_OVER_US 20000

bool engine_is_closed(const struct engine *engine)
{
    return !engine_is_usable(engine);
}

/* ---- what is due ---- */

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static int64_t first_due_us(const struct heap *timers)
{
    const struct heap_node *first = heap_first(timers);
    return first ? first->due_us : CLOCK_NEVER;
}

static bool has_events(const struct engine *engine)
{
    return engine->next_event < engine->event_count;
}

static int64_t own_due_us(const struct engine *engine)
{
    if (has_events(engine) || transfer_first_paused(engine))
        return 0;
    int64_t due_us = earlier(engine->curl_due_us, first_due_us(&engine->timers));
    due_us = earlier(due_us, first_due_us(&engine->endpoints[ENDPOINTS_HELD]));
    if (engine->waiting)
        due_us = earlier(due_us, first_due_us(&engine->polls_due));
    if (window_next(engine))
        due_us = earlier(due_us, window_opens_us(engine));
    return due_us;
}

void engine_wait_for_polls(struct engine *engine, int change)
{
    engine_enter(engine);
    if (!engine->closed && (change > 0 || engine->waiting > 0))
        engine->waiting = (unsigned)((int)engine->waiting + change);
    engine_leave(engine);
}

/* In a forked child it is to be closed, at once. */
int64_t engine_due_us(struct engine *engine)
{
    if (!engine_is_usable(engine))
        return engine->closed ? CLOCK_NEVER : 0;
    engine_enter(engine);
    int64_t due_us = own_due_us(engine);
    engine_leave(engine);
    return due_us;
}

/* Has the timerfd fire no later than is due. One that is set to fire earlier is left alone: a
 * system call for every request costs more than a needless wake-up now and then. */
static void arm(struct engine *engine)
{
    int64_t due_us = earlier(own_due_us(engine), engine->alarm_us);
    if (due_us >= engine->armed_us)
        return;
    int64_t span_us = due_us - clock_monotonic_us();
    struct itimerspec when = {0};
    if (span_us > 0) {
        when.it_value.tv_sec = (time_t)(span_us / 1000000);
        when.it_value.tv_nsec = (long)(span_us % 1000000) * 1000;
    } else {
        when.it_value.tv_nsec = 1; /* 0 would disarm it */
    }
    if (timerfd_settime(engine->timer_fd, 0, &when, NULL) == 0)
        engine->armed_us = due_us;
}

void engine_alarm(struct engine *engine, int64_t due_us)
{
    engine_enter(engine);
    if (engine_is_usable(engine)) {
        engine->rang = false;
        engine->alarm_us = due_us;
        if (engine_has_completions(engine)) /* what hindered them may last */
            engine->alarm_us = earlier(due_us, clock_monotonic_us() + LEFT_OVER_US);
        arm(engine);
    }
    engine_leave(engine);
}

/* ---- curl's side: these are called from inside libcurl, and call nothing of it ---- */

/* `known` is what curl_multi_assign() tied to the socket: whether epoll has it. That can be wrong,
 * for a socket that was closed behind our back and its number used again; then ADD and MOD fail,
 * each where the other is right. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    struct engine *engine = user;
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(engine->epoll_fd, EPOLL_CTL_DEL, fd, &event); /* EBADF, ENOENT: gone already */
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    int action = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int other = known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(engine->epoll_fd, action, fd, &event) != 0 &&
        epoll_ctl(engine->epoll_fd, other, fd, &event) != 0)
        return -1;
    if (!known) /* the one call that a socket callback may make */
        curl_multi_assign(engine->multi, fd, engine);
    return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct engine *engine = user;
    (void)multi;
    engine->curl_due_us =
        timeout_ms < 0 ? CLOCK_NEVER : clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    return 0;
}

/* ---- the multi handle ---- */

/* From libcurl 8.20 on, the threads that look up names are the multi handle's, and its end waits
 * for them unless it is told not to. This is CURLMOPT_QUICK_EXIT, which the headers need not have;
 * an older libcurl refuses it. */
#define MULTI_QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

static bool open_multi(struct engine *engine)
{
    engine->multi = curl_multi_init();
    if (!engine->multi)
        return false;
    /* The default, four times the handles of the moment, closes connections when few are in use. */
    curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)engine->max_in_flight);
    curl_multi_setopt(engine->multi, MULTI_QUICK_EXIT, 1L);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    return true;
}

static void close_multi(struct engine *engine)
{
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, NULL);
    curl_multi_cleanup(engine->multi);
    engine->multi = NULL;
    engine->curl_due_us = CLOCK_NEVER;
}

/* One thread at a time uses an engine, so it needs no locks. */
static bool open_share(struct engine *engine)
{
    engine->share = curl_share_init();
    return engine->share && curl_share_setopt(engine->share, CURLSHOPT_SHARE,
                                CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

/* libcurl had no memory to keep a socket in mind. It does not say whose, and nothing would wake
 * that one before its deadline; and 7.88 divides by zero when the socket's number comes again. So
 * all tries end, and the next ones get another handle. */
static void give_up_multi(struct engine *engine)
{
    struct operation *operation;
    LIST_FOREACH (operation, &engine->operations, link)
        if (operation->transfer)
            operation_try_ended(operation, CURLE_OUT_OF_MEMORY);
    close_multi(engine);
}

/* ---- one step ---- */

static void drain_ended(struct engine *engine)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(engine->multi, &left))) {
        CURLcode code = message->data.result; /* the message goes with the handle */
        operation_try_ended(transfer_owner(transfer_of(message->easy_handle)), code);
    }
}

static void curl_act(struct engine *engine, curl_socket_t fd, int what)
{
    int running;
    if (!engine->multi) /* the event of a socket that went with it */
        return;
    CURLMcode code = curl_multi_socket_action(engine->multi, fd, what, &running);
    drain_ended(engine);
    if (code != CURLM_OK)
        give_up_multi(engine);
}

static void fire_timers(struct engine *engine, struct heap *timers, int64_t now_us)
{
    do {
        struct heap_node *first = heap_first(timers);
        if (!first || first->due_us > now_us)
            return;
        struct timer *timer = container_of(first, struct timer, node);
        heap_remove(timers, first);
        timer->fire(timer);
    } while (!engine_step_is_over(engine));
}

static void fill_window(struct engine *engine, int64_t now_us)
{
    for (int started = 0; started < STARTS_A_ROUND; started++) {
        struct operation *next = window_next(engine);
        if (!next || now_us < window_opens_us(engine))
            return;
        if (engine->multi || open_multi(engine))
            operation_try(next);
        else
            operation_end(next, OUTCOME_NO_MEMORY, "libcurl gives no multi handle");
    }
}

/* Goes on with the one that has been paused for longest. */
static void resume_paused(struct engine *engine)
{
    struct transfer *transfer = transfer_first_paused(engine);
    if (!transfer)
        return;
    CURLcode code = transfer_resume(transfer);
    if (code != CURLE_OK)
        operation_try_ended(transfer_owner(transfer), code);
}

/* Does what is due now, and what that makes due in turn. */
static void do_due(struct engine *engine)
{
    do {
        int64_t now_us = clock_monotonic_us();
        if (own_due_us(engine) > now_us)
            return;
        fire_timers(engine, &engine->timers, now_us);
        fire_timers(engine, &engine->endpoints[ENDPOINTS_HELD], now_us);
        if (engine->waiting)
            fire_timers(engine, &engine->polls_due, now_us);
        fill_window(engine, now_us);
        resume_paused(engine);
        if (engine->curl_due_us <= clock_monotonic_us()) {
            engine->curl_due_us = CLOCK_NEVER;
            curl_act(engine, CURL_SOCKET_TIMEOUT, 0);
        }
    } while (!engine_step_is_over(engine));
}

static void on_event(struct engine *engine, const struct epoll_event *event)
{
    if (event->data.fd == engine->timer_fd) {
        uint64_t expirations;
        if (read(engine->timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
            return;
        engine->armed_us = CLOCK_NEVER;
        int64_t now_us = clock_monotonic_us();
        if (engine->alarm_us <= now_us) { /* it rings again until it is set anew */
            engine->alarm_us = now_us + LEFT_OVER_US;
            engine->rang = true;
        }
        return;
    }
    int what = 0;
    if (event->events & (EPOLLIN | EPOLLHUP))
        what |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    engine->heard = true;
    if (event->events & EPOLLERR)
        what |= CURL_CSELECT_ERR;
    curl_act(engine, event->data.fd, what);
}

/* Threads that libcurl starts for resolving names inherit the signal mask. With signals open in
 * them, the host's SIGTERM could land there and interrupt nobody. */
static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

/* A peer that closes while we write raises SIGPIPE wherever libcurl or its TLS library writes
 * without MSG_NOSIGNAL. Blocked, it is left pending, and taken away here. */
static void unblock_signals(const sigset_t *before)
{
    sigset_t pending;
    if (!sigismember(before, SIGPIPE) && sigpending(&pending) == 0 &&
        sigismember(&pending, SIGPIPE)) {
        sigset_t pipe_only;
        const struct timespec at_once = {0};
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        sigtimedwait(&pipe_only, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Events that were fetched are acted on before others are: epoll gives them in turn only to one who
 * does so. One may be out of date by then, its socket closed; libcurl takes it for a false alarm.
 */
static void work(struct engine *engine)
{
    sigset_t signals;
    int64_t began_us = clock_monotonic_us();
    engine->step_until_us = began_us + STEP_US;
    engine->step_bytes = BYTES_A_STEP;
    engine->heard = transfer_first_paused(engine) != NULL;
    block_signals(&signals);
    while (has_events(engine)) {
        on_event(engine, &engine->events[engine->next_event++]);
        if (engine_step_is_over(engine))
            break;
    }
    engine->heard |= has_events(engine);
    do_due(engine);
    unblock_signals(&signals);
    if (!engine->aside)
        engine_record_blocked(engine, clock_monotonic_us() - began_us);
}

static int wait_ms(int64_t wait_us)
{
    return wait_us > INT64_C(3600000000) ? 3600000 : (int)((wait_us + 999) / 1000);
}

/* Sockets first: what has come may end what is due. */
static void fetch_events(struct engine *engine, int64_t wait_us)
{
    if (has_events(engine))
        return;
    engine->next_event = 0;
    engine->event_count =
        epoll_wait(engine->epoll_fd, engine->events, EVENTS_AT_ONCE, wait_ms(wait_us));
}

static void step(struct engine *engine, int64_t wait_us)
{
    if (wait_us > 0) {
        /* A blocking caller keeps its own time; the alarm covers an error on its way back. */
        engine->alarm_us = clock_monotonic_us() + wait_us + LEFT_OVER_US;
        engine->rang = false;
        if (own_due_us(engine) <= clock_monotonic_us()) {
            fetch_events(engine, 0);
            work(engine);
        }
        if (engine->finished.next != &engine->finished || engine->first_event)
            wait_us = 0;
        arm(engine);
    }
    fetch_events(engine, wait_us);
    if (own_due_us(engine) <= clock_monotonic_us())
        work(engine);
    arm(engine);
    if (engine_has_completions(engine))
        engine_send_notification(engine);
}

void engine_step(struct engine *engine, int64_t wait_us)
{
    if (!engine_is_usable(engine)) {
        engine_close(engine); /* in a forked child: whoever waits for something is told */
        return;
    }
    engine_enter(engine);
    step(engine, wait_us);
    engine_leave(engine);
}

bool engine_step_in_background(struct engine *engine)
{
    gate_enter_last(&engine->gate);
    engine_hold_process();
    bool may_go_on = engine_is_usable(engine);
    if (may_go_on) {
        engine->aside = true;
        step(engine, 0);
        engine->aside = false;
        may_go_on = !engine_has_completions(engine);
    }
    engine_release_process();
    gate_leave_last(&engine->gate);
    return may_go_on;
}

bool engine_is_busy(struct engine *engine)
{
    engine_enter(engine);
    bool is_busy = engine->stats.in_flight > 0 || engine->timers.count > 0 ||
                   (engine->watched > 0 && engine->waiting > 0) ||
                   engine->finished.next != &engine->finished;
    engine_leave(engine);
    return is_busy;
}

/* ---- life ---- */

static bool process_is_watched;

static void start(void)
{
    process_is_watched =
        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && engine_watch_process();
    certificates_begin();
}

static bool copy_text(char **copy, const char *text)
{
    if (!text)
        return true;
    *copy = strdup(text);
    return *copy != NULL;
}

static bool add_header(struct engine *engine, const char *line)
{
    struct curl_slist *longer = curl_slist_append(engine->headers, line);
    if (longer)
        engine->headers = longer;
    return longer != NULL;
}

static bool copy_options(struct engine *engine, const struct engine_options *options)
{
    engine->max_in_flight = options->max_in_flight;
    engine->retries = options->retries;
    engine->max_response = options->max_response;
    engine->connect_timeout_us = options->connect_timeout_us;
    engine->direct = options->loopback;
    engine->report_events = options->report_events;
    bool offers = false;
    for (size_t i = 0; i < options->header_count; i++) {
        offers |= ascii_same(options->headers[i], ENCODING_OFFER, ENCODING_NAME);
        if (!add_header(engine, options->headers[i]))
            return false;
    }
    return (offers || add_header(engine, ENCODING_OFFER)) &&
           copy_text(&engine->user_agent, options->user_agent) &&
           copy_text(&engine->ca_file, options->ca_file) &&
           copy_text(&engine->proxy, options->proxy);
}

/* What is wrong with the proxy; NULL: nothing. */
static const char *read_proxy(struct engine *engine)
{
    struct proxy proxy;
    const char *fault =
        engine->proxy && *engine->proxy ? url_parse_proxy(&proxy, engine->proxy) : NULL;
    if (fault || !engine->proxy || !*engine->proxy)
        return fault;
    engine->proxy_peer = proxy.peer;
    engine->proxy_secure = proxy.secure;
    return proxy.secure && !certificates_serve_proxies()
               ? "this libcurl cannot speak TLS to a proxy"
               : NULL;
}

static bool open_descriptors(struct engine *engine)
{
    struct epoll_event event = {.events = EPOLLIN};
    engine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    engine->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    event.data.fd = engine->timer_fd;
    return engine->epoll_fd >= 0 && engine->timer_fd >= 0 &&
           epoll_ctl(engine->epoll_fd, EPOLL_CTL_ADD, engine->timer_fd, &event) == 0;
}

/* Not in a step, which it would hold up. */
static void load_certificates(struct engine *engine)
{
    sigset_t signals;
    if (!engine->bundle.is_used)
        return;
    block_signals(&signals);
    if (!certificates_load(engine))
        close_multi(engine);
    unblock_signals(&signals);
}

struct engine *engine_new(const struct engine_options *options, const char **message)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    struct engine *engine = process_is_watched ? calloc(1, sizeof *engine) : NULL;
    *message = "out of memory";
    if (!engine)
        return NULL;
    engine->gate = (struct gate)GATE_OPEN;
    engine->generation = engine_generation();
    engine->references = 1;
    engine->origin_us = clock_monotonic_us();
    engine->spoils_handles =
        transfer_spoils_handle(curl_version_info(CURLVERSION_NOW)->version_num);
    engine->epoll_fd = engine->timer_fd = engine->tell_fd = -1;
    engine->curl_due_us = engine->alarm_us = engine->armed_us = CLOCK_NEVER;
    engine->last_event = &engine->first_event;
    engine->quota.left = RETRY_QUOTA_FULL;
    STAILQ_INIT(&engine->paused);
    engine->finished.next = engine->finished.previous = &engine->finished;
    if (getrandom(&engine->random_state, sizeof engine->random_state, GRND_NONBLOCK) < 0)
        engine->random_state = (uint64_t)clock_monotonic_us();

    if (!copy_options(engine, options))
        goto fail;
    if ((*message = read_proxy(engine)))
        goto fail;
    *message = "no descriptor for epoll or timerfd";
    if (!open_descriptors(engine))
        goto fail;
    *message = "libcurl gives no multi handle";
    if (!open_multi(engine) || !open_share(engine))
        goto fail;
    *message = "out of memory";
    if (!certificates_choose(engine, options->secure))
        goto fail;
    load_certificates(engine);
    return engine;

fail:
    engine_free(engine);
    return NULL;
}

static void end_operations(struct engine *engine)
{
    struct operation *operation;
    poller_end_all(engine);
    LIST_FOREACH (operation, &engine->operations, link)
        operation_end(operation, OUTCOME_CLOSED, "the client was closed");
}

static void close_now(struct engine *engine)
{
    if (engine->closed)
        return;
    end_operations(engine);
    bool usable = engine_is_usable(engine);
    engine->closed = true;
    /* In a forked child the handles share their connections with the parent's: a cleanup would say
     * good-bye on them. They are left, memory and all, and never used again. */
    if (usable) {
        transfer_free_idle(engine);
        if (engine->multi)
            close_multi(engine);
        curl_share_cleanup(engine->share);
    }
    transfer_free_headers(engine->headers);
    curl_slist_free_all(engine->distrusted);
    engine->headers = engine->distrusted = NULL;
    secret_free_text(engine->proxy);
    engine->proxy = NULL;
    if (engine->epoll_fd >= 0)
        close(engine->epoll_fd);
    if (engine->timer_fd >= 0)
        close(engine->timer_fd);
    engine->epoll_fd = engine->timer_fd = -1;
    if (usable)
        engine_send_notification(engine);
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

struct engine *engine_none(void)
{
    static struct engine none = {
        .references = 1, /* whoever releases it has retained it */
        .gate = GATE_OPEN,
        .closed = true,
        .epoll_fd = -1,
        .timer_fd = -1,
        .tell_fd = -1,
        .finished = {.next = &none.finished, .previous = &none.finished},
    };
    return &none;
}

int engine_fd(const struct engine *engine)
{
    return engine_is_usable(engine) ? engine->epoll_fd : -1;
}

struct engine_stats engine_stats(struct engine *engine)
{
    engine_enter(engine);
    struct engine_stats stats = engine->stats;
    stats.retry_quota = engine->quota.left;
    engine_leave(engine);
    return stats;
}
