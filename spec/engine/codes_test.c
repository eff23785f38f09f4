/* codes_test.c - libcurl's error codes: each one that can occur has its kind of outcome. */
#include "engine/codes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_kind(enum outcome_kind kind, const CURLcode *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (codes_kind(codes[i]) != kind)
            fail_msg("%d, %s: %d, not %d", codes[i], curl_easy_strerror(codes[i]),
                codes_kind(codes[i]), kind);
}

#define ASSERT_KIND(kind, ...)                                                                     \
    assert_kind(kind, (const CURLcode[]){__VA_ARGS__},                                             \
        sizeof((const CURLcode[]){__VA_ARGS__}) / sizeof(CURLcode))

static void codes_have_their_kinds(void **state)
{
    (void)state;
    ASSERT_KIND(OUTCOME_RESPONSE, CURLE_OK);
    ASSERT_KIND(OUTCOME_NETWORK, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST,
        CURLE_COULDNT_CONNECT, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING,
        CURLE_ABORTED_BY_CALLBACK, CURLE_PROXY, CURLE_NO_CONNECTION_AVAILABLE);
    ASSERT_KIND(OUTCOME_TLS, CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CLIENTCERT, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
        CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED);
    ASSERT_KIND(OUTCOME_TIMEOUT, CURLE_OPERATION_TIMEDOUT);
    ASSERT_KIND(OUTCOME_TRUNCATED, CURLE_PARTIAL_FILE);
    ASSERT_KIND(OUTCOME_MALFORMED, CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL);
    ASSERT_KIND(OUTCOME_TOO_LARGE, CURLE_FILESIZE_EXCEEDED, (CURLcode)100);
    ASSERT_KIND(OUTCOME_GARBLED, CURLE_BAD_CONTENT_ENCODING);
    ASSERT_KIND(OUTCOME_CONFIG, CURLE_URL_MALFORMAT, CURLE_NOT_BUILT_IN);
    ASSERT_KIND(OUTCOME_PROXY_REFUSED, CURLE_LOGIN_DENIED, CURLE_AUTH_ERROR);
    ASSERT_KIND(OUTCOME_NO_MEMORY, CURLE_OUT_OF_MEMORY);
}

/* A new libcurl may have new codes, and such an error may be transient. */
static void an_unknown_code_is_network(void **state)
{
    (void)state;
    ASSERT_KIND(OUTCOME_NETWORK, CURLE_FTP_ACCEPT_FAILED, CURLE_TFTP_PERM, CURLE_OBSOLETE76,
        (CURLcode)102, (CURLcode)999, (CURLcode)-1);
}

static void no_error_gives_a_response(void **state)
{
    (void)state;
    for (int code = 1; code < 300; code++)
        assert_int_not_equal(codes_kind((CURLcode)code), OUTCOME_RESPONSE);
}

static void a_socks_proxy_refuses_or_fails(void **state)
{
    (void)state;
    static const CURLproxycode refusals[] = {CURLPX_NO_AUTH, CURLPX_USER_REJECTED,
        CURLPX_REPLY_NOT_ALLOWED, CURLPX_IDENTD, CURLPX_LONG_USER, CURLPX_GSSAPI};
    static const CURLproxycode failures[] = {CURLPX_CLOSED, CURLPX_RESOLVE_HOST,
        CURLPX_REPLY_HOST_UNREACHABLE, CURLPX_REPLY_CONNECTION_REFUSED, CURLPX_REQUEST_FAILED,
        CURLPX_REPLY_GENERAL_SERVER_FAILURE, CURLPX_OK, (CURLproxycode)999};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        assert_int_equal(codes_socks_kind(refusals[i]), OUTCOME_PROXY_REFUSED);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        assert_int_equal(codes_socks_kind(failures[i]), OUTCOME_NETWORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_their_kinds),
        cmocka_unit_test(an_unknown_code_is_network),
        cmocka_unit_test(no_error_gives_a_response),
        cmocka_unit_test(a_socks_proxy_refuses_or_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
