/* url.h - parses base URLs and proxy URLs, by libcurl.
 *
 * The parser that checks a URL here is the one that connects to it later, so no spelling can mean
 * one host to the check and another to the connection. A host name that cannot be resolved is
 * refused here; libcurl would report it only with each request. */
#ifndef CEKURA_URL_H
#define CEKURA_URL_H

#include <stdbool.h>

struct url {
    char *origin; /* "https://host:port": lower-case scheme, no default port */
    char *host;
    char *path;    /* from the first "/" on, without trailing ones; "" if empty */
    bool secure;   /* https */
    bool loopback; /* the host can only be this machine */
};

/* Parses `text`. Returns NULL on success, and the caller frees `url` with url_free(). Otherwise
 * returns a constant string that describes the error. */
const char *url_parse(struct url *url, const char *text);

void url_free(struct url *url);

struct proxy {
    char *peer;    /* "host:port" */
    bool secure;   /* https: TLS to the proxy */
    bool loopback; /* the host can only be this machine */
};

/* Parses the URL of an HTTP or SOCKS proxy. Missing parts get libcurl's defaults: scheme http, and
 * port 1080, or 443 for https. Returns NULL on success, and the caller frees `proxy` with
 * url_free_proxy(). Otherwise returns a constant string that describes the error. */
const char *url_parse_proxy(struct proxy *proxy, const char *text);

void url_free_proxy(struct proxy *proxy);

/* Returns "host:port" of a URL with a scheme, which the caller frees. Returns NULL if the URL
 * cannot be parsed or memory runs out. */
char *url_peer(const char *text);

#endif
