/* certificates.h - whom a TLS connection trusts. */
#ifndef CEKURA_CERTIFICATES_H
#define CEKURA_CERTIFICATES_H

#include "engine_private.h"

/* Asks libcurl for the system's bundle, and whether it speaks TLS to proxies: once in a process,
 * since curl_version_info() writes to static memory without a lock. */
void certificates_begin(void);

bool certificates_serve_proxies(void);

/* Decides on the bundle: the engine's ca_file, or the system's. `secure`: the service is spoken to
 * over TLS. False: out of memory. */
bool certificates_choose(struct engine *engine, bool secure);

/* Looks whether the file has changed: then handles that are set up from now on have it read again,
 * and engine->bundle.version is another. A file that is gone, as after a chroot, or that this user
 * may not read, has not changed: what was read of it stays. */
void certificates_look(struct engine *engine);

/* Has the handle check the certificate and the name of the service, and of a proxy that is spoken
 * to over TLS: always, against that bundle. */
CURLcode certificates_check(const struct engine *engine, CURL *easy);

/* Has the bundle parsed now, so that no step has to. False: libcurl's multi handle has failed, and
 * is not to be used again. */
bool certificates_load(struct engine *engine);

#endif
