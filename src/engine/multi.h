/* multi.h - libcurl's multi handle, whose sockets are in the loop. */
#ifndef CEKURA_MULTI_H
#define CEKURA_MULTI_H

#include "loop.h"

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "cekura needs libcurl 7.87 or newer (CURLOPT_QUICK_EXIT, CURLOPT_CA_CACHE_TIMEOUT)"
#endif

struct multi {
    CURLM *handle; /* NULL: none, until it is opened again */
    struct loop *loop;
    unsigned max_connections; /* that are kept */
    int64_t due_us;           /* when libcurl wants a call for its own timeouts */
};

/* Opens it unless it is open. False: libcurl gives no handle. */
bool multi_open(struct multi *multi);
void multi_close(struct multi *multi);

/* Has libcurl act on a socket, or with CURL_SOCKET_TIMEOUT on its timeouts. False: it has failed,
 * and is to be closed. */
bool multi_act(struct multi *multi, curl_socket_t fd, int what);

#endif
