/* multi.c - libcurl's multi handle; see multi.h. */
#include "multi.h"

/* ---- libcurl's callbacks, which must not call libcurl ---- */

/* `known` is the pointer that curl_multi_assign() stored: set once the loop watches the socket. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    struct multi *multi = user;
    uint32_t events = 0;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        loop_unwatch(multi->loop, fd);
        return 0;
    }
    if (what & CURL_POLL_IN)
        events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        events |= EPOLLOUT;
    if (!loop_watch(multi->loop, fd, events, known != NULL))
        return -1;
    if (!known) /* the one call that is allowed here */
        curl_multi_assign(multi->handle, fd, multi);
    return 0;
}

static int on_timer(CURLM *handle, long timeout_ms, void *user)
{
    struct multi *multi = user;
    (void)handle;
    if (timeout_ms < 0)
        multi->due_us = CLOCK_NEVER;
    else
        multi->due_us = timeout_ms == 0 ? 0 : clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    return 0;
}

/* ---- life ---- */

/* From libcurl 8.20 on, the multi handle owns the resolver threads, and curl_multi_cleanup() joins
 * them unless CURLMOPT_QUICK_EXIT is set. Older headers do not define the option, and an older
 * libcurl refuses it. */
#define MULTI_QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

bool multi_open(struct multi *multi)
{
    if (multi->handle)
        return true;
    multi->handle = curl_multi_init();
    if (!multi->handle)
        return false;
    /* By default the pool shrinks to four times the number of current transfers. */
    curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, (long)multi->max_connections);
    curl_multi_setopt(multi->handle, MULTI_QUICK_EXIT, 1L);
    curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
    return true;
}

void multi_close(struct multi *multi)
{
    if (!multi->handle)
        return;
    curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, NULL);
    curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, NULL);
    curl_multi_cleanup(multi->handle);
    multi->handle = NULL;
    multi->due_us = CLOCK_NEVER;
}

bool multi_act(struct multi *multi, curl_socket_t fd, int what)
{
    int running;
    return curl_multi_socket_action(multi->handle, fd, what, &running) == CURLM_OK;
}
