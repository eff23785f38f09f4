/* request.h - one HTTP request, and the kinds of its outcome. */
#ifndef CEKURA_REQUEST_H
#define CEKURA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A part of a body: bytes, or the first bytes of a regular file. */
struct body_part {
    const char *bytes; /* NULL: of the file */
    int fd;
    uint64_t length;
};

struct request {
    const char *method;         /* upper case */
    const char *url;            /* of a poll: what precedes its id in the URL */
    const char *url_rest;       /* of a poll: what follows its id; NULL: nothing */
    const char *const *headers; /* "Name: value", replace the engine's headers of these names */
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_length;
    const struct body_part *parts; /* the body in place of `body`; see upload.h */
    size_t part_count;
    int64_t timeout_us;
    bool once;            /* never repeated, even where that is safe */
    const char *endpoint; /* a URL that names the endpoint in place of `url`, or NULL; not copied */
    bool urgent;          /* sent before all requests that are not; see window.h */
    bool long_running;    /* answered when work is done, minutes later; see window.h. The timeout
                           * counts from its sending, and there is none in the queue */
};

enum outcome_kind {
    OUTCOME_RESPONSE,      /* a complete answer, whatever its status */
    OUTCOME_NETWORK,       /* no answer */
    OUTCOME_TLS,           /* the service, or the proxy, could not prove its identity */
    OUTCOME_TIMEOUT,       /* the deadline of the operation, or of connecting, passed */
    OUTCOME_TRUNCATED,     /* the head of the answer is complete, its body is not */
    OUTCOME_TOO_LARGE,     /* the body exceeds max_response, or the head its limit */
    OUTCOME_ENCODED,       /* the body has more than one content coding */
    OUTCOME_GARBLED,       /* the content coding was not offered, or the data is corrupt or cut */
    OUTCOME_MALFORMED,     /* the answer is not HTTP */
    OUTCOME_CONFIG,        /* libcurl does not support the URL or an option */
    OUTCOME_PROXY_REFUSED, /* the proxy rejected the credentials or the connection */
    OUTCOME_HELD,          /* not sent, because Retry-After reaches beyond the deadline */
    OUTCOME_NO_MEMORY,
    OUTCOME_CANCELLED,
    OUTCOME_CLOSED,
};

/* Whether sending the request twice is safe: GET and HEAD. */
static inline bool request_is_repeatable(const struct request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

#endif
