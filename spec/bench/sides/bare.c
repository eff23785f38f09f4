/* bare.c - what libcurl's multi interface does with nothing around it: the measure of the module.
 *
 *   bare URL REQUESTS IN_FLIGHT [SECONDS]
 *
 * One epoll descriptor, socket_action, easy handles used again where libcurl allows it. The
 * requests are sent as fast as that goes, or evenly over SECONDS. The head and the body of each
 * answer are kept until the next one. The environment's CA_FILE names trusted certificates. Prints
 * microseconds per request: of wall time, and of the processor's. */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

/* ---- answers ---- */

struct text {
    char *bytes;
    size_t length, size;
};

/* One place in flight: a handle, and the answer that it receives. */
struct place {
    CURL *easy;
    struct text head, body;
};

static size_t append(char *bytes, size_t size, size_t count, void *user)
{
    struct text *text = user;
    size_t length = size * count;
    if (text->length + length > text->size) {
        text->size = 2 * (text->length + length);
        text->bytes = realloc(text->bytes, text->size);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    return length;
}

/* ---- places ---- */

static const char *url;
static struct curl_slist *headers;

/* Those of the module, since libcurl takes some 80 instructions for each byte of a head. */
static const char *const HEAD[] = {"User-Agent: cekura-lua/0.1.0", "X-CEKURA-API-KEY: sim-key",
    "Accept: application/json", "Accept-Encoding: gzip"};

static CURLSH *sessions; /* of TLS: a new handle has none of its own */

/* As transfer_spoils_handle() of src/engine/transfer.c says, a handle of these versions serves one
 * request. */
static bool handles_serve_once(void)
{
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    return version >= 0x075400 && version < 0x080100;
}

static CURL *new_handle(struct place *place)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, append);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &place->head);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &place->body);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, place);
    if (getenv("CA_FILE")) {
        curl_easy_setopt(easy, CURLOPT_SHARE, sessions);
        curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CA_FILE"));
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    return easy;
}

static void begin(CURLM *multi, struct place *place)
{
    if (!place->easy)
        place->easy = new_handle(place);
    place->head.length = place->body.length = 0;
    curl_multi_add_handle(multi, place->easy);
}

/* Returns whether the request succeeded. `*ended` is its place. */
static bool finish(CURLM *multi, const CURLMsg *message, bool once, struct place **ended)
{
    char *private = NULL;
    long status = 0;
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* removing the handle frees the message */
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    *ended = (struct place *)(void *)private;
    curl_multi_remove_handle(multi, easy);
    if (once) {
        curl_easy_cleanup(easy);
        (*ended)->easy = NULL;
    }
    return code == CURLE_OK && status == 200 && (*ended)->head.length && (*ended)->body.length;
}

/* ---- libcurl's callbacks ---- */

static int epoll_fd;
static long timer_ms = -1;

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    if (what == CURL_POLL_REMOVE)
        return epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, &event), 0;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    epoll_ctl(epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (!known)
        curl_multi_assign(user, fd, &epoll_fd);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    (void)user;
    timer_ms = timeout_ms;
    return 0;
}

static CURLM *new_multi(long in_flight)
{
    CURLM *multi = curl_multi_init();
    epoll_fd = epoll_create1(0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, in_flight);
    return multi;
}

/* ---- time ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double processor_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Waits until a socket is ready, curl's timer is due, or the next request is. */
static void step(CURLM *multi, double next_due)
{
    struct epoll_event events[64];
    int running;
    long wait = next_due > 0 ? (long)((next_due - now()) * 1e3) + 1 : 1000;
    wait = wait < 0 ? 0 : wait;
    int count =
        epoll_wait(epoll_fd, events, 64, (int)(timer_ms >= 0 && timer_ms < wait ? timer_ms : wait));
    if (count <= 0 || timer_ms == 0) {
        timer_ms = -1; /* until curl says otherwise */
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < count; i++) {
        int what = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi, events[i].data.fd, what, &running);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    url = argv[1];
    long requests = atol(argv[2]), in_flight = atol(argv[3]), sent = 0, done = 0, failed = 0;
    double pause = argc > 4 ? atof(argv[4]) / (double)requests : 0;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (size_t i = 0; i < sizeof HEAD / sizeof *HEAD; i++)
        headers = curl_slist_append(headers, HEAD[i]);
    sessions = curl_share_init();
    curl_share_setopt(sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    CURLM *multi = new_multi(in_flight);
    bool once = handles_serve_once();
    struct place *places = calloc((size_t)in_flight, sizeof *places);
    struct place **idle = calloc((size_t)in_flight, sizeof *idle);
    long idle_count = 0;
    while (idle_count < in_flight) {
        idle[idle_count] = &places[idle_count];
        idle_count++;
    }

    double began = now(), processor_began = processor_time();
    while (done < requests) {
        while (idle_count > 0 && sent < requests &&
               (pause == 0 || now() >= began + pause * (double)sent)) {
            begin(multi, idle[--idle_count]);
            sent++;
        }
        step(multi, idle_count > 0 && sent < requests ? began + pause * (double)sent : 0);
        CURLMsg *message;
        int left;
        while ((message = curl_multi_info_read(multi, &left))) {
            failed += !finish(multi, message, once, &idle[idle_count++]);
            done++;
        }
    }
    printf("%.2f %.2f\n", (now() - began) * 1e6 / (double)requests,
        (processor_time() - processor_began) * 1e6 / (double)requests);
    if (failed)
        fprintf(stderr, "%ld requests failed\n", failed);
    return failed != 0;
}
