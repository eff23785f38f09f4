/* ending.c - how a try ended: libcurl's code for it, as an outcome. */
#include "transfer_private.h"

#include "codes.h"
#include "text/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a proxy answered to CONNECT; 0: nothing, or it was not asked. */
static int tunnel_status(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return (int)status;
}

/* Through a proxy that is spoken to over TLS, libcurl forgets why a handshake with the service
 * failed on this side: the alert for the service goes out through the TLS of the proxy, which
 * clears OpenSSL's queue of errors. It differs from a connection that broke in that a certificate
 * had come: with TLS 1.3 the handshake is then over, with 1.2 almost. */
static bool is_silent_refusal(const struct transfer *transfer)
{
    return transfer->transfers->certificates.proxy && tunnel_status(transfer) / 100 == 2 &&
           strstr(transfer->error, "SSL_ERROR_SYSCALL") &&
           connection_had_certificate(&transfer->connection);
}

/* A handshake that failed because the connection broke says nothing about certificates. OpenSSL
 * reports both with one code; only the words differ. */
static bool broke_in_handshake(const struct transfer *transfer)
{
    const char *error = transfer->error;
    if (is_silent_refusal(transfer))
        return false;
    return strstr(error, "SYSCALL") || strstr(error, "reset") || strstr(error, "unexpected eof") ||
           strstr(error, "Broken pipe");
}

/* With TLS 1.3 a server refuses a client without a certificate when the client's end of the
 * handshake is done, and the request may be on its way: the alert comes in place of an answer. If
 * the server ends the connection with it, libcurl may fail to send, and never reads the alert. */
static bool is_late_alert(const struct transfer *transfer, CURLcode code)
{
    return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) &&
           transfer->connection.opened >= 0 && transfer->head.bytes == 0 &&
           (strstr(transfer->error, " alert ") || connection_has_alert(&transfer->connection));
}

/* libcurl takes no longer line in a head, and before 8.6 calls one a lack of memory. It has then
 * read more than such a line, and not handed it out; a body that has come, too, it has not read. */
#define LONGEST_LINE ((uint64_t)100 * 1024)

static bool had_long_line(const struct transfer *transfer)
{
    return !transfer->head.complete &&
           connection_has_read(&transfer->connection, transfer->head.bytes + LONGEST_LINE - 1);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* libcurl's limits that a head, or trailers, may go over. 7.88 takes a trailer of more
 * than 4 KiB for a lack of memory, which its message is about; a line of what a proxy answers to
 * CONNECT may have 16 KiB. */
static bool is_refused_head(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_RECV_ERROR)
        return begins_with(transfer->error, "Out of memory in chunked-encoding") ||
               begins_with(transfer->error, "CONNECT response too large");
    return transfer->began && code == CURLE_OUT_OF_MEMORY && had_long_line(transfer);
}

/* A body that ends with its connection is whole, also if TLS was not closed before. libcurl 7.88
 * agrees, 8.14 does not. */
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
    if (code == CURLE_BAD_FUNCTION_ARGUMENT && transfer->began) /* a line that is not a header */
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

/* Adds the peer that a refusal is about, by its host: of TLS it may be the service or the proxy,
 * and libcurl does not say. Until the tunnel stands, it is a proxy that is spoken to over TLS. */
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

/* Replaces messages that libcurl cannot word, or words differently in each release. */
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
            "the headers are larger than %zu bytes, have more than %u lines, or one too long",
            HEAD_MOST_BYTES, HEAD_MOST_LINES);
    else if (kind == OUTCOME_TOO_LARGE)
        snprintf(transfer->error, room, "the body is larger than max_response, %zu bytes",
            transfer->transfers->max_response);
    else if (transfer->refusal)
        snprintf(transfer->error, room, "%s", transfer->refusal);
    else if (kind == OUTCOME_GARBLED) /* libcurl 8 checks it, too */
        snprintf(transfer->error, room, "%s", UNASKED);
    else if (kind == OUTCOME_TLS && is_silent_refusal(transfer))
        snprintf(transfer->error, room, "the certificate is refused, or the handshake failed");
    else if (kind == OUTCOME_TLS && code == CURLE_SEND_ERROR)
        snprintf(transfer->error, room,
            "the server ended the handshake: it may demand a certificate of the client");
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(transfer->error, room, "the idle connection had bytes that no request asked for");
    if (kind == OUTCOME_TLS || kind == OUTCOME_PROXY_REFUSED)
        name_peer(transfer, kind);
}

/* For a try that ended before a connection stood: whether no descriptor was free. Otherwise the
 * address that was tried may be an old one. */
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

/* Finds answers that libcurl takes for whole, and that are not. */
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
    if (status < 200) /* 1xx announces an answer, and is not one */
        status = 0;
    if (ended_unannounced(transfer, code))
        code = CURLE_OK;
    if (code == CURLE_OK)
        code = check_whole(transfer);

    enum outcome_kind kind = kind_of(transfer, code, status);
    if (kind == OUTCOME_NETWORK) /* half a head is not an answer */
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
                .sent = request_size > 0 && kind != OUTCOME_TLS, /* the handshake was not over */
                .silent = transfer->head.lines.length == 0,
                .reused = connects == 0,
                .retry_after_us = status ? asked_pause_us(transfer) : -1,
            },
        .message = transfer->error,
        .headers = &transfer->head.lines,
        .body = &transfer->body,
    };
}
