/* codes.c - the meaning of libcurl's error codes; see codes.h. */
#include "codes.h"

#include <stddef.h>

/* Codes that the headers of 7.87 do not define. */
#define CODE_TOO_LARGE ((CURLcode)100)    /* CURLE_TOO_LARGE, from 8.6 on */
#define CODE_ECH_REQUIRED ((CURLcode)101) /* CURLE_ECH_REQUIRED, from 8.8 on */

static const struct {
    CURLcode code;
    enum outcome_kind kind;
} meanings[] = {
    {CURLE_OK, OUTCOME_RESPONSE},
    /* The answer is not HTTP/1: HTTP/0.9, for example, has no head. */
    {CURLE_UNSUPPORTED_PROTOCOL, OUTCOME_MALFORMED},
    {CURLE_WEIRD_SERVER_REPLY, OUTCOME_MALFORMED},
    /* Repeating the request cannot help: libcurl cannot parse the URL, or was built without the
     * proxy's protocol or the version of TLS. */
    {CURLE_URL_MALFORMAT, OUTCOME_CONFIG},
    {CURLE_NOT_BUILT_IN, OUTCOME_CONFIG},
    /* No connection was established. */
    {CURLE_FAILED_INIT, OUTCOME_NETWORK},
    {CURLE_COULDNT_RESOLVE_PROXY, OUTCOME_NETWORK},
    {CURLE_COULDNT_RESOLVE_HOST, OUTCOME_NETWORK},
    {CURLE_COULDNT_CONNECT, OUTCOME_NETWORK},
    {CURLE_INTERFACE_FAILED, OUTCOME_NETWORK},
    {CURLE_NO_CONNECTION_AVAILABLE, OUTCOME_NETWORK},
    {CURLE_PROXY, OUTCOME_NETWORK},               /* see codes_socks_kind() */
    {CURLE_ABORTED_BY_CALLBACK, OUTCOME_NETWORK}, /* unsolicited bytes on an idle connection */
    /* The connection broke. */
    {CURLE_SEND_ERROR, OUTCOME_NETWORK},
    {CURLE_SEND_FAIL_REWIND, OUTCOME_NETWORK},
    {CURLE_RECV_ERROR, OUTCOME_NETWORK},
    {CURLE_GOT_NOTHING, OUTCOME_NETWORK},
    {CURLE_AGAIN, OUTCOME_NETWORK},
    {CURLE_UNRECOVERABLE_POLL, OUTCOME_NETWORK},
    {CURLE_SSL_SHUTDOWN_FAILED, OUTCOME_NETWORK},
    {CURLE_PARTIAL_FILE, OUTCOME_TRUNCATED},
    {CURLE_OPERATION_TIMEDOUT, OUTCOME_TIMEOUT},
    /* The peer cannot prove its identity, or the two sides have no version or cipher in common. */
    {CURLE_SSL_CONNECT_ERROR, OUTCOME_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, OUTCOME_TLS},
    {CURLE_SSL_CACERT_BADFILE, OUTCOME_TLS},
    {CURLE_SSL_CRL_BADFILE, OUTCOME_TLS},
    {CURLE_SSL_ISSUER_ERROR, OUTCOME_TLS},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, OUTCOME_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, OUTCOME_TLS},
    {CURLE_SSL_CLIENTCERT, OUTCOME_TLS},
    {CURLE_SSL_CERTPROBLEM, OUTCOME_TLS},
    {CURLE_SSL_CIPHER, OUTCOME_TLS},
    {CURLE_SSL_ENGINE_NOTFOUND, OUTCOME_TLS},
    {CURLE_SSL_ENGINE_SETFAILED, OUTCOME_TLS},
    {CURLE_SSL_ENGINE_INITFAILED, OUTCOME_TLS},
    {CURLE_USE_SSL_FAILED, OUTCOME_TLS},
    {CODE_ECH_REQUIRED, OUTCOME_TLS},
    /* The proxy rejects the client's credentials. */
    {CURLE_LOGIN_DENIED, OUTCOME_PROXY_REFUSED},
    {CURLE_AUTH_ERROR, OUTCOME_PROXY_REFUSED},
    /* The answer exceeds a limit, or has a content coding that cannot be decoded. */
    {CURLE_FILESIZE_EXCEEDED, OUTCOME_TOO_LARGE},
    {CODE_TOO_LARGE, OUTCOME_TOO_LARGE},
    {CURLE_BAD_CONTENT_ENCODING, OUTCOME_GARBLED},
    {CURLE_OUT_OF_MEMORY, OUTCOME_NO_MEMORY},
};

enum outcome_kind codes_kind(CURLcode code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].code == code)
            return meanings[i].kind;
    return OUTCOME_NETWORK;
}

enum outcome_kind codes_socks_kind(CURLproxycode code)
{
    switch (code) {
    case CURLPX_GSSAPI:
    case CURLPX_GSSAPI_PERMSG:
    case CURLPX_GSSAPI_PROTECTION:
    case CURLPX_IDENTD:
    case CURLPX_IDENTD_DIFFER:
    case CURLPX_LONG_PASSWD:
    case CURLPX_LONG_USER:
    case CURLPX_NO_AUTH:
    case CURLPX_REPLY_NOT_ALLOWED:
    case CURLPX_USER_REJECTED:
        return OUTCOME_PROXY_REFUSED;
    default:
        return OUTCOME_NETWORK;
    }
}
