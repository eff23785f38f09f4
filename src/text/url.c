/* url.c - parses base URLs and proxy URLs; see url.h. */
#include "url.h"

#include "ascii.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_MEMORY "cannot be read: out of memory"
#define PORT_0 "has port 0, to which no connection can be made"

/* Limits of a DNS name (RFC 1035, 2.3.4) in text form, without its final dot. */
#define LONGEST_NAME 253u
#define LONGEST_LABEL 63u

/* A URL that libcurl has parsed. If memory ran out, a part that seems to be missing may exist. Then
 * the URL must not be taken for one without a password, or with another port. */
struct parsed {
    CURLU *handle;
    bool no_memory;
};

static CURLUcode parse(struct parsed *parsed, const char *text, unsigned flags)
{
    *parsed = (struct parsed){.handle = curl_url()};
    CURLUcode code = parsed->handle ? curl_url_set(parsed->handle, CURLUPART_URL, text, flags)
                                    : CURLUE_OUT_OF_MEMORY;
    parsed->no_memory = code == CURLUE_OUT_OF_MEMORY;
    return code;
}

static char *get_part(struct parsed *parsed, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(parsed->handle, what, &text, flags);
    parsed->no_memory |= code == CURLUE_OUT_OF_MEMORY;
    return code == CURLUE_OK ? text : NULL;
}

static bool has_part(struct parsed *parsed, CURLUPart what)
{
    char *text = get_part(parsed, what, 0);
    bool found = text != NULL;
    curl_free(text);
    return found;
}

/* libcurl itself resolves "localhost" to the loopback addresses, without a name server. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    if (ascii_same(host, "localhost", SIZE_MAX) || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* Whether a name consists of labels that the DNS allows. */
static bool is_valid_name(const char *host)
{
    size_t length = strlen(host), label = 0;
    if (length > 0 && host[length - 1] == '.')
        length--;
    if (length == 0 || length > LONGEST_NAME)
        return false;
    for (size_t i = 0; i <= length; i++) {
        bool ends = i == length || host[i] == '.';
        if (ends && (label == 0 || label > LONGEST_LABEL))
            return false;
        label = ends ? 0 : label + 1;
    }
    return true;
}

/* Describes why a host name can never be resolved; NULL if it may be. Letters outside ASCII are
 * refused, since libcurl's support for them depends on its build and on the program's locale. */
static const char *host_fault(const char *host)
{
    for (const char *c = host; *c; c++)
        if ((unsigned char)*c >= 0x80)
            return "names its host with letters that are not ASCII: give its name in ASCII "
                   "(xn--...)";
    return *host == '[' || is_valid_name(host) ? NULL : "names a host that no name server can know";
}

/* Checks that libcurl, which parses the origin again for each request, finds the same host in it.
 */
static const char *check_origin(const struct url *url)
{
    struct parsed again;
    bool read = parse(&again, url->origin, 0) == CURLUE_OK;
    char *host = read ? get_part(&again, CURLUPART_HOST, 0) : NULL;
    bool same = host && ascii_same(host, url->host, SIZE_MAX);
    curl_free(host);
    curl_url_cleanup(again.handle);
    if (again.no_memory)
        return NO_MEMORY;
    return same ? NULL : "names its host with escapes that do not make a plain one";
}

static const char *build_origin(struct url *url, const char *scheme, const char *port)
{
    size_t room = strlen(scheme) + strlen(url->host) + (port ? strlen(port) + 1 : 0) + 4;
    url->origin = malloc(room);
    if (!url->origin)
        return NO_MEMORY;
    snprintf(
        url->origin, room, "%s://%s%s%s", scheme, url->host, port ? ":" : "", port ? port : "");
    return check_origin(url);
}

static const char *check_parts(
    struct parsed *parsed, struct url *url, const char *scheme, const char *port)
{
    if (parsed->no_memory)
        return NO_MEMORY;
    if (!scheme || !url->host || !url->path)
        return "cannot be read";
    url->secure = strcmp(scheme, "https") == 0;
    if (!url->secure && strcmp(scheme, "http") != 0)
        return "is neither https nor http";
    if (port && strcmp(port, "0") == 0)
        return PORT_0;
    const char *fault = host_fault(url->host);
    if (fault)
        return fault;
    for (char *c = url->host; *c; c++) /* one spelling for each host */
        *c = ascii_lower(*c);
    url->loopback = is_loopback(url->host);
    for (size_t end = strlen(url->path); end > 0 && url->path[end - 1] == '/'; end--)
        url->path[end - 1] = '\0';
    return build_origin(url, scheme, port);
}

static const char *fill_url(struct parsed *parsed, struct url *url)
{
    if (has_part(parsed, CURLUPART_USER) || has_part(parsed, CURLUPART_PASSWORD))
        return "holds a user name or a password";
    if (has_part(parsed, CURLUPART_QUERY) || has_part(parsed, CURLUPART_FRAGMENT))
        return "holds a query or a fragment";
    if (has_part(parsed, CURLUPART_ZONEID))
        return "holds an address with a zone";

    char *scheme = get_part(parsed, CURLUPART_SCHEME, 0);
    char *port = get_part(parsed, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    url->host = get_part(parsed, CURLUPART_HOST, 0);
    url->path = get_part(parsed, CURLUPART_PATH, 0);
    const char *fault = check_parts(parsed, url, scheme, port);
    curl_free(scheme);
    curl_free(port);
    return fault;
}

const char *url_parse(struct url *url, const char *text)
{
    struct parsed parsed;
    *url = (struct url){0};
    CURLUcode code = parse(&parsed, text, CURLU_NON_SUPPORT_SCHEME);
    const char *fault = code == CURLUE_OK  ? fill_url(&parsed, url)
                        : parsed.no_memory ? NO_MEMORY
                                           : curl_url_strerror(code);
    curl_url_cleanup(parsed.handle);
    if (fault)
        url_free(url);
    return fault;
}

void url_free(struct url *url)
{
    free(url->origin);
    curl_free(url->host);
    curl_free(url->path);
    *url = (struct url){0};
}

/* ---- proxies ---- */

/* Returns "host:port", without a final dot in the name; NULL if memory runs out. */
static char *join_peer(const char *host, const char *port)
{
    size_t length = host ? strlen(host) : 0;
    size_t room = length + (port ? strlen(port) : 0) + 2;
    char *peer = length && port ? malloc(room) : NULL;
    if (!peer)
        return NULL;
    if (host[length - 1] == '.')
        length--;
    snprintf(peer, room, "%.*s:%s", (int)length, host, port);
    return peer;
}

static const char *fill_proxy(
    struct proxy *proxy, const char *scheme, const char *host, const char *port)
{
    static const char *const schemes[] = {
        "http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        is_known |= ascii_same(scheme, schemes[i], SIZE_MAX);
    if (!is_known)
        return "has an unknown scheme; known are http, https, socks4, socks4a, socks5, "
               "socks5h";
    proxy->secure = ascii_same(scheme, "https", SIZE_MAX);
    if (!port)
        port = proxy->secure ? "443" : "1080";
    if (strcmp(port, "0") == 0)
        return PORT_0;
    proxy->loopback = is_loopback(host);
    proxy->peer = join_peer(host, port);
    return proxy->peer ? host_fault(host) : NO_MEMORY;
}

const char *url_parse_proxy(struct proxy *proxy, const char *text)
{
    struct parsed parsed;
    *proxy = (struct proxy){0};
    CURLUcode code = parse(&parsed, text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
    const char *fault = parsed.no_memory ? NO_MEMORY : "cannot be read";
    if (code == CURLUE_OK) {
        char *scheme = get_part(&parsed, CURLUPART_SCHEME, 0);
        char *host = get_part(&parsed, CURLUPART_HOST, CURLU_URLDECODE);
        char *port = get_part(&parsed, CURLUPART_PORT, 0);
        fault = parsed.no_memory ? NO_MEMORY : fault;
        if (!parsed.no_memory && scheme && host)
            fault = fill_proxy(proxy, scheme, host, port);
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
    }
    curl_url_cleanup(parsed.handle);
    if (fault)
        url_free_proxy(proxy);
    return fault;
}

void url_free_proxy(struct proxy *proxy)
{
    free(proxy->peer);
    *proxy = (struct proxy){0};
}

char *url_peer(const char *text)
{
    struct parsed parsed;
    char *peer = NULL;
    if (parse(&parsed, text, 0) == CURLUE_OK) {
        char *host = get_part(&parsed, CURLUPART_HOST, 0);
        char *port = get_part(&parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        peer = join_peer(host, port);
        curl_free(host);
        curl_free(port);
    }
    curl_url_cleanup(parsed.handle);
    return peer;
}
