/* transfer.c - one try of a request, on an easy handle from a pool; see transfer.h.
 *
 * All options of an easy handle are set here and in certificates.c, each with its reason.
 * receive.c receives the answer, and ending.c determines the result. operation.c decides what
 * follows from it. */
#include "transfer_private.h"

#include "text/ascii.h"
#include "text/secret.h"

#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

/* CURLOPT_PROTOCOLS, which headers from 7.85 on call deprecated. libcurl takes it all the same, and
 * ten times faster than the names of CURLOPT_PROTOCOLS_STR. */
#define OPTION_PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 181))

#define SET(option, value) (code = code == CURLE_OK ? curl_easy_setopt(easy, option, value) : code)

/* Called before the request is sent; until then the service has received none of it.
 * CURLINFO_REQUEST_SIZE alone does not show that: it includes bytes for a proxy, and before the
 * transfer begins it is that of the handle's last request. */
static int on_connected(void *user, char *address, char *own_address, int port, int own_port)
{
    struct transfer *transfer = user;
    (void)address, (void)own_address, (void)port;
    connection_use(&transfer->connection, own_port);
    if (connection_has_unsolicited_bytes(&transfer->connection))
        return CURL_PREREQFUNC_ABORT;
    if (!transfer->began) {
        transfer->transfers->connecting--;
        head_clear(&transfer->head); /* drops the proxy's answer to CONNECT */
    }
    transfer->began = true;
    return CURL_PREREQFUNC_OK;
}

/* Called before a name is looked up, maybe in a thread. */
static int on_lookup(void *state, void *reserved, void *user)
{
    struct transfers *transfers = user;
    (void)state, (void)reserved;
    signals_block(&transfers->step->signals);
    return 0;
}

/* Sets the options that all requests share: once for a handle, and again after a request that was
 * not a plain GET. Two options keep their defaults:
 *
 * Without CURLOPT_FOLLOWLOCATION no redirect is followed, which would carry the key to another
 * host, or turn a POST into a GET.
 *
 * Without CURLOPT_ACCEPT_ENCODING libcurl does not decode a body: it would decode all that it has
 * read in one call, and a few bytes may expand to any number. So Accept-Encoding is one of the
 * engine's headers, and receive.c decodes in slices. */
static bool set_common(struct transfer *transfer)
{
    struct transfers *transfers = transfer->transfers;
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_PRIVATE, transfer);
    if (transfers_use_tls(transfers))
        SET(CURLOPT_SHARE, transfers->share);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    /* Signal handlers belong to the host. */
    SET(CURLOPT_NOSIGNAL, 1L);
    /* Otherwise removing a handle joins the resolver thread: seconds, for a slow name. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    /* libcurl may be built with many other protocols. */
    SET(OPTION_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    /* Without it libcurl would resolve "/.." in the path, and an id could name another resource. */
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HEADERFUNCTION, receive_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, receive_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_RESOLVER_START_FUNCTION, on_lookup);
    SET(CURLOPT_RESOLVER_START_DATA, transfers);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, connection_open);
    SET(CURLOPT_OPENSOCKETDATA, &transfer->connection);
    SET(CURLOPT_CLOSESOCKETFUNCTION, connection_close);
    SET(CURLOPT_CLOSESOCKETDATA, &transfers->sockets);
    /* With HTTP/2, libcurl 7.88 hangs until the deadline if the server answers before it has read a
     * body of more than 64 KB, as a server does that refuses the request. */
    SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_BUFFERSIZE, READ_SIZE);
    if (transfers->connect_timeout_us > 0)
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)((transfers->connect_timeout_us + 999) / 1000));
    if (transfers->user_agent && !transfers->direct) /* for a proxy's CONNECT */
        SET(CURLOPT_USERAGENT, transfers->user_agent);
    if (transfers->proxy)
        SET(CURLOPT_PROXY, transfers->proxy);
    else if (transfers->direct) /* a proxy would see the key in clear text */
        SET(CURLOPT_NOPROXY, "*");
    if (code == CURLE_OK)
        code = certificates_check(&transfers->certificates, easy);
    transfer->trusts = transfers->certificates.version;
    transfer->plain = code == CURLE_OK;
    return transfer->plain;
}

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, ":;");
    return length == strcspn(b, ":;") && ascii_same(a, b, length);
}

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return false;
    *list = longer;
    return true;
}

static bool has_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (same_name(request->headers[i], name))
            return true;
    return false;
}

/* Lists the request's headers, then those of the engine that they do not replace. */
static bool merge_headers(struct transfer *transfer, const struct request *request)
{
    struct curl_slist **list = &transfer->own_headers;
    for (size_t i = 0; i < request->header_count; i++)
        if (!add_header(list, request->headers[i]))
            return false;
    for (const struct curl_slist *base = transfer->transfers->headers; base; base = base->next) {
        if (!has_header(request, base->data) && !add_header(list, base->data))
            return false;
    }
    /* Without this libcurl sends "Expect: 100-continue" with a large body, and then waits for a
     * second for a server that ignores it. */
    if (request->body || request->part_count)
        return add_header(list, "Expect:");
    /* libcurl would send the Content-Type of a form with every POST, even without a body. */
    return has_header(request, "Content-Type") || add_header(list, "Content-Type:");
}

/* The path and query of the URL for a request that no proxy reads; NULL for one that needs the
 * absolute form, for a proxy. */
static const char *target_of(const struct transfers *transfers, const char *url)
{
    const char *authority = strstr(url, "://");
    bool itself = strncmp(url, "https:", 6) == 0 || (transfers->direct && !transfers->proxy);
    return itself && authority ? strchr(authority + 3, '/') : NULL;
}

static bool set_request(struct transfer *transfer, const struct request *request)
{
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, request->url);
    /* Without this, libcurl 7.88 sends the URL without its query when memory is short. */
    SET(CURLOPT_REQUEST_TARGET, target_of(transfer->transfers, request->url));
    bool is_post = strcmp(request->method, "POST") == 0;
    transfer->bodiless = strcmp(request->method, "HEAD") == 0;
    bool has_body = request->body || request->part_count;
    if (request->header_count || has_body || is_post) {
        if (!merge_headers(transfer, request))
            return false;
        SET(CURLOPT_HTTPHEADER, transfer->own_headers);
    } else {
        SET(CURLOPT_HTTPHEADER, transfer->transfers->headers);
    }
    if (strcmp(request->method, "GET") == 0 && !has_body)
        return code == CURLE_OK;

    transfer->plain = false;
    if (transfer->bodiless && !has_body)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    if (request->part_count) {
        transfer->upload = (struct upload){.request = request};
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)upload_length(request));
        SET(CURLOPT_READFUNCTION, upload_read);
        SET(CURLOPT_READDATA, &transfer->upload);
        SET(CURLOPT_SEEKFUNCTION, upload_seek);
        SET(CURLOPT_SEEKDATA, &transfer->upload);
    } else if (request->body || is_post) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        SET(CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    /* If a reused connection ends before the first byte of the answer, libcurl repeats the
     * request by itself, even a POST that the server may have processed. It never does on a new
     * connection. */
    if (!request_is_repeatable(request))
        SET(CURLOPT_FRESH_CONNECT, 1L);
    return code == CURLE_OK;
}

#undef SET

/* ---- life ---- */

/* Wipes and frees a header list, which contains the key. */
static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *line = headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(headers);
}

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    free_headers(transfer->own_headers);
    curl_slist_free_all(transfer->dropped);
    head_free(&transfer->head);
    decoder_free(&transfer->decoder);
    buffer_free(&transfer->body);
    free(transfer);
}

bool transfer_spoils_handle(unsigned libcurl_version)
{
    return libcurl_version >= 0x075400 && libcurl_version < 0x080100;
}

static bool spoils_handles; /* transfer_spoils_handle() of the libcurl that is loaded */

void transfers_begin(const curl_version_info_data *libcurl)
{
    spoils_handles = transfer_spoils_handle(libcurl->version_num);
}

static struct transfer *transfer_new(struct transfers *transfers)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->transfers = transfers;
    transfer->connection.sockets = &transfers->sockets;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        free(transfer);
        return NULL;
    }
    return transfer;
}

static struct transfer *take_idle(struct transfers *transfers)
{
    struct transfer *transfer = LIST_FIRST(&transfers->idle);
    bool is_new = !transfer;
    if (transfer)
        LIST_REMOVE(transfer, link);
    else
        transfer = transfer_new(transfers);
    if (transfer && (!transfer->plain || transfer->trusts != transfers->certificates.version)) {
        if (!is_new)
            curl_easy_reset(transfer->easy);
        if (set_common(transfer))
            return transfer;
        /* After a failed name resolution, libcurl 7.88 keeps the handle's receive buffer, and then
         * refuses to set its size. */
        transfer_free(transfer);
        transfer = transfer_new(transfers);
        if (transfer && !set_common(transfer)) {
            transfer_free(transfer);
            return NULL;
        }
    }
    return transfer;
}

/* Counting takes time, since there may be many transfers, so it is done only while descriptors are
 * short. */
static void make_room(struct transfers *transfers)
{
    unsigned in_use = 0;
    const struct transfer *each;
    if (transfers->sockets.starved)
        LIST_FOREACH (each, &transfers->on_wire, link)
            in_use++;
    sockets_make_room(&transfers->sockets, &transfers->multi, in_use);
}

struct transfer *transfer_start(
    struct transfers *transfers, const struct request *request, transfer_ended *ended, void *owner)
{
    if (!multi_open(&transfers->multi))
        return NULL;
    certificates_refresh(&transfers->certificates);
    struct transfer *transfer = take_idle(transfers);
    if (!transfer)
        return NULL;
    transfer->ended = ended;
    transfer->owner = owner;
    transfer->refused = OUTCOME_RESPONSE;
    transfer->refusal = NULL;
    transfer->began = false;
    transfer->upload.broken = false;
    transfer->received = 0;
    transfer->taken = 0;
    transfer->error[0] = '\0';
    connection_clear(&transfer->connection);
    transfer->dropped = addresses_drop(&transfers->addresses, transfer->easy);
    make_room(transfers);
    if (!set_request(transfer, request) ||
        curl_multi_add_handle(transfers->multi.handle, transfer->easy) != CURLM_OK) {
        transfer_release(transfer);
        return NULL;
    }
    LIST_INSERT_HEAD(&transfers->on_wire, transfer, link);
    transfer->on_wire = true;
    transfers->connecting++;
    return transfer;
}

/* Notes what came through the connection, for its next request. libcurl reads up to READ_SIZE bytes
 * at once, and closes a connection on which it has read more than the answer. So one that is
 * shorter left nothing, except with TLS, where the next record may be there. */
static void note_passed(struct transfer *transfer)
{
    receive_count(transfer);
    uint64_t bytes = transfer->head.bytes + (uint64_t)transfer->received;
    bool is_drained =
        bytes < READ_SIZE && !transfer->head.chunked && !transfers_use_tls(transfer->transfers);
    connection_passed(&transfer->connection, bytes, is_drained);
}

void transfer_release(struct transfer *transfer)
{
    struct transfers *transfers = transfer->transfers;
    receive_leave_queue(transfer);
    if (transfer->on_wire) {
        note_passed(transfer);
        transfers->connecting -= !transfer->began;
        curl_multi_remove_handle(transfers->multi.handle, transfer->easy);
        LIST_REMOVE(transfer, link);
    }
    transfer->on_wire = false;
    if (spoils_handles) {
        transfer_free(transfer);
        return;
    }
    head_clear(&transfer->head);
    buffer_clear(&transfer->body);
    if (transfer->own_headers || transfer->dropped) {
        free_headers(transfer->own_headers);
        curl_slist_free_all(transfer->dropped);
        transfer->own_headers = transfer->dropped = NULL;
        transfer->plain = false; /* the handle's options still refer to the lists */
    }
    LIST_INSERT_HEAD(&transfers->idle, transfer, link);
}

bool transfer_may_be_whole(const struct transfer *transfer)
{
    curl_off_t length = -1, received = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    return length < 0 || connection_may_have(&transfer->connection, length - received);
}

/* ---- all transfers of an engine ---- */

/* One thread at a time uses an engine, so the share needs no locks. */
bool transfers_open(struct transfers *transfers)
{
    if (!multi_open(&transfers->multi))
        return false;
    transfers->share = curl_share_init();
    return transfers->share && curl_share_setopt(transfers->share, CURLSHOPT_SHARE,
                                   CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

void transfers_close(struct transfers *transfers)
{
    struct transfer *transfer;
    while ((transfer = LIST_FIRST(&transfers->idle))) {
        LIST_REMOVE(transfer, link);
        transfer_free(transfer);
    }
    multi_close(&transfers->multi);
    curl_share_cleanup(transfers->share);
}

void transfers_forget_secrets(struct transfers *transfers)
{
    free_headers(transfers->headers);
    curl_slist_free_all(transfers->addresses.distrusted);
    transfers->headers = transfers->addresses.distrusted = NULL;
    secret_free_text(transfers->proxy);
    transfers->proxy = NULL;
}

void transfers_free_options(struct transfers *transfers)
{
    free(transfers->user_agent);
    free(transfers->proxy_peer);
    certificates_free(&transfers->certificates);
}

void transfers_end_done(struct transfers *transfers)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transfers->multi.handle, &left))) {
        CURLcode code = message->data.result; /* removing the handle frees the message */
        char *private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *transfer = (struct transfer *)(void *)private;
        transfer->ended(transfer->owner, code);
    }
}

/* libcurl had no memory to record a socket. It does not say of which transfer, and nothing would
 * wake that transfer before its deadline. Besides, 7.88 divides by zero when the socket's number is
 * reused. So all tries end, and later ones get a new multi handle. */
void transfers_give_up(struct transfers *transfers)
{
    struct transfer *transfer, *next;
    for (transfer = LIST_FIRST(&transfers->on_wire); transfer; transfer = next) {
        next = LIST_NEXT(transfer, link);
        transfer->ended(transfer->owner, CURLE_OUT_OF_MEMORY);
    }
    multi_close(&transfers->multi);
}

void transfers_resume(struct transfers *transfers)
{
    struct transfer *transfer = STAILQ_FIRST(&transfers->paused);
    CURLcode code = transfer ? receive_resume(transfer) : CURLE_OK;
    if (code != CURLE_OK)
        transfer->ended(transfer->owner, code);
}

bool transfers_use_tls(const struct transfers *transfers)
{
    return transfers->certificates.service || transfers->certificates.proxy;
}

bool transfers_are_paused(const struct transfers *transfers)
{
    return !STAILQ_EMPTY(&transfers->paused);
}
