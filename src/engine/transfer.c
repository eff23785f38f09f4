/* transfer.c - a pooled easy handle, and one try of a request on it.
 *
 * All options that a request gets are set here, each with its reason. What comes of an answer is
 * taken in by receive.c; what to do with the end of a try is decided in operation.c. */
#include "transfer_private.h"

#include "addresses.h"
#include "certificates.h"
#include "text/ascii.h"

#include <stdlib.h>
#include <string.h>

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
    SET(CURLOPT_HEADERFUNCTION, receive_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, receive_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_PREREQFUNCTION, connection_begin);
    SET(CURLOPT_PREREQDATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, connection_open);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    SET(CURLOPT_CLOSESOCKETFUNCTION, connection_close);
    SET(CURLOPT_CLOSESOCKETDATA, engine);
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
    transfer->trusts = engine->bundle.version;
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
    if (transfer && (!transfer->plain || transfer->trusts != engine->bundle.version)) {
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
    certificates_look(engine);
    struct transfer *transfer = take_idle(engine);
    if (!transfer)
        return NULL;
    transfer->owner = owner;
    transfer->refused = OUTCOME_RESPONSE;
    transfer->refusal = NULL;
    transfer->began = transfer->starved = false;
    transfer->received = 0;
    transfer->opened = transfer->used = -1;
    transfer->read_before = transfer->taken = 0;
    transfer->error[0] = '\0';
    transfer->dropped = addresses_drop(engine, transfer->easy);
    connection_make_room(engine);
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

void transfer_release(struct engine *engine, struct transfer *transfer)
{
    receive_leave_queue(transfer);
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
    if (transfer->own_headers || transfer->dropped) {
        transfer_free_headers(transfer->own_headers);
        curl_slist_free_all(transfer->dropped);
        transfer->own_headers = transfer->dropped = NULL;
        transfer->plain = false; /* the handle still points at the lists */
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
