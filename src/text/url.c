/* url.c - taking URLs apart; see url.h. */
#include "url.h"

#include "ascii.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_MEMORY "cannot be read: out of memory"
#define PORT_0 "has port 0, at which nobody can be reached"

/* Of a name in the DNS (RFC 1035, 2.3.4), as it is written; a last dot is not counted. */
#define LONGEST_NAME 253u
#define LONGEST_LABEL 63u

/* A URL that libcurl reads. What a URL does not have is known only as long as memory was not short:
 * it must not be taken for one without a password, or with another port. */
struct reading {
    CURLU *handle;
    bool no_memory;
};

static CURLUcode begin(struct reading *reading, const char *text, unsigned flags)
{
    *reading = (struct reading){.handle = curl_url()};
    CURLUcode code = reading->handle ? curl_url_set(reading->handle, CURLUPART_URL, text, flags)
                                     : CURLUE_OUT_OF_MEMORY;
    reading->no_memory = code == CURLUE_OUT_OF_MEMORY;
    return code;
}

static char *part(struct reading *reading, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(reading->handle, what, &text, flags);
    reading->no_memory |= code == CURLUE_OUT_OF_MEMORY;
    return code == CURLUE_OK ? text : NULL;
}

static bool has(struct reading *reading, CURLUPart what)
{
    char *text = part(reading, what, 0);
    bool found = text != NULL;
    curl_free(text);
    return found;
}

/* libcurl resolves "localhost" by itself to the loopback addresses, without asking anybody. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    if (ascii_same(host, "localhost", SIZE_MAX) || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* Whether a name consists of labels that a name can have. */
static bool can_be_name(const char *host)
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

/* What is wrong with a host that can never be looked up; NULL: nothing. Whether libcurl can
 * translate other letters depends on how it was built and on the locale of the program. */
static const char *host_fault(const char *host)
{
    for (const char *c = host; *c; c++)
        if ((unsigned char)*c >= 0x80)
            return "names its host with letters that are not ASCII: give its name in ASCII "
                   "(xn--...)";
    return *host == '[' || can_be_name(host) ? NULL : "names a host that no name server can know";
}

/* Requests are made from the origin, which libcurl reads again: it has to find the same host. */
static const char *read_back(const struct url *url)
{
    struct reading again;
    bool read = begin(&again, url->origin, 0) == CURLUE_OK;
    char *host = read ? part(&again, CURLUPART_HOST, 0) : NULL;
    bool same = host && ascii_same(host, url->host, SIZE_MAX);
    curl_free(host);
    curl_url_cleanup(again.handle);
    if (again.no_memory)
        return NO_MEMORY;
    return same ? NULL : "names its host with escapes that do not make a plain one";
}

static const char *put_together(struct url *url, const char *scheme, const char *port)
{
    size_t room = strlen(scheme) + strlen(url->host) + (port ? strlen(port) + 1 : 0) + 4;
    url->origin = malloc(room);
    if (!url->origin)
        return NO_MEMORY;
    snprintf(
        url->origin, room, "%s://%s%s%s", scheme, url->host, port ? ":" : "", port ? port : "");
    return read_back(url);
}

static const char *read_parts(
    struct reading *reading, struct url *url, const char *scheme, const char *port)
{
    if (reading->no_memory)
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
    for (char *c = url->host; *c; c++) /* one spelling for one host */
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
    url->loopback = is_loopback(url->host);
    for (size_t end = strlen(url->path); end > 0 && url->path[end - 1] == '/'; end--)
        url->path[end - 1] = '\0';
    return put_together(url, scheme, port);
}

static const char *take_apart(struct reading *reading, struct url *url)
{
    if (has(reading, CURLUPART_USER) || has(reading, CURLUPART_PASSWORD))
        return "holds a user name or a password";
    if (has(reading, CURLUPART_QUERY) || has(reading, CURLUPART_FRAGMENT))
        return "holds a query or a fragment";
    if (has(reading, CURLUPART_ZONEID))
        return "holds an address with a zone";

    char *scheme = part(reading, CURLUPART_SCHEME, 0);
    char *port = part(reading, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    url->host = part(reading, CURLUPART_HOST, 0);
    url->path = part(reading, CURLUPART_PATH, 0);
    const char *fault = read_parts(reading, url, scheme, port);
    curl_free(scheme);
    curl_free(port);
    return fault;
}

const char *url_parse(struct url *url, const char *text)
{
    struct reading reading;
    *url = (struct url){0};
    CURLUcode code = begin(&reading, text, CURLU_NON_SUPPORT_SCHEME);
    const char *fault = code == CURLUE_OK   ? take_apart(&reading, url)
                        : reading.no_memory ? NO_MEMORY
                                            : curl_url_strerror(code);
    curl_url_cleanup(reading.handle);
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

/* ---- a proxy ---- */

/* "host:port"; a last dot of the name is not looked up. */
static char *join(const char *host, const char *port)
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

static const char *read_proxy(
    struct proxy *proxy, const char *scheme, const char *host, const char *port)
{
    static const char *const schemes[] = {
        "http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        is_known |= ascii_same(scheme, schemes[i], SIZE_MAX);
    if (!is_known)
        return "is of no kind that is known: http, https, socks4, socks4a, socks5, socks5h";
    proxy->secure = ascii_same(scheme, "https", SIZE_MAX);
    if (!port)
        port = proxy->secure ? "443" : "1080";
    if (strcmp(port, "0") == 0)
        return PORT_0;
    proxy->loopback = is_loopback(host);
    proxy->peer = join(host, port);
    return proxy->peer ? host_fault(host) : NO_MEMORY;
}

const char *url_parse_proxy(struct proxy *proxy, const char *text)
{
    struct reading reading;
    *proxy = (struct proxy){0};
    CURLUcode code = begin(&reading, text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
    const char *fault = reading.no_memory ? NO_MEMORY : "cannot be read";
    if (code == CURLUE_OK) {
        char *scheme = part(&reading, CURLUPART_SCHEME, 0);
        char *host = part(&reading, CURLUPART_HOST, CURLU_URLDECODE);
        char *port = part(&reading, CURLUPART_PORT, 0);
        fault = reading.no_memory ? NO_MEMORY : fault;
        if (!reading.no_memory && scheme && host)
            fault = read_proxy(proxy, scheme, host, port);
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
    }
    curl_url_cleanup(reading.handle);
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
    struct reading reading;
    char *peer = NULL;
    if (begin(&reading, text, 0) == CURLUE_OK) {
        char *host = part(&reading, CURLUPART_HOST, 0);
        char *port = part(&reading, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        peer = join(host, port);
        curl_free(host);
        curl_free(port);
    }
    curl_url_cleanup(reading.handle);
    return peer;
}
