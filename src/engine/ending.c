/* ending.c - turns libcurl's code for a finished try into a result. */
#include "transfer_private.h"

#include "codes.h"
#include "text/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The status of the proxy's answer to CONNECT; 0 if there is none. */
static int tunnel_status(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return (int)status;
}

/* Whether this side refused the service's certificate through a proxy over TLS. libcurl loses the
 * reason: the alert to the service is sent through the TLS connection to the proxy, which clears
 * OpenSSL's error queue. Unlike in a handshake that broke, a certificate has arrived: in TLS 1.3
 * the handshake is then over, in TLS 1.2 almost. */
static bool is_silent_refusal(const struct transfer *transfer)
{
    return transfer->transfers->certificates.proxy && tunnel_status(transfer) / 100 == 2 &&
           strstr(transfer->error, "SSL_ERROR_SYSCALL") &&
           connection_had_certificate(&transfer->connection);
}

/* Whether the handshake failed because the connection broke, which says nothing about certificates.
 * CURLE_SSL_CONNECT_ERROR covers both cases; only OpenSSL's message differs. */
static bool broke_in_handshake(const struct transfer *transfer)
{
    const char *error = transfer->error;
    if (is_silent_refusal(transfer))
        return false;
    return strstr(error, "SYSCALL") || strstr(error, "reset") || strstr(error, "unexpected eof") ||
           strstr(error, "Broken pipe");
}

/* Whether a TLS alert came in place of the answer. A TLS 1.3 server refuses a client without a
 * certificate after the client has finished its handshake, when the request may already be on
 * its way. If the server also closes the connection, libcurl may fail to send and never read the
 * alert. */
static bool is_late_alert(const struct transfer *transfer, CURLcode code)
{
    return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) &&
           transfer->connection.opened >= 0 && transfer->head.bytes == 0 &&
           (strstr(transfer->error, " alert ") || connection_has_alert(&transfer->connection));
}

/* libcurl's limit for a line of a head. Before 8.6 it reports a longer line as a lack of memory. By
 * then it has read at least that many bytes which it has not passed on, and none of the body. */
#define MAX_LINE ((uint64_t)100 * 1024)

static bool had_long_line(const struct transfer *transfer)
{
    return !transfer->head.complete &&
           connection_has_read(&transfer->connection, transfer->head.bytes + MAX_LINE - 1);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Whether a head or trailer exceeded one of libcurl's limits. 7.88 reports a trailer of more than 4
 * KiB as a lack of memory, in the message only. A line of the answer to CONNECT may have 16 KiB. */
static bool is_refused_head(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_RECV_ERROR)
        return begins_with(transfer->error, "Out of memory in chunked-encoding") ||
               begins_with(transfer->error, "CONNECT response too large");
    return transfer->began && code == CURLE_OUT_OF_MEMORY && had_long_line(transfer);
}

/* Whether a body that is delimited by the end of the connection ended without a TLS close_notify.
 * Such a body counts as whole, as it does in libcurl 7.88; 8.14 reports an error. */
static bool ended_unannounced(const struct transfer *transfer, CURLcode code)
{
    curl_off_t announced = -1;
    if (code != CURLE_RECV_ERROR || !transfer->head.complete || transfer->head.chunked)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return announced < 0 && strstr(transfer->error, "unexpected eof while reading");
}

static bool proxy_refuses(const struct transfer *transfer, CURLcode code)
{
    long answer = CURLPX_OK;
    int status = tunnel_status(transfer);
    if (code == CURLE_PROXY)
        curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_ERROR, &answer);
    return status == 401 || status == 403 || status == 407 ||
           codes_socks_kind((CURLproxycode)answer) == OUTCOME_PROXY_REFUSED;
}

static enum outcome_kind kind_of(const struct transfer *transfer, CURLcode code, int status)
{
    enum outcome_kind kind = codes_kind(code);
    if (transfer->refused != OUTCOME_RESPONSE)
        return transfer->refused;
    if (kind == OUTCOME_RESPONSE)
        return kind;
    if (!transfer->began && proxy_refuses(transfer, code))
        return OUTCOME_PROXY_REFUSED;
    if (is_refused_head(transfer, code))
        return OUTCOME_TOO_LARGE;
    if (is_late_alert(transfer, code))
        return OUTCOME_TLS;
    if (code == CURLE_SSL_CONNECT_ERROR && broke_in_handshake(transfer))
        return OUTCOME_NETWORK;
    if (code == CURLE_BAD_FUNCTION_ARGUMENT && transfer->began) /* a line is not a field */
        return OUTCOME_MALFORMED;
    if (kind == OUTCOME_NETWORK && status && transfer->head.complete)
        return OUTCOME_TRUNCATED;
    return kind;
}

static enum try_end end_of(enum outcome_kind kind, bool starved)
{
    if (starved)
        return TRY_STARVED;
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

/* The value of that header, or NULL. */
static const char *header_value(const struct transfer *transfer, const char *name)
{
    struct curl_header *header;
    CURLHcode code = curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header);
    return code == CURLHE_OK ? header->value : NULL;
}

/* The pause that Retry-After asks for; -1 if there is none. A date in it follows the service's
 * clock, so it is compared with the Date header of the same answer. */
static int64_t asked_pause_us(const struct transfer *transfer)
{
    const char *asked = transfer->head.asks_pause ? header_value(transfer, "Retry-After") : NULL;
    if (!asked)
        return -1;
    const char *date = header_value(transfer, "Date");
    int64_t now_s = date ? retry_date_s(date, strlen(date)) : -1;
    return retry_after_us(asked, strlen(asked), now_s >= 0 ? now_s : clock_date_s());
}

/* Appends the host of the peer to the message. libcurl does not say whether a TLS error is about
 * the service or the proxy: before the tunnel is established, it is about the proxy. */
static void name_peer(struct transfer *transfer, enum outcome_kind kind)
{
    const struct transfers *transfers = transfer->transfers;
    char *url = NULL, *service = NULL, *error = transfer->error;
    bool at_proxy = kind == OUTCOME_PROXY_REFUSED ||
                    (transfers->certificates.proxy && tunnel_status(transfer) / 100 != 2);
    if (!at_proxy && curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK)
        service = url ? url_peer(url) : NULL;
    const char *peer = at_proxy ? transfers->proxy_peer : service;
    size_t length = strlen(error);
    if (peer)
        snprintf(error + length, sizeof transfer->error - length, " (%s %s%s)",
            kind == OUTCOME_TLS ? "TLS with" : "by", at_proxy ? "the proxy " : "", peer);
    free(service);
}

/* Replaces the messages that libcurl lacks, or words differently in each release. */
static void describe(struct transfer *transfer, enum outcome_kind kind, CURLcode code)
{
    size_t room = CURL_ERROR_SIZE;
    bool by_head = head_is_too_large(&transfer->head) || transfer->refused == OUTCOME_RESPONSE;
    if (!transfer->error[0] && code != CURLE_OK)
        snprintf(transfer->error, room, "%s", curl_easy_strerror(code));
    if (kind == OUTCOME_NO_MEMORY)
        snprintf(transfer->error, room, "out of memory");
    else if (kind == OUTCOME_TOO_LARGE && by_head)
        snprintf(transfer->error, room,
            "the headers are larger than %zu bytes, have more than %u lines, or have a line that "
            "is too long",
            HEAD_MAX_BYTES, HEAD_MAX_LINES);
    else if (kind == OUTCOME_TOO_LARGE)
        snprintf(transfer->error, room, "the body is larger than max_response, %zu bytes",
            transfer->transfers->max_response);
    else if (transfer->refusal)
        snprintf(transfer->error, room, "%s", transfer->refusal);
    else if (kind == OUTCOME_GARBLED) /* found by libcurl 8 */
        snprintf(transfer->error, room, "%s", UNREQUESTED_CODING);
    else if (kind == OUTCOME_TLS && is_silent_refusal(transfer))
        snprintf(transfer->error, room, "the certificate was refused, or the handshake failed");
    else if (kind == OUTCOME_TLS && code == CURLE_SEND_ERROR)
        snprintf(transfer->error, room,
            "the server ended the handshake: it may require a client certificate");
    else if (transfer->upload.broken)
        snprintf(transfer->error, room, "a file of the body could not be read to its end");
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(transfer->error, room, "the idle connection had unsolicited bytes");
    if (kind == OUTCOME_TLS || kind == OUTCOME_PROXY_REFUSED)
        name_peer(transfer, kind);
}

/* Whether a try that never had a connection failed for lack of a descriptor. If not, its address
 * may be out of date, and is evicted. */
static bool is_starved(struct transfer *transfer, enum outcome_kind kind, CURLcode code)
{
    struct transfers *transfers = transfer->transfers;
    if (connection_is_starved(&transfer->connection, code)) {
        transfers->sockets.starved = true;
        snprintf(transfer->error, CURL_ERROR_SIZE, TRANSFER_STARVED);
        return true;
    }
    bool may_be_old = kind == OUTCOME_NETWORK || kind == OUTCOME_TLS || kind == OUTCOME_TIMEOUT;
    if (may_be_old && code != CURLE_ABORTED_BY_CALLBACK)
        addresses_distrust(&transfers->addresses, transfer->easy, transfers->proxy_peer);
    return false;
}

/* Detects truncated answers that libcurl accepts as complete. */
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
        transfer->refusal = "the compressed body is truncated";
        return CURLE_WRITE_ERROR;
    }
    return CURLE_OK;
}

struct transfer_result transfer_result(struct transfer *transfer, CURLcode code)
{
    struct transfers *transfers = transfer->transfers;
    CURL *easy = transfer->easy;
    int status = 0;
    long request_size = 0, connects = 0;
    if (transfer->began) {
        status = transfer->head.status;
        curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_size);
        curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
        receive_count(transfer);
    }
    transfers->connections += (uint64_t)connects;
    transfers->bytes_in += transfer->head.lines.length;
    if (status < 200) /* 1xx is an interim answer */
        status = 0;
    if (ended_unannounced(transfer, code))
        code = CURLE_OK;
    if (code == CURLE_OK)
        code = check_whole(transfer);

    enum outcome_kind kind = kind_of(transfer, code, status);
    if (kind == OUTCOME_NETWORK) /* an incomplete head is not an answer */
        status = 0;
    else if (kind == OUTCOME_PROXY_REFUSED)
        status = tunnel_status(transfer);
    describe(transfer, kind, code);
    bool starved = code != CURLE_OK && !transfer->began && is_starved(transfer, kind, code);
    if (starved)
        kind = OUTCOME_NETWORK;
    return (struct transfer_result){
        .kind = kind,
        .attempt =
            {
                .end = end_of(kind, starved),
                .status = status,
                .sent = request_size > 0 && kind != OUTCOME_TLS, /* the handshake never ended */
                .silent = transfer->head.lines.length == 0,
                .reused = connects == 0,
                .retry_after_us = status ? asked_pause_us(transfer) : -1,
            },
        .message = transfer->error,
        .headers = &transfer->head.lines,
        .body = &transfer->body,
    };
}
