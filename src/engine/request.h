/* request.h - one HTTP request, and how it can end. */
#ifndef CEKURA_REQUEST_H
#define CEKURA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct request {
    const char *method; /* upper case */
    const char *url;
    const char *const *headers; /* "Name: value", in place of the engine's header of that name */
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_length;
    int64_t timeout_us;
    bool once;            /* is not repeated, also where that would do no harm */
    const char *endpoint; /* a URL that names the endpoint in place of `url`, or NULL */
    bool urgent;          /* is sent before all that is not */
};

enum outcome_kind {
    OUTCOME_RESPONSE,      /* a whole answer, whatever its status */
    OUTCOME_NETWORK,       /* no answer */
    OUTCOME_TLS,           /* the service, or the proxy, could not prove its identity */
    OUTCOME_TIMEOUT,       /* the deadline of the operation, or the one for connecting, passed */
    OUTCOME_TRUNCATED,     /* the head of an answer came, its body did not arrive whole */
    OUTCOME_TOO_LARGE,     /* the body went over max_response, or the head over its limit */
    OUTCOME_ENCODED,       /* more than once */
    OUTCOME_GARBLED,       /* in an encoding that was not offered, or is broken or cut */
    OUTCOME_MALFORMED,     /* what came is not HTTP */
    OUTCOME_CONFIG,        /* libcurl cannot do what it is asked for */
    OUTCOME_PROXY_REFUSED, /* the proxy wants a user and password, or allows no such connection */
    OUTCOME_HELD,          /* never sent: the service said when to come back, beyond the deadline */
    OUTCOME_NO_MEMORY,
    OUTCOME_CANCELLED,
    OUTCOME_CLOSED,
};

/* Whether reading twice does no harm: GET and HEAD. */
static inline bool request_is_repeatable(const struct request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

#endif
