/* bare.c - the measure of client:request: what libcurl's multi interface does with nothing around
 * it.
 *
 *   bare URL REQUESTS IN_FLIGHT [SECONDS]
 *
 * One epoll descriptor, socket_action, easy handles used again. The requests are sent as fast as
 * that goes, or spread evenly over SECONDS. Prints microseconds per request: of wall time, and of
 * the processor's. Each answer is counted and thrown away. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

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

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes;
    *(size_t *)user += size * count;
    return size * count;
}

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

static CURL *new_handle(const char *url, struct curl_slist *headers, size_t *received)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, received);
    return easy;
}

/* How long epoll may wait: until curl's timer, or until the next request is due. */
static int wait_ms(double next_due)
{
    long wait = next_due > 0 ? (long)((next_due - now()) * 1e3) + 1 : 1000;
    wait = wait < 0 ? 0 : wait;
    return (int)(timer_ms >= 0 && timer_ms < wait ? timer_ms : wait);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    long requests = atol(argv[2]), in_flight = atol(argv[3]), sent = 0, done = 0, failed = 0,
         idle = 0;
    double pause = argc > 4 ? atof(argv[4]) / (double)requests : 0;
    size_t received = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "X-CEKURA-API-KEY: sim-key");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    epoll_fd = epoll_create1(0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, in_flight);
    CURL **free_handles = calloc((size_t)in_flight, sizeof *free_handles);
    while (idle < in_flight)
        free_handles[idle++] = new_handle(argv[1], headers, &received);

    double began = now(), processor_began = processor_time();
    while (done < requests) {
        struct epoll_event events[64];
        int running, left;
        while (
            idle > 0 && sent < requests && (pause == 0 || now() >= began + pause * (double)sent)) {
            curl_multi_add_handle(multi, free_handles[--idle]);
            sent++;
        }
        double next_due = idle > 0 && sent < requests ? began + pause * (double)sent : 0;
        int count = epoll_wait(epoll_fd, events, 64, wait_ms(next_due));
        if (count <= 0 || timer_ms == 0) {
            timer_ms = -1; /* until curl says otherwise */
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        for (int i = 0; i < count; i++) {
            int what = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                       (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
            curl_multi_socket_action(multi, events[i].data.fd, what, &running);
        }
        CURLMsg *message;
        while ((message = curl_multi_info_read(multi, &left))) {
            CURL *easy = message->easy_handle;
            failed += message->data.result != CURLE_OK;
            done++;
            curl_multi_remove_handle(multi, easy);
            free_handles[idle++] = easy;
        }
    }
    printf("%.2f %.2f\n", (now() - began) * 1e6 / (double)requests,
        (processor_time() - processor_began) * 1e6 / (double)requests);
    if (failed)
        fprintf(stderr, "%ld requests failed\n", failed);
    while (idle > 0)
        curl_easy_cleanup(free_handles[--idle]);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return failed != 0;
}
