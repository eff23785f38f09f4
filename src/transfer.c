/* transfer.c - a pooled easy handle, and one try of a request on it.
 *
 * All options that a request gets are set here, each with its reason. What to do with the end of a
 * try is decided in operation.c.
 *
 * Bodies are read in slices. A body that arrives when the step is over is refused with
 * CURL_WRITEFUNC_PAUSE: libcurl keeps what it has just read, looks at the socket no more, and the
 * transfer waits in the engine's queue until a later step has room. */
#include "transfer.h"

#include "certificates.h"
#include "decoder.h"
#include "head.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* libcurl takes no longer line in a head. */
#define LONGEST_LINE ((uint64_t)100 * 1024)

/* CURLE_TOO_LARGE, of libcurl 8.6 and later: a line, or their number, is beyond its limit. */
#define CURL_TOO_LARGE 100

/* What libcurl reads at once, and holds of a body that is refused: a slice ends so far beyond its
 * bound. */
#define READ_AT_ONCE 4096L

/* What of a compressed body is decoded at once. */
#define PIECE ((size_t)16 * 1024)

struct transfer {
    CURL *easy;
    struct engine *engine;
    struct operation *owner;
    SLIST_ENTRY(transfer) idle;
    STAILQ_ENTRY(transfer) paused_link;
    struct curl_slist *own_headers; /* of this request, if it has any of its own */
    struct head head;
    struct decoder decoder;
    struct buffer body;        /* decoded */
    size_t taken;              /* of what libcurl hands out, decoded already when it was refused */
    enum outcome_kind refused; /* why a callback stopped the transfer; OUTCOME_RESPONSE: none did */
    const char *refusal;       /* in words, or NULL */
    int opened;                /* the socket that was opened for it last; -1: none */
    int used;                  /* the one that it uses; -1: unknown */
    uint64_t arrived;          /* bytes that had come on that one when the request was sent */
    bool on_wire;              /* added to the multi handle */
    bool began;                /* the connection stands, the request is being sent */
    bool long_line;            /* a line of the head was longer than libcurl takes */
    bool plain;                /* set up for a GET */
    bool bodiless;             /* a HEAD, whose answer has no body whatever it says of one */
    bool paused;               /* in the engine's queue */
    bool resuming;             /* libcurl is handing out what it kept */
    curl_off_t received;       /* of the body, before it is decoded, as far as it was counted */
    char error[CURL_ERROR_SIZE];
};

/* ---- callbacks: they ask libcurl for what it knows, and have it do nothing ---- */

/* What a callback gives back to have libcurl end the transfer. */
static size_t refuse(struct transfer *transfer, enum outcome_kind kind, const char *why)
{
    transfer->refused = kind;
    transfer->refusal = why;
    return 0;
}

static bool has_body(const struct transfer *transfer)
{
    int status = transfer->head.status;
    return !transfer->bodiless && status != 204 && status != 304;
}

static const char unasked[] = "the answer is compressed in a way that was not asked for";

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    struct head *head = &transfer->head;
    bool was_complete = head->complete;
    switch (head_add(head, line, size * count, transfer->began)) {
    case HEAD_OK:
        break;
    case HEAD_TOO_LARGE:
        return refuse(transfer, OUTCOME_TOO_LARGE, NULL);
    case HEAD_MALFORMED:
        return refuse(transfer, OUTCOME_MALFORMED,
            "the head has no status, or its first field continues none");
    case HEAD_CODED:
        return refuse(transfer, OUTCOME_ENCODED, unasked);
    case HEAD_NO_MEMORY:
        return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
    }
    if (head->complete && !was_complete && has_body(transfer)) {
        if (head->coding == CODING_OTHER)
            return refuse(transfer, OUTCOME_ENCODED, unasked);
        decoder_begin(&transfer->decoder, head->coding);
    }
    return size * count;
}

/* A body whose length was told to be too large need not be waited for. */
static bool announces_too_much(const struct transfer *transfer)
{
    curl_off_t announced = -1;
    if (transfer->head.coding != CODING_NONE)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return announced > 0 && (uint64_t)announced > transfer->engine->max_response;
}

static void count_received(struct transfer *transfer)
{
    curl_off_t received = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    transfer->engine->stats.bytes_in += (uint64_t)(received - transfer->received);
    transfer->received = received;
}

/* libcurl keeps what it has just handed out, and hands it out again from transfer_resume(). */
static size_t put_off(struct transfer *transfer)
{
    STAILQ_INSERT_TAIL(&transfer->engine->paused, transfer, paused_link);
    transfer->paused = true;
    return CURL_WRITEFUNC_PAUSE;
}

/* Bytes of the body, decoded. False: the transfer is refused. */
static bool keep(struct transfer *transfer, const char *bytes, size_t length)
{
    struct engine *engine = transfer->engine;
    size_t limit = engine->max_response;
    engine->step_bytes -= length < engine->step_bytes ? length : engine->step_bytes;
    enum buffer_result result = buffer_append(&transfer->body, bytes, length, limit);
    if (result == BUFFER_NO_MEMORY)
        return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
    if (result == BUFFER_FULL) /* what fits stays, to be shown in the error */
        (void)buffer_append(&transfer->body, bytes, limit - transfer->body.length, limit);
    if (result == BUFFER_FULL || announces_too_much(transfer))
        return refuse(transfer, OUTCOME_TOO_LARGE, NULL);
    return true;
}

/* A few bytes may stand for many: what has been decoded of them when the step is over is skipped
 * when they come again. */
static size_t decode(struct transfer *transfer, const char *bytes, size_t length)
{
    struct decoder *decoder = &transfer->decoder;
    for (bool first = true; transfer->taken < length || decoder->has_more; first = false) {
        char piece[PIECE];
        size_t filled;
        if (!first && engine_step_is_over(transfer->engine))
            return put_off(transfer);
        enum decoder_result result =
            decoder_step(decoder, bytes, length, &transfer->taken, piece, sizeof piece, &filled);
        if (result == DECODER_NO_MEMORY)
            return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
        if (filled && !keep(transfer, piece, filled))
            return 0;
        if (result == DECODER_BROKEN)
            return refuse(transfer, OUTCOME_ENCODED, "the compressed body is broken");
    }
    transfer->taken = 0;
    return length;
}

/* What libcurl kept is taken in, however much of the slice is left: a body that is not compressed
 * as a whole, another by one piece at least. */
static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    size_t length = size * count;
    count_received(transfer);
    if (!transfer->resuming && engine_step_is_over(transfer->engine))
        return put_off(transfer);
    if (transfer->head.coding != CODING_NONE)
        return decode(transfer, bytes, length);
    return keep(transfer, bytes, length) ? length : 0;
}

/* libcurl does not tell yet which socket it will use, only its local port. The table may have
 * forgotten it, and the number may be another socket's by now. */
static int *socket_of(struct engine *engine, int port)
{
    return &engine->socket_of_port[port % ENGINE_PORTS];
}

static bool is_bound_to(int fd, int port)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        return false;
    const struct sockaddr_in *v4 = (const void *)&name;
    const struct sockaddr_in6 *v6 = (const void *)&name;
    return port == ntohs(name.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

/* Finds the socket that the request goes out by. */
static void find_socket(struct transfer *transfer, int port)
{
    int *known = socket_of(transfer->engine, port);
    if (transfer->opened >= 0)
        *known = transfer->opened;
    transfer->used = is_bound_to(*known, port) ? *known : -1;
}

/* Bytes that came on an idle connection would be taken for the answer to this request: libcurl 7.88
 * does not look for them. A new connection may have some, over TLS, from its handshake. */
static bool has_unasked_bytes(const struct transfer *transfer)
{
    char byte;
    return transfer->opened < 0 && transfer->used >= 0 &&
           recv(transfer->used, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Bytes that have come on a connection since it was made. */
static uint64_t arrived_on(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    bool known = fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    return known ? info.tcpi_bytes_received : 0;
}

/* Before 8.6, libcurl says of a line that is too long that it has no memory. Then more than such a
 * line has come that it has not handed out; afterwards there is no socket to ask. */
void transfer_leaves_socket(CURL *easy, int fd)
{
    struct transfer *transfer = transfer_of(easy);
    if (transfer && transfer->on_wire && transfer->began && !transfer->head.complete &&
        fd == transfer->used)
        transfer->long_line =
            arrived_on(fd) >= transfer->arrived + transfer->head.bytes + LONGEST_LINE - 1;
}

/* Until here nothing was sent to the service. CURLINFO_REQUEST_SIZE alone does not tell: it counts
 * what was said to a proxy, and before libcurl has begun it is still that of the handle's last
 * request. */
static int on_begin(void *user, char *address, char *own_address, int port, int own_port)
{
    struct transfer *transfer = user;
    (void)address, (void)own_address, (void)port;
    find_socket(transfer, own_port);
    if (has_unasked_bytes(transfer))
        return CURL_PREREQFUNC_ABORT;
    transfer->arrived = arrived_on(transfer->used);
    if (!transfer->began)
        transfer->engine->connecting--;
    transfer->began = true;
    return CURL_PREREQFUNC_OK;
}

/* Sockets that a program started by the host does not inherit. */
static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = user;
    (void)purpose;
    transfer->opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return transfer->opened;
}

/* ---- options ---- */

#define SET(option, value) (code = code == CURLE_OK ? curl_easy_setopt(easy, option, value) : code)

/* What every request has in common. Done once for a handle, and again after a request that was not
 * a plain GET. */
static bool set_common(struct transfer *transfer)
{
    struct engine *engine = transfer->engine;
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_SHARE, engine->share);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    /* No signals in somebody else's program. */
    SET(CURLOPT_NOSIGNAL, 1L);
    /* Without it, removing a handle waits for the resolver's thread: seconds, for a slow name. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    /* An allow-list, whatever else libcurl was built to speak. */
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    /* The key must not follow to another host, and a POST must not become a GET. */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    /* A path is sent as the library wrote it: "/.." in an encoded id must not name something else.
     */
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_PREREQFUNCTION, on_begin);
    SET(CURLOPT_PREREQDATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    /* Not HTTP/2: libcurl 7.88 hangs until the deadline when a server answers over it before it has
     * read a body of more than 64 KB, as one that refuses a request does. */
    SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    /* libcurl decodes what it has read in one go, and a few bytes may stand for any number: it is
     * done here, by slices. What is offered is among the engine's headers, for the option for that
     * would have libcurl look at the answer's encoding, too. */
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_BUFFERSIZE, READ_AT_ONCE);
    if (engine->connect_timeout_us > 0)
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)((engine->connect_timeout_us + 999) / 1000));
    if (engine->user_agent)
        SET(CURLOPT_USERAGENT, engine->user_agent);
    if (engine->proxy)
        SET(CURLOPT_PROXY, engine->proxy);
    else if (engine->direct) /* or a proxy would get to see the key in the clear */
        SET(CURLOPT_NOPROXY, "*");
    if (code == CURLE_OK)
        code = certificates_check(engine, easy);
    transfer->plain = code == CURLE_OK;
    return transfer->plain;
}

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, ":;");
    return length == strcspn(b, ":;") && strncasecmp(a, b, length) == 0;
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

/* The request's own headers, then the engine's that they do not replace. */
static bool merge_headers(struct transfer *transfer, const struct request *request)
{
    struct curl_slist **list = &transfer->own_headers;
    for (size_t i = 0; i < request->header_count; i++)
        if (!add_header(list, request->headers[i]))
            return false;
    for (const struct curl_slist *base = transfer->engine->headers; base; base = base->next) {
        if (!has_header(request, base->data) && !add_header(list, base->data))
            return false;
    }
    /* Asking for leave to send the body ("Expect: 100-continue") costs a second with servers that
     * do not know it. */
    if (request->body)
        return add_header(list, "Expect:");
    /* libcurl says of the body of every POST that it is a form, also of none. */
    return has_header(request, "Content-Type") || add_header(list, "Content-Type:");
}

/* The path and query, for a request that goes to the service itself; NULL: a proxy is to read the
 * whole URL. */
static const char *target_of(const struct engine *engine, const char *url)
{
    const char *authority = strstr(url, "://");
    bool itself = strncmp(url, "https:", 6) == 0 || (engine->direct && !engine->proxy);
    return itself && authority ? strchr(authority + 3, '/') : NULL;
}

static bool set_request(struct transfer *transfer, const struct request *request, bool repeatable)
{
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, request->url);
    /* When memory is short, libcurl 7.88 takes the query of the URL for none, and sends the rest.
     */
    SET(CURLOPT_REQUEST_TARGET, target_of(transfer->engine, request->url));
    bool is_post = strcmp(request->method, "POST") == 0;
    transfer->bodiless = strcmp(request->method, "HEAD") == 0;
    if (request->header_count || request->body || is_post) {
        if (!merge_headers(transfer, request))
            return false;
        SET(CURLOPT_HTTPHEADER, transfer->own_headers);
    } else {
        SET(CURLOPT_HTTPHEADER, transfer->engine->headers);
    }
    if (strcmp(request->method, "GET") == 0 && !request->body)
        return code == CURLE_OK;

    transfer->plain = false;
    if (transfer->bodiless && !request->body)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body || is_post) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        SET(CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    /* When a reused connection ends before the first byte of the answer, libcurl sends the request
     * again by itself, a POST too, though the server may have taken it. On a connection of its own
     * it does not. */
    if (!repeatable)
        SET(CURLOPT_FRESH_CONNECT, 1L);
    return code == CURLE_OK;
}

#undef SET

/* ---- life ---- */

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    transfer_free_headers(transfer->own_headers);
    head_free(&transfer->head);
    decoder_free(&transfer->decoder);
    buffer_free(&transfer->body);
    free(transfer);
}

bool transfer_spoils_handle(unsigned libcurl_version)
{
    return libcurl_version >= 0x075400 && libcurl_version < 0x080100;
}

static struct transfer *transfer_new(struct engine *engine)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->engine = engine;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        free(transfer);
        return NULL;
    }
    return transfer;
}

static struct transfer *take_idle(struct engine *engine)
{
    struct transfer *transfer = SLIST_FIRST(&engine->idle);
    if (transfer)
        SLIST_REMOVE_HEAD(&engine->idle, idle);
    else
        transfer = transfer_new(engine);
    if (transfer && !transfer->plain) {
        curl_easy_reset(transfer->easy);
        if (set_common(transfer))
            return transfer;
        /* libcurl 7.88 keeps the read buffer of a handle whose name was not found, and then refuses
         * to set its size. */
        transfer_free(transfer);
        transfer = transfer_new(engine);
        if (transfer && !set_common(transfer)) {
            transfer_free(transfer);
            return NULL;
        }
    }
    return transfer;
}

struct transfer *transfer_start(
    struct engine *engine, const struct request *request, bool repeatable, struct operation *owner)
{
    struct transfer *transfer = take_idle(engine);
    if (!transfer)
        return NULL;
    transfer->owner = owner;
    transfer->refused = OUTCOME_RESPONSE;
    transfer->refusal = NULL;
    transfer->began = transfer->long_line = false;
    transfer->received = 0;
    transfer->opened = transfer->used = -1;
    transfer->arrived = transfer->taken = 0;
    transfer->error[0] = '\0';
    if (!set_request(transfer, request, repeatable) ||
        curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK) {
        transfer_release(engine, transfer);
        return NULL;
    }
    transfer->on_wire = true;
    engine->connecting++;
    return transfer;
}

struct transfer *transfer_of(CURL *easy)
{
    char *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    return (struct transfer *)(void *)transfer;
}

struct operation *transfer_owner(const struct transfer *transfer)
{
    return transfer->owner;
}

/* ---- slices ---- */

static void leave_queue(struct transfer *transfer)
{
    if (!transfer->paused)
        return;
    STAILQ_REMOVE(&transfer->engine->paused, transfer, transfer, paused_link);
    transfer->paused = false;
}

struct transfer *transfer_first_paused(const struct engine *engine)
{
    return STAILQ_FIRST(&engine->paused);
}

/* libcurl hands out what it kept from inside this call, and reports an error of on_body() by its
 * result alone: left to itself, the transfer would go on, with a gap. */
CURLcode transfer_resume(struct transfer *transfer)
{
    leave_queue(transfer);
    transfer->resuming = true;
    CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    transfer->resuming = false;
    return code;
}

void transfer_release(struct engine *engine, struct transfer *transfer)
{
    leave_queue(transfer);
    if (transfer->on_wire) {
        engine->connecting -= !transfer->began;
        curl_multi_remove_handle(engine->multi, transfer->easy);
    }
    transfer->on_wire = false;
    transfer->owner = NULL;
    if (engine->spoils_handles) {
        transfer_free(transfer);
        return;
    }
    head_clear(&transfer->head);
    buffer_clear(&transfer->body);
    if (transfer->own_headers) {
        transfer_free_headers(transfer->own_headers);
        transfer->own_headers = NULL;
        transfer->plain = false; /* the handle still points at the list */
    }
    SLIST_INSERT_HEAD(&engine->idle, transfer, idle);
}

void transfer_free_idle(struct engine *engine)
{
    struct transfer *transfer;
    while ((transfer = SLIST_FIRST(&engine->idle))) {
        SLIST_REMOVE_HEAD(&engine->idle, idle);
        transfer_free(transfer);
    }
}

void transfer_free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *line = headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(headers);
}

/* ---- how it ended ---- */

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
           ((int)code == CURL_TOO_LARGE || (code == CURLE_OUT_OF_MEMORY && transfer->long_line));
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
        return OUTCOME_ENCODED;
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

static int64_t asked_pause_us(const struct transfer *transfer)
{
    struct curl_header *header;
    if (curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    return retry_after_us(header->value, strlen(header->value), clock_date_s());
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
    else if (kind == OUTCOME_ENCODED) /* libcurl 8 looks for itself */
        snprintf(transfer->error, room, "%s", unasked);
}

/* What libcurl takes for a whole answer, and is none. */
static CURLcode check_whole(struct transfer *transfer)
{
    const struct head *head = &transfer->head;
    if (transfer->began && !head->complete) {
        strcpy(transfer->error, "the connection ended in the middle of the headers");
        return CURLE_RECV_ERROR;
    }
    if (head->coding != CODING_NONE && has_body(transfer) &&
        !decoder_is_complete(&transfer->decoder)) {
        refuse(transfer, OUTCOME_ENCODED, "the compressed body is cut");
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
        count_received(transfer);
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
                .retry_after_us = status == 429 || status >= 500 ? asked_pause_us(transfer) : -1,
            },
        .message = transfer->error[0] ? transfer->error : curl_easy_strerror(code),
        .headers = &transfer->head.lines,
        .body = &transfer->body,
    };
}
