/* tls.c - TLS to a Redis server; see tls.h. */
#include "tls.h"

#include <stddef.h>

#ifdef CEKURA_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    SSL_CTX *context;
    SSL *ssl; /* of the handshake; hiredis frees it */
    char host[];
};

/* In the system's directory OpenSSL finds the certificates one by one, when they are needed. The
 * environment has no say in it, unlike in SSL_CTX_set_default_verify_paths(). */
static const char *read_certificates(SSL_CTX *context, const char *ca_file)
{
    if (!context)
        return "out of memory";
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    const char *directory = ca_file ? NULL : X509_get_default_cert_dir();
    int good = SSL_CTX_load_verify_locations(context, ca_file, directory);
    ERR_clear_error();
    return good ? NULL : "ca_file: no certificates can be read from it";
}

struct tls *tls_new(const char *host, const char *ca_file, const char **fault)
{
    struct tls *tls = calloc(1, sizeof *tls + strlen(host) + 1);
    if (!tls) {
        *fault = "out of memory";
        return NULL;
    }
    strcpy(tls->host, host);
    tls->context = SSL_CTX_new(TLS_client_method());
    *fault = read_certificates(tls->context, ca_file);
    if (!*fault)
        return tls;
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

static bool is_address(const char *host)
{
    struct in6_addr bytes;
    return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1;
}

/* An address is not sent to the server: RFC 6066, section 3. */
static bool expect_host(SSL *ssl, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, host);
}

bool tls_begin(struct tls *tls, redisAsyncContext *context)
{
    SSL *ssl = SSL_new(tls->context);
    if (ssl && expect_host(ssl, tls->host) && redisInitiateSSL(&context->c, ssl) == REDIS_OK) {
        tls->ssl = ssl;
        return true;
    }
    SSL_free(ssl);
    return false;
}

/* Why the handshake has failed, if it is not the connection that broke; else NULL. */
static const char *refusal(const SSL *ssl)
{
    long verified = SSL_get_verify_result(ssl);
    unsigned long error = ERR_peek_error();
    if (verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    if (error == 0 || ERR_GET_LIB(error) == ERR_LIB_SYS ||
        ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return NULL;
    const char *reason = ERR_reason_error_string(error);
    return reason ? reason : "unknown error";
}

enum tls_progress tls_shake(struct tls *tls, char *fault, size_t size)
{
    ERR_clear_error();
    int done = SSL_do_handshake(tls->ssl);
    int error = SSL_get_error(tls->ssl, done);
    if (done == 1)
        return TLS_DONE;
    if (error == SSL_ERROR_WANT_READ)
        return TLS_WANTS_INPUT;
    if (error == SSL_ERROR_WANT_WRITE)
        return TLS_WANTS_OUTPUT;
    const char *why = refusal(tls->ssl);
    if (why)
        snprintf(fault, size, "TLS: %s", why);
    else
        snprintf(fault, size, "the connection broke in the TLS handshake");
    ERR_clear_error();
    return why ? TLS_REFUSED : TLS_BROKEN;
}

#else

struct tls *tls_new(const char *host, const char *ca_file, const char **fault)
{
    (void)host;
    (void)ca_file;
    *fault = "TLS to Redis needs hiredis 1.0 or newer with TLS, which this build lacks";
    return NULL;
}

void tls_free(struct tls *tls)
{
    (void)tls;
}

bool tls_begin(struct tls *tls, redisAsyncContext *context)
{
    (void)tls;
    (void)context;
    return false;
}

enum tls_progress tls_shake(struct tls *tls, char *fault, size_t size)
{
    (void)tls;
    if (size > 0)
        *fault = '\0';
    return TLS_REFUSED;
}

#endif
