/* url.h - taking a base URL apart, by libcurl's own reading of it.
 *
 * The same parser decides here and when the request is sent, so that no spelling of a URL can mean
 * one host to the check and another to the connection. */
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

#endif
