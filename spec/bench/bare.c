/* bare.c - the measure of client:request: what libcurl's multi interface does with nothing around it.
 *
 *   bare URL REQUESTS IN_FLIGHT
 *
 * One epoll descriptor, socket_action, easy handles used again. Prints microseconds per request, wall
 * time. Each answer is counted and thrown away. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
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

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const char *url = argv[1];
    long requests = atol(argv[2]), in_flight = atol(argv[3]), sent = 0, done = 0, failed = 0;
    size_t received = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "X-CEKURA-API-KEY: sim-key");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    epoll_fd = epoll_create1(0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, in_flight);

    double began = now();
    for (; sent < in_flight; sent++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
        curl_multi_add_handle(multi, easy);
    }
    while (done < requests) {
        struct epoll_event events[64];
        int running, left;
        int count = epoll_wait(epoll_fd, events, 64, timer_ms < 0 ? 1000 : (int)timer_ms);
        if (count <= 0 || timer_ms == 0)
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
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
            if (sent < requests) {
                sent++;
                curl_multi_add_handle(multi, easy);
            } else {
                curl_easy_cleanup(easy);
            }
        }
    }
    printf("%.2f\n", (now() - began) * 1e6 / (double)requests);
    if (failed)
        fprintf(stderr, "%ld requests failed\n", failed);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return failed != 0;
}
