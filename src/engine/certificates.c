/* certificates.c - whom a TLS connection trusts; see certificates.h.
 *
 * libcurl parses the bundle when the first TLS connection of a multi handle begins, for 20 to 40
 * ms, and keeps the result in the multi handle. So that this does not fall into a step of
 * somebody's event loop, certificates_load() begins a connection to itself when the engine is made.
 */
#include "certificates.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOAD_TURNS 20
#define LOAD_TURN_MS 10

static const char *built_in; /* the system's bundle */
static bool serves_proxies;

void certificates_begin(void)
{
    const curl_version_info_data *libcurl = curl_version_info(CURLVERSION_NOW);
    built_in = libcurl->cainfo;
    serves_proxies = libcurl->features & CURL_VERSION_HTTPS_PROXY;
}

bool certificates_serve_proxies(void)
{
    return serves_proxies;
}

/* ---- the file ---- */

/* libcurl knows what it has parsed by the path alone, so each version of the file has a path of its
 * own: with as many "./" before the name. Connections and TLS sessions belong to a path, too: what
 * was begun with an older version is not used again. */
#define SPELLINGS 1000u /* until then no older connection is left */

static char *spell(const char *file, unsigned version)
{
    const char *slash = strrchr(file, '/');
    size_t folder = slash ? (size_t)(slash + 1 - file) : 0,
           dots = 2 * (size_t)(version % SPELLINGS);
    char *path = malloc(strlen(file) + dots + 1);
    if (!path)
        return NULL;
    memcpy(path, file, folder);
    for (size_t i = 0; i < dots; i += 2)
        memcpy(path + folder + i, "./", 2);
    strcpy(path + folder + dots, file + folder);
    return path;
}

/* Once, when the engine is made: a host may chroot afterwards, and then has no such file, but still
 * has what was parsed of it. */
bool certificates_choose(struct engine *engine, bool secure)
{
    struct bundle *bundle = &engine->bundle;
    bundle->is_used = secure || engine->proxy_secure;
    if (!engine->ca_file) {
        if (!built_in || access(built_in, R_OK) != 0)
            return true;
        engine->ca_file = strdup(built_in);
        if (!engine->ca_file)
            return false;
    }
    (void)stat(engine->ca_file, &bundle->state);
    bundle->path = spell(engine->ca_file, 0);
    return bundle->path != NULL;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void certificates_look(struct engine *engine)
{
    struct bundle *bundle = &engine->bundle;
    struct stat state;
    if (!bundle->is_used || !bundle->path || stat(engine->ca_file, &state) != 0 ||
        is_same(&state, &bundle->state) || eaccess(engine->ca_file, R_OK) != 0)
        return;
    char *path = spell(engine->ca_file, bundle->version + 1);
    if (!path)
        return; /* the next look sees it */
    free(bundle->path);
    bundle->path = path;
    bundle->state = state;
    bundle->version++;
}

/* ---- the handle ---- */

/* The options for the two ends that TLS may be spoken to. */
struct end {
    CURLoption version, bundle, directory;
};

static const struct end service = {CURLOPT_SSLVERSION, CURLOPT_CAINFO, CURLOPT_CAPATH};
static const struct end proxy = {
    CURLOPT_PROXY_SSLVERSION, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH};

static CURLcode check_end(const struct engine *engine, CURL *easy, const struct end *end)
{
    /* libcurl's default is what OpenSSL's configuration allows. */
    CURLcode code = curl_easy_setopt(easy, end->version, (long)CURL_SSLVERSION_TLSv1_2);
    if (code != CURLE_OK || !engine->bundle.path)
        return code;
    code = curl_easy_setopt(easy, end->bundle, engine->bundle.path);
    /* A certificate directory, Debian's default, switches the cache of parsed certificates off, and
     * then each connection stalls its thread to parse them again. */
    return code == CURLE_OK ? curl_easy_setopt(easy, end->directory, NULL) : code;
}

/* The proxy's certificate and name are checked unless libcurl is told otherwise, and it never is.
 */
CURLcode certificates_check(const struct engine *engine, CURL *easy)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (code == CURLE_OK)
        code = check_end(engine, easy, &service);
    if (code == CURLE_OK && engine->proxy_secure)
        code = check_end(engine, easy, &proxy);
    /* The cache is for ever: after a day, its default, a step would stall, or, in a chroot, fail.
     */
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, -1L) : code;
}

/* ---- the cache ---- */

/* A socket of this machine that a connection can be made to; -1: none. */
static int listen_here(in_port_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return -1;
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        close(listener);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

static CURLMcode act_on_events(struct engine *engine)
{
    struct epoll_event events[4];
    int running;
    int count = epoll_wait(engine->epoll_fd, events, 4, LOAD_TURN_MS);
    CURLMcode code = curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int i = 0; i < count && code == CURLM_OK; i++)
        if (events[i].data.fd != engine->timer_fd)
            code = curl_multi_socket_action(
                engine->multi, events[i].data.fd, CURL_CSELECT_IN | CURL_CSELECT_OUT, &running);
    return code;
}

/* Turns the loop until the first byte of the handshake has arrived: by then the bundle is parsed.
 */
static CURLMcode begin_handshake(struct engine *engine, int listener)
{
    int peer = -1;
    char byte;
    CURLMcode code = CURLM_OK;
    for (int turn = 0; turn < LOAD_TURNS && code == CURLM_OK; turn++) {
        code = act_on_events(engine);
        if (peer < 0)
            peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer >= 0 && recv(peer, &byte, 1, MSG_PEEK) > 0)
            break;
    }
    if (peer >= 0)
        close(peer);
    return code;
}

/* Nothing leaves the machine, and nothing is lost if it fails: then the first real connection
 * parses, and reports what is wrong. */
bool certificates_load(struct engine *engine)
{
    CURLMcode code = CURLM_OK;
    char url[40];
    in_port_t port;
    int listener = listen_here(&port);
    CURL *easy = listener >= 0 ? curl_easy_init() : NULL;
    if (!easy)
        goto out;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)port);
    if (certificates_check(engine, easy) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK ||
        curl_multi_add_handle(engine->multi, easy) != CURLM_OK)
        goto out;
    code = begin_handshake(engine, listener);
    curl_multi_remove_handle(engine->multi, easy);
out:
    curl_easy_cleanup(easy);
    if (listener >= 0)
        close(listener);
    return code == CURLM_OK;
}
