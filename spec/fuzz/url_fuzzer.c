/* url_fuzzer.c - parses any text as a base URL.
 *
 * It is refused, or its parts are plain, parse to the same parts again, and make libcurl connect to
 * the host that they name. */
#include "check.h"
#include "text/url.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

static char *joined(const char *a, const char *b)
{
    char *text = malloc(strlen(a) + strlen(b) + 1);
    CHECK(text);
    strcpy(text, a);
    return strcat(text, b);
}

static bool plain(const char *text, const char *except)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || strchr(except, *text))
            return false;
    return true;
}

/* The host to which libcurl connects for this text. */
static char *connects_to(const char *text)
{
    CURLU *handle = curl_url();
    char *host = NULL;
    CHECK(handle);
    CHECK(curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK);
    CHECK(curl_url_get(handle, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    CHECK(curl_url_get(handle, CURLUPART_USER, &(char *){NULL}, 0) == CURLUE_NO_USER);
    curl_url_cleanup(handle);
    return host;
}

/* Asserts that the text has no part that the result would lose: a user, a query, a fragment, a
 * zone. */
static void check_text(const char *text)
{
    const char *colon = strchr(text, ':');
    const char *rest = strpbrk(text, "?#");
    CHECK(!rest || !rest[1] || strcmp(rest, "?#") == 0); /* an empty query, an empty fragment */
    if (colon && strncmp(colon, "://", 3) == 0) {
        char *host = strndup(colon + 3, strcspn(colon + 3, "/?#"));
        CHECK(host && !strchr(host, '@') && !(strchr(host, '[') && strchr(host, '%')));
        free(host);
    }
}

static void check_parts(const struct url *url)
{
    size_t scheme = url->secure ? 8 : 7;
    CHECK(strncmp(url->origin, url->secure ? "https://" : "http://", scheme) == 0);
    CHECK(strncmp(url->origin + scheme, url->host, strlen(url->host)) == 0);
    CHECK(strcspn(url->host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(url->host));
    CHECK(*url->host && plain(url->origin, "@?#\\") && plain(url->host, "/@?#"));
    CHECK(!strchr(url->origin + scheme, '/'));
    const char *rest = url->origin + scheme + strlen(url->host);
    CHECK(!*rest || (*rest == ':' && strlen(rest) > 1 && atoi(rest + 1) < 65536));
    CHECK(!*url->path || *url->path == '/');
    CHECK(!*url->path || url->path[strlen(url->path) - 1] != '/');
    CHECK(plain(url->path, "?#"));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct url url, again;
    char *text = malloc(size + 1);
    CHECK(text);
    if (size)
        memcpy(text, input, size);
    text[size] = '\0';
    const char *fault = url_parse(&url, text);
    if (!fault)
        check_text(text);
    free(text);
    if (fault) {
        CHECK(!url.origin && !url.host && !url.path && *fault);
        return 0;
    }
    check_parts(&url);
    char *base = joined(url.origin, url.path), *request = joined(base, "/v1/call-logs/?page=2");
    CHECK(!url_parse(&again, base));
    CHECK(strcmp(again.origin, url.origin) == 0 && strcmp(again.path, url.path) == 0);
    CHECK(again.secure == url.secure && again.loopback == url.loopback);
    char *host = connects_to(request);
    CHECK(strcasecmp(host, url.host) == 0);
    curl_free(host);
    free(base);
    free(request);
    url_free(&again);
    url_free(&url);
    return 0;
}
