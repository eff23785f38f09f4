/* codes.h - the meaning of libcurl's error codes. */
#ifndef CEKURA_CODES_H
#define CEKURA_CODES_H

#include "request.h"

#include <curl/curl.h>

/* The kind of outcome that a code stands for, whatever the transfer had done until then; ending.c
 * knows the cases in which it stands for another. docs/errors.md shows the table. A code that is
 * not in it cannot come from HTTP/1.1, or is newer than the table: OUTCOME_NETWORK, which is
 * repeated. */
enum outcome_kind codes_kind(CURLcode code);

/* The same of what a SOCKS proxy answered (CURLINFO_PROXY_ERROR), which libcurl reports as
 * CURLE_PROXY. */
enum outcome_kind codes_socks_kind(CURLproxycode code);

#endif
