/* codes.h - the meaning of libcurl's error codes. */
#ifndef CEKURA_CODES_H
#define CEKURA_CODES_H

#include "request.h"

#include <curl/curl.h>

/* The kind of outcome for a code, regardless of how far the transfer had come; ending.c handles the
 * exceptions. docs/errors.md shows the table. A code that is missing from it either cannot come
 * from HTTP/1.1 or is newer than the table, and gives OUTCOME_NETWORK, which is repeated. */
enum outcome_kind codes_kind(CURLcode code);

/* The kind of outcome for the reply of a SOCKS proxy (CURLINFO_PROXY_ERROR), which libcurl reports
 * as CURLE_PROXY. */
enum outcome_kind codes_socks_kind(CURLproxycode code);

#endif
