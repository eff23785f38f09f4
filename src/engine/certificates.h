/* certificates.h - which certificates a TLS connection trusts. */
#ifndef CEKURA_CERTIFICATES_H
#define CEKURA_CERTIFICATES_H

#include "multi.h"

#include <sys/stat.h>

/* The file of certificates that are trusted, and the ends that are checked against it. */
struct certificates {
    bool service, proxy; /* TLS is spoken to it */
    char *file;          /* NULL: libcurl's default */
    char *path;          /* the file, spelt differently for each version */
    unsigned version;    /* how often the file has changed */
    struct stat state;   /* when it was checked last */
};

/* Keeps where libcurl has the system's bundle, and whether it speaks TLS to proxies. To be called
 * before the first engine is made. */
void certificates_begin(const curl_version_info_data *libcurl);

bool certificates_serve_proxies(void);

/* Chooses the file: that one, or the system's if it is NULL. False: out of memory. */
bool certificates_choose(struct certificates *certificates, const char *file);
void certificates_free(struct certificates *certificates);

/* Checks whether the file has changed: then the version is another, and handles that are set up
 * from now on have the file read again. A file that is missing, as after a chroot, or that this
 * user may not read, has not changed: what was read of it stays. */
void certificates_refresh(struct certificates *certificates);

/* Has the handle check the certificate and the name of the service, and of a proxy that is spoken
 * to over TLS: always, against that file. */
CURLcode certificates_check(const struct certificates *certificates, CURL *easy);

/* Has the file parsed now, so that no step has to. False: the multi handle has failed, and is to be
 * closed. */
bool certificates_load(const struct certificates *certificates, struct multi *multi);

#endif
