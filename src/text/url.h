/* url.h - base URLs and URLs of proxies, parsed by libcurl.
 *
 * The same parser decides here and when the request is sent, so that no spelling of a URL can mean
 * one host to the check and another to the connection. A host that can never be looked up is
 * refused here: libcurl would report it only with each request. */
#ifndef CEKURA_URL_H
#define CEKURA_URL_H

#include <stdbool.h>

struct url {
    char *origin; /* "https://host:port": lower-case scheme, no default port */
    char *host;
    char *path;    /* from the first "/" on, without a trailing one; "" for none */
    bool secure;   /* https */
    bool loopback; /* the host can only be this machine */
};

/* Parses `text`. Returns NULL on success, and `url` is to be freed by url_free(); else a constant
 * text that says what is wrong with it. */
const char *url_parse(struct url *url, const char *text);

void url_free(struct url *url);

struct proxy {
    char *peer;    /* "host:port" */
    bool secure;   /* https: the proxy is spoken to over TLS */
    bool loopback; /* the host can only be this machine */
};

/* Parses the URL of an HTTP or SOCKS proxy. Missing parts have libcurl's defaults: scheme http, and
 * port 1080, or 443 for https. Returns NULL on success, and `proxy` is to be freed by
 * url_free_proxy(); else a constant text that says what is wrong with it. */
const char *url_parse_proxy(struct proxy *proxy, const char *text);

void url_free_proxy(struct proxy *proxy);

/* "host:port" of a URL that has a scheme, to be freed by the caller; NULL: the URL cannot be
 * parsed, or memory is short. */
char *url_peer(const char *text);

#endif
