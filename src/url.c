/* url.c - taking a base URL apart; see url.h. */
#include "url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *part(CURLU *handle, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(handle, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool has(CURLU *handle, CURLUPart what)
{
    char *text = part(handle, what, 0);
    bool found = text != NULL;
    curl_free(text);
    return found;
}

/* libcurl resolves "localhost" by itself to the loopback addresses, without asking anybody. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* Requests are made from the origin, which libcurl reads again: it has to find the same host. */
static bool reads_back(const struct url *url)
{
    CURLU *handle = curl_url();
    bool read = handle && curl_url_set(handle, CURLUPART_URL, url->origin, 0) == CURLUE_OK;
    char *host = read ? part(handle, CURLUPART_HOST, 0) : NULL;
    bool same = host && strcasecmp(host, url->host) == 0;
    curl_free(host);
    curl_url_cleanup(handle);
    return same;
}

static const char *take_apart(CURLU *handle, struct url *url)
{
    if (has(handle, CURLUPART_USER) || has(handle, CURLUPART_PASSWORD))
        return "holds a user name or a password";
    if (has(handle, CURLUPART_QUERY) || has(handle, CURLUPART_FRAGMENT))
        return "holds a query or a fragment";
    if (has(handle, CURLUPART_ZONEID))
        return "holds an address with a zone";

    char *scheme = part(handle, CURLUPART_SCHEME, 0);
    char *port = part(handle, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    url->host = part(handle, CURLUPART_HOST, 0);
    url->path = part(handle, CURLUPART_PATH, 0);
    const char *fault = NULL;
    if (!scheme || !url->host || !url->path) {
        fault = "cannot be read";
        goto out;
    }
    url->secure = strcmp(scheme, "https") == 0;
    if (!url->secure && strcmp(scheme, "http") != 0) {
        fault = "is neither https nor http";
        goto out;
    }
    if (port && strcmp(port, "0") == 0) {
        fault = "has port 0, at which nobody can be reached";
        goto out;
    }
    for (char *c = url->host; *c; c++) /* one spelling for one host */
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
    url->loopback = is_loopback(url->host);
    for (size_t end = strlen(url->path); end > 0 && url->path[end - 1] == '/'; end--)
        url->path[end - 1] = '\0';
    size_t room = strlen(scheme) + strlen(url->host) + (port ? strlen(port) + 1 : 0) + 4;
    url->origin = malloc(room);
    if (!url->origin) {
        fault = "cannot be read: out of memory";
        goto out;
    }
    strcpy(url->origin, scheme);
    strcat(url->origin, "://");
    strcat(url->origin, url->host);
    if (port) {
        strcat(url->origin, ":");
        strcat(url->origin, port);
    }
    if (!reads_back(url))
        fault = "names its host with escapes that do not make a plain one";
out:
    curl_free(scheme);
    curl_free(port);
    return fault;
}

const char *url_parse(struct url *url, const char *text)
{
    *url = (struct url){0};
    CURLU *handle = curl_url();
    if (!handle)
        return "cannot be read: out of memory";
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    const char *fault = code == CURLUE_OK ? take_apart(handle, url) : curl_url_strerror(code);
    curl_url_cleanup(handle);
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
