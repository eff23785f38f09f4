/* tls.h - TLS to a Redis server, by OpenSSL. hiredis has it since 1.0; with an older one, tls_new()
 * fails.
 *
 * hiredis does not check the name in a certificate, and keeps back why a handshake fails. So the
 * handshake is made here, with an SSL object of our own, which then is hiredis's. */
#ifndef CEKURA_REDIS_TLS_H
#define CEKURA_REDIS_TLS_H

#include <hiredis/async.h>
#include <stdbool.h>

struct tls;

/* For a host, a name or an address, which the server's certificate has to have. It is checked by
 * the certificates in `ca_file`, or if that is NULL, by those of the system. Returns NULL, and sets
 * *fault, if the file holds none, memory runs out, or there is no TLS. */
struct tls *tls_new(const char *host, const char *ca_file, const char **fault);

/* NULL is accepted. */
void tls_free(struct tls *tls);

/* Begins a handshake on a context that is connected. Returns false if memory runs out, or the
 * connection is broken. */
bool tls_begin(struct tls *tls, redisAsyncContext *context);

enum tls_progress {
    TLS_DONE,
    TLS_WANTS_INPUT,
    TLS_WANTS_OUTPUT,
    TLS_BROKEN, /* the connection is */
    TLS_REFUSED /* the server's certificate is, or there is no common version, or no TLS at all */
};

/* Goes on with the handshake as far as the socket allows. `fault` says why it has failed. */
enum tls_progress tls_shake(struct tls *tls, char *fault, size_t size);

#endif
