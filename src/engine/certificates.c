/* certificates.c - the trusted certificates, and their verification; see certificates.h.
 *
 * When the first TLS connection of a multi handle begins, libcurl parses the bundle, which takes 20
 * to 40 ms, and caches the result in the multi handle. To keep that out of a step,
 * certificates_load() begins a connection to this process when the engine is created. */
#include "certificates.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOAD_TURNS 20
#define LOAD_TURN_MS 10

static const char *built_in; /* the system's bundle */
static bool serves_proxies;

void certificates_begin(const curl_version_info_data *libcurl)
{
    built_in = libcurl->cainfo;
    serves_proxies = libcurl->features & CURL_VERSION_HTTPS_PROXY;
}

bool certificates_serve_proxies(void)
{
    return serves_proxies;
}

/* ---- the file ---- */

/* libcurl's cache is keyed by the path alone, so each version of the file has a different spelling
 * of the path: version 2 has "././" before the name. Connections and TLS sessions are keyed by the
 * path, too, so none that was verified against an older version is reused. */
#define SPELLINGS 1000u /* when they repeat, no connection of the first is left */

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

/* Called once, when the engine is created. If the host then calls chroot(), the file is out of
 * reach, and the parsed certificates stay in use. */
bool certificates_choose(struct certificates *certificates, const char *file)
{
    if (!file && built_in && access(built_in, R_OK) == 0)
        file = built_in;
    if (!file)
        return true;
    (void)stat(file, &certificates->state);
    certificates->file = strdup(file);
    certificates->path = spell(file, 0);
    return certificates->file && certificates->path;
}

void certificates_free(struct certificates *certificates)
{
    free(certificates->file);
    free(certificates->path);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void certificates_refresh(struct certificates *certificates)
{
    struct stat state;
    bool is_used = certificates->service || certificates->proxy;
    if (!is_used || !certificates->file || stat(certificates->file, &state) != 0 ||
        is_same(&state, &certificates->state) || eaccess(certificates->file, R_OK) != 0)
        return;
    char *path = spell(certificates->file, certificates->version + 1);
    if (!path)
        return; /* the next refresh tries again */
    free(certificates->path);
    certificates->path = path;
    certificates->state = state;
    certificates->version++;
}

/* ---- the handle ---- */

/* The options of the two peers to which a connection may use TLS. */
struct end {
    CURLoption version, bundle, directory;
};

static const struct end service = {CURLOPT_SSLVERSION, CURLOPT_CAINFO, CURLOPT_CAPATH};
static const struct end proxy = {
    CURLOPT_PROXY_SSLVERSION, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH};

static CURLcode check_end(const char *path, CURL *easy, const struct end *end)
{
    /* By default libcurl accepts any version that OpenSSL's configuration allows. */
    CURLcode code = curl_easy_setopt(easy, end->version, (long)CURL_SSLVERSION_TLSv1_2);
    if (code != CURLE_OK || !path)
        return code;
    code = curl_easy_setopt(easy, end->bundle, path);
    /* A certificate directory, Debian's default, disables the cache, and then each connection
     * blocks its thread to parse the bundle again. */
    return code == CURLE_OK ? curl_easy_setopt(easy, end->directory, NULL) : code;
}

/* libcurl verifies the proxy's certificate and name by default; no option here disables that. */
CURLcode certificates_check(const struct certificates *certificates, CURL *easy)
{
    if (!certificates->service && !certificates->proxy)
        return CURLE_OK;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (code == CURLE_OK)
        code = check_end(certificates->path, easy, &service);
    if (code == CURLE_OK && certificates->proxy)
        code = check_end(certificates->path, easy, &proxy);
    /* The cache must not expire. After a day, its default, a step would block to parse the bundle,
     * and in a chroot it would fail. */
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, -1L) : code;
}

/* ---- the cache ---- */

/* Returns a listening socket on the loopback interface, and sets *port; -1 on failure. */
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

static CURLMcode act_on_events(struct multi *multi)
{
    struct epoll_event events[4];
    int running;
    int count = epoll_wait(multi->loop->epoll_fd, events, 4, LOAD_TURN_MS);
    CURLMcode code = curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int i = 0; i < count && code == CURLM_OK; i++)
        if (events[i].data.fd != multi->loop->timer_fd)
            code = curl_multi_socket_action(
                multi->handle, events[i].data.fd, CURL_CSELECT_IN | CURL_CSELECT_OUT, &running);
    return code;
}

/* Runs the loop until the first byte of the handshake arrives. By then the bundle is parsed. */
static CURLMcode begin_handshake(struct multi *multi, int listener)
{
    int peer = -1;
    char byte;
    CURLMcode code = CURLM_OK;
    for (int turn = 0; turn < LOAD_TURNS && code == CURLM_OK; turn++) {
        code = act_on_events(multi);
        if (peer < 0)
            peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer >= 0 && recv(peer, &byte, 1, MSG_PEEK) > 0)
            break;
    }
    if (peer >= 0)
        close(peer);
    return code;
}

/* Sends nothing off this machine. If it fails, the first real connection parses the bundle, and
 * reports the error. */
bool certificates_load(const struct certificates *certificates, struct multi *multi)
{
    CURLMcode code = CURLM_OK;
    char url[40];
    in_port_t port;
    int listener = listen_here(&port);
    CURL *easy = listener >= 0 ? curl_easy_init() : NULL;
    if (!easy)
        goto out;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)port);
    if (certificates_check(certificates, easy) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK ||
        curl_multi_add_handle(multi->handle, easy) != CURLM_OK)
        goto out;
    code = begin_handshake(multi, listener);
    curl_multi_remove_handle(multi->handle, easy);
out:
    curl_easy_cleanup(easy);
    if (listener >= 0)
        close(listener);
    return code == CURLM_OK;
}
