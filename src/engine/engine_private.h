/* engine_private.h - what engine.c, transfer.c, operation.c and poller.c share. */
#ifndef CEKURA_ENGINE_PRIVATE_H
#define CEKURA_ENGINE_PRIVATE_H

#include "clock.h"
#include "engine.h"
#include "gate.h"
#include "heap.h"
#include "pace.h"
#include "rest.h"
#include "retry.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/stat.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "cekura needs libcurl 7.87 or newer (CURLOPT_QUICK_EXIT, CURLOPT_CA_CACHE_TIMEOUT)"
#endif

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Something that becomes due. */
struct timer {
    struct heap_node node;
    void (*fire)(struct timer *timer);
};

/* Whose turn comes first: what ends work, then what a caller waits for, then polls; see window.h.
 */
enum turn { TURN_URGENT, TURN_CALL, TURN_POLL, TURNS };

/* Endpoints that have something ready for a turn are in the heap of that number. */
enum endpoint_heap { ENDPOINTS_HELD = TURNS, ENDPOINTS_UNUSED, ENDPOINT_HEAPS };

struct transfer;
struct operation;
struct poller;

LIST_HEAD(operation_list, operation);
LIST_HEAD(poller_list, poller);
SLIST_HEAD(transfer_list, transfer);
STAILQ_HEAD(transfer_queue, transfer);

#define EVENTS_AT_ONCE 64

/* The file of certificates that are trusted, see certificates.c. */
struct bundle {
    bool is_used;      /* TLS is spoken, to the service or to the proxy */
    char *path;        /* the file, in a spelling of its own for each version; NULL: no file */
    unsigned version;  /* how often it has changed */
    struct stat state; /* when it was looked at last */
};

#define ENGINE_PORTS 1024

struct engine {
    struct gate gate;    /* see engine_enter() */
    unsigned generation; /* of the process that made it */
    atomic_uint references;
    bool closed;
    bool aside; /* it is engine_step_in_background() that steps */

    CURLM *multi;
    CURLSH *share;       /* of TLS sessions, which libcurl before 8.12 would keep in each handle */
    bool spoils_handles; /* see transfer_spoils_handle() */
    int epoll_fd, timer_fd;
    struct {
        int fd;
        uint64_t read; /* bytes, until it was closed; 0: it was not, since a request used it */
        bool alert;    /* then an alert of TLS was still unread */
    } sockets[ENGINE_PORTS]; /* of connections, by their local port; see connection.c */
    int64_t origin_us;       /* of the moments at which polls are due: another in each engine */
    int64_t curl_due_us;     /* when curl wants a call for its own timeouts */
    int64_t alarm_us;        /* when the layers above want the descriptor readable */
    bool rang;               /* it was, for that */
    int tell_fd;             /* a socket on which somebody wants to hear of news; -1: none */
    int64_t armed_us;        /* when the timerfd fires; CLOCK_NEVER: it does not */

    /* A step does so much and no more, see engine_step_is_over(). What it leaves is due at once. */
    int64_t step_until_us;
    size_t step_bytes;                         /* of bodies, that it may still take in */
    struct epoll_event events[EVENTS_AT_ONCE]; /* fetched, and not all acted on yet */
    int next_event, event_count;
    bool heard;                   /* in this step something has come, or is still to be taken in */
    unsigned connecting;          /* transfers that have no connection yet */
    struct transfer_queue paused; /* there was no more room in a step for their bodies */

    struct heap timers;    /* struct timer: deadlines, pauses */
    struct heap polls_due; /* struct timer: looked at only while somebody waits for jobs */
    unsigned waiting;      /* how many do */
    struct heap endpoints[ENDPOINT_HEAPS]; /* at which operations wait; see endpoint.h */
    void *known_endpoints;                 /* all of them, a tree of tsearch() */
    unsigned polls_in_flight;
    unsigned others_in_a_row; /* were sent since a poll was, while polls were due */
    struct rest rest;         /* that the service asked for */
    struct pace pace;         /* and how fast requests are sent afterwards */
    struct retry_quota quota;

    struct operation_list operations;
    struct poller_list polls;
    unsigned watched; /* polls that are being watched */
    struct transfer_list idle;
    struct curl_slist *distrusted; /* see addresses.h */
    unsigned open_sockets;         /* of connections, in use or not */
    bool starved;                  /* no descriptor was free for the last connection */
    struct item finished;          /* head of a ring */

    struct event *first_event, **last_event;
    uint64_t random_state;
    struct engine_stats stats;

    /* options */
    unsigned max_in_flight, retries;
    size_t max_response;
    int64_t connect_timeout_us;
    char *user_agent, *ca_file, *proxy;
    char *proxy_peer;  /* "host:port" */
    bool proxy_secure; /* the proxy is spoken to over TLS */
    struct bundle bundle;
    struct curl_slist *headers;
    bool direct, report_events;
};

/* Has forks counted, and the process's exit as one; when libcurl was initialized, and before the
 * first engine is made. False: out of memory. */
bool engine_watch_process(void);

/* Which process this is, in a line of forks. */
unsigned engine_generation(void);

/* The process is not forked, and does not end, between these. */
void engine_hold_process(void);
void engine_release_process(void);

/* What a step may change is looked at and changed only between these, in the public functions of
 * engine, operation and poller; so none of them calls another inside. Returns the engine. */
struct engine *engine_enter(struct engine *engine);
void engine_leave(struct engine *engine);

/* False after close, in a process forked from the one that made the engine, and at exit. */
bool engine_is_usable(const struct engine *engine);

/* Whether the step has done what a step may do: taken in so many bytes, or taken so long; or, if
 * it is taken aside, whether somebody else wants the engine, or the process, to fork it or to end
 * it. Asked after each piece of work; one of each kind is done in any case, so that everything goes
 * on. */
bool engine_step_is_over(const struct engine *engine);

/* Whether there is something for the layers above: what has finished, an event, the alarm. */
bool engine_has_completions(const struct engine *engine);

/* Takes down that a caller was kept for so long. */
void engine_record_blocked(struct engine *engine, int64_t span_us);

/* Tells of it, whoever wanted to hear. */
void engine_send_notification(struct engine *engine);

uint64_t engine_random(struct engine *engine);

void engine_list_finished(struct engine *engine, struct item *item);
void engine_unlist(struct item *item);

/* It will be gone: it is not listed, and no event is about it. */
void engine_forget(struct engine *engine, struct item *item);

void engine_set_timer(struct engine *engine, struct timer *timer, int64_t due_us);
void engine_clear_timer(struct engine *engine, struct timer *timer);

/* The same for a due poll. */
void engine_set_poll(struct engine *engine, struct timer *timer, int64_t due_us);
void engine_clear_poll(struct engine *engine, struct timer *timer);

#endif
