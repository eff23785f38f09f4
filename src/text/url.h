/* url.h - taking a base URL apart, and a proxy's, by libcurl's own reading of them.
 *
 * The same parser decides here and when the request is sent, so that no spelling of a URL can mean
 * one host to the check and another to the connection. A host that can never be looked up is
 * refused here: libcurl would report it with each request. */
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

/* Reads `text`. NULL on success, with `url` to be freed by url_free; else what is wrong with it, a
 * constant text. */
const char *url_parse(struct url *url, const char *text);

void url_free(struct url *url);

struct proxy {
    char *peer;    /* "host:port" */
    bool secure;   /* https: the proxy is spoken to over TLS */
    bool loopback; /* the host can only be this machine */
};

/* Reads the URL of a proxy of HTTP or SOCKS. What it does not say is what libcurl takes then:
 * http, and port 1080, or 443 of one of https. NULL on success, with `proxy` to be freed by
 * url_free_proxy(); else what is wrong with it, a constant text. */
const char *url_parse_proxy(struct proxy *proxy, const char *text);

void url_free_proxy(struct proxy *proxy);

/* "host:port" of what a URL with a scheme leads to, to be freed; NULL: it cannot be read, or memory
 * is short. */
char *url_peer(const char *text);

#endif
