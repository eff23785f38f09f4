/* certificates.h - the trusted certificates, and their verification. */
#ifndef CEKURA_CERTIFICATES_H
#define CEKURA_CERTIFICATES_H

#include "multi.h"

#include <sys/stat.h>

/* The bundle of trusted certificates, and the peers that are verified against it. */
struct certificates {
    bool service, proxy; /* whether connections to it use TLS */
    char *file;          /* NULL: libcurl's default */
    char *path;          /* the file, with a different spelling for each version */
    unsigned version;    /* counts the changes of the file */
    struct stat state;   /* of the file when this version was read */
};

/* Records where libcurl finds the system's bundle, and whether it supports TLS to a proxy. Called
 * once, before the first engine is created. */
void certificates_begin(const curl_version_info_data *libcurl);

/* Whether libcurl supports TLS to a proxy. */
bool certificates_serve_proxies(void);

/* Chooses the bundle: `file`, or the system's if it is NULL. Returns false if memory runs out. */
bool certificates_choose(struct certificates *certificates, const char *file);
void certificates_free(struct certificates *certificates);

/* Increments the version if the file has changed, so that handles which are set up from now on read
 * it again. A file that is missing, as after a chroot, or that this user may not read, counts as
 * unchanged, and the certificates that were read from it stay in use. */
void certificates_refresh(struct certificates *certificates);

/* Sets the handle's options: certificate and host name are always verified, those of the service
 * and those of a proxy over TLS. */
CURLcode certificates_check(const struct certificates *certificates, CURL *easy);

/* Parses the file into the cache of the multi handle, so that no step has to. Returns false if the
 * multi handle has failed; the caller closes it then. */
bool certificates_load(const struct certificates *certificates, struct multi *multi);

#endif
