/* certificates.h - whom a TLS connection trusts. */
#ifndef CEKURA_CERTIFICATES_H
#define CEKURA_CERTIFICATES_H

#include "engine_private.h"

/* Asks libcurl for the system's bundle: once in a process, since curl_version_info() writes to
 * static memory without a lock. */
void certificates_begin(void);

/* Decides on the bundle: the engine's ca_file, or the system's. False: out of memory. */
bool certificates_choose(struct engine *engine);

/* Has the handle check the peer's certificate and name: always, against that bundle. */
CURLcode certificates_check(const struct engine *engine, CURL *easy);

/* Has the bundle parsed now, so that no step has to. False: libcurl's multi handle has failed, and
 * is not to be used again. */
bool certificates_load(struct engine *engine);

#endif
