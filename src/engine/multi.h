/* multi.h - libcurl's multi handle, whose sockets are in the loop. */
#ifndef CEKURA_MULTI_H
#define CEKURA_MULTI_H

#include "loop.h"

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "cekura needs libcurl 7.87 or newer (CURLOPT_QUICK_EXIT, CURLOPT_CA_CACHE_TIMEOUT)"
#endif

struct multi {
    CURLM *handle; /* NULL while closed */
    struct loop *loop;
    unsigned max_connections; /* size of the connection pool */
    int64_t due_us;           /* when libcurl's next timeout is due */
};

/* Opens the handle unless it is open. Returns false if libcurl cannot create one. */
bool multi_open(struct multi *multi);
void multi_close(struct multi *multi);

/* Calls curl_multi_socket_action() for a socket, or for the timeouts if `fd` is
 * CURL_SOCKET_TIMEOUT. Returns false if the handle has failed; the caller closes it then. */
bool multi_act(struct multi *multi, curl_socket_t fd, int what);

#endif
