/* ending.c - how a try ended: libcurl's word for it, as an outcome. */
#include "transfer_private.h"

#include <stdio.h>
#include <string.h>

/* CURLE_TOO_LARGE, of libcurl 8.6 and later: a line, or their number, is beyond its limit. */
#define CURL_TOO_LARGE 100

/* A handshake that failed because the connection broke says nothing about certificates. OpenSSL
 * reports both with one code; only the words differ. */
static bool broke_in_handshake(const char *error)
{
    return strstr(error, "SYSCALL") || strstr(error, "reset") || strstr(error, "unexpected eof") ||
           strstr(error, "Broken pipe");
}

/* The limits of libcurl's own that a head, or trailers, may go over. 7.88 takes a trailer of more
 * than 4 KiB for a lack of memory, which its message is about. */
static bool is_refused_head(const struct transfer *transfer, CURLcode code)
{
    static const char no_trailer[] = "Out of memory in chunked-encoding";
    if (code == CURLE_RECV_ERROR)
        return strncmp(transfer->error, no_trailer, strlen(no_trailer)) == 0;
    return transfer->began &&
           ((int)code == CURL_TOO_LARGE ||
               (code == CURLE_OUT_OF_MEMORY && connection_had_long_line(transfer)));
}

/* A body that ends with its connection has ended, though TLS was not told of it. libcurl 7.88 takes
 * it so, 8.14 does not. */
static bool ended_unannounced(const struct transfer *transfer, CURLcode code)
{
    curl_off_t announced = -1;
    if (code != CURLE_RECV_ERROR || !transfer->head.complete || transfer->head.chunked)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return announced < 0 && strstr(transfer->error, "unexpected eof while reading");
}

static enum outcome_kind kind_of(const struct transfer *transfer, CURLcode code, int status)
{
    if (transfer->refused != OUTCOME_RESPONSE)
        return transfer->refused;
    if (is_refused_head(transfer, code))
        return OUTCOME_TOO_LARGE;
    switch (code) {
    case CURLE_OK:
        return OUTCOME_RESPONSE;
    case CURLE_OPERATION_TIMEDOUT:
        return OUTCOME_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
        return broke_in_handshake(transfer->error) ? OUTCOME_NETWORK : OUTCOME_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
        return OUTCOME_TLS;
    case CURLE_OUT_OF_MEMORY:
        return OUTCOME_NO_MEMORY;
    case CURLE_BAD_CONTENT_ENCODING:
        return OUTCOME_GARBLED;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: an answer without a head */
        return OUTCOME_MALFORMED;
    case CURLE_BAD_FUNCTION_ARGUMENT: /* a line of the head is no header */
        return transfer->began ? OUTCOME_MALFORMED : OUTCOME_NETWORK;
    default:
        return status && transfer->head.complete ? OUTCOME_TRUNCATED : OUTCOME_NETWORK;
    }
}

static enum try_end end_of(enum outcome_kind kind)
{
    switch (kind) {
    case OUTCOME_RESPONSE:
        return TRY_ANSWERED;
    case OUTCOME_NETWORK:
    case OUTCOME_TIMEOUT:
    case OUTCOME_TRUNCATED:
        return TRY_CUT;
    default:
        return TRY_HOPELESS;
    }
}

/* The value of that header; NULL: there is none. */
static const char *header_value(const struct transfer *transfer, const char *name)
{
    struct curl_header *header;
    CURLHcode code = curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header);
    return code == CURLHE_OK ? header->value : NULL;
}

/* A date is by the clock of the service, which says what time it is there. */
static int64_t asked_pause_us(const struct transfer *transfer)
{
    const char *asked = header_value(transfer, "Retry-After");
    if (!asked)
        return -1;
    const char *date = header_value(transfer, "Date");
    int64_t now_s = date ? retry_date_s(date, strlen(date)) : -1;
    return retry_after_us(asked, strlen(asked), now_s >= 0 ? now_s : clock_date_s());
}

/* Says in words of our own what libcurl cannot know, or says otherwise in each release. */
static void describe(struct transfer *transfer, enum outcome_kind kind)
{
    size_t room = sizeof transfer->error;
    bool by_head = head_is_too_large(&transfer->head) || transfer->refused == OUTCOME_RESPONSE;
    if (kind == OUTCOME_NO_MEMORY)
        snprintf(transfer->error, room, "out of memory");
    else if (kind == OUTCOME_TOO_LARGE && by_head)
        snprintf(transfer->error, room,
            "the headers are larger than %zu bytes, have more than %u lines, or one too long",
            HEAD_MOST_BYTES, HEAD_MOST_LINES);
    else if (kind == OUTCOME_TOO_LARGE)
        snprintf(transfer->error, room, "the body is larger than max_response, %zu bytes",
            transfer->engine->max_response);
    else if (transfer->refusal)
        snprintf(transfer->error, room, "%s", transfer->refusal);
    else if (kind == OUTCOME_GARBLED) /* libcurl 8 looks for itself */
        snprintf(transfer->error, room, "%s", UNASKED);
}

/* What libcurl takes for a whole answer, and is none. */
static CURLcode check_whole(struct transfer *transfer)
{
    const struct head *head = &transfer->head;
    if (transfer->began && !head->complete) {
        strcpy(transfer->error, "the connection ended in the middle of the headers");
        return CURLE_RECV_ERROR;
    }
    if (head->coding != CODING_NONE && receive_has_body(transfer) &&
        !decoder_is_complete(&transfer->decoder)) {
        transfer->refused = OUTCOME_GARBLED;
        transfer->refusal = "the compressed body is cut";
        return CURLE_WRITE_ERROR;
    }
    return CURLE_OK;
}

struct transfer_result transfer_result(struct transfer *transfer, CURLcode code)
{
    struct engine *engine = transfer->engine;
    CURL *easy = transfer->easy;
    int status = 0;
    long request_size = 0, connects = 0;
    if (transfer->began) {
        status = transfer->head.status;
        curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_size);
        curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
        receive_count(transfer);
    }
    engine->stats.connections += (uint64_t)connects;
    engine->stats.bytes_in += transfer->head.lines.length;
    if (status < 200) /* 1xx announces an answer, it is none */
        status = 0;
    if (ended_unannounced(transfer, code))
        code = CURLE_OK;
    if (code == CURLE_OK)
        code = check_whole(transfer);

    enum outcome_kind kind = kind_of(transfer, code, status);
    if (kind == OUTCOME_NETWORK) /* half a head is no answer */
        status = 0;
    describe(transfer, kind);
    return (struct transfer_result){
        .kind = kind,
        .attempt =
            {
                .end = end_of(kind),
                .status = status,
                .sent = request_size > 0,
                .silent = transfer->head.lines.length == 0,
                .reused = connects == 0,
                .retry_after_us = status ? asked_pause_us(transfer) : -1,
            },
        .message = transfer->error[0] ? transfer->error : curl_easy_strerror(code),
        .headers = &transfer->head.lines,
        .body = &transfer->body,
    };
}
