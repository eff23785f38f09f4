/* url_test.c - parses base URLs. The result decides whether the key may be sent unencrypted, so
 * most cases are attempts to make a remote host look like this machine. */
#include "text/url.h"

#include <curl/curl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_is_empty(const struct url *url)
{
    assert_null(url->origin);
    assert_null(url->host);
    assert_null(url->path);
    assert_false(url->secure);
    assert_false(url->loopback);
}

static void read_url(struct url *url, const char *text)
{
    const char *fault = url_parse(url, text);
    if (fault)
        fail_msg("'%s' is refused: %s", text, fault);
}

static void assert_refused(const char *text)
{
    struct url url;
    const char *fault = url_parse(&url, text);
    if (!fault)
        fail_msg("'%s' is taken for '%s%s'", text, url.origin, url.path);
    assert_true(strlen(fault) > 0);
    assert_is_empty(&url);
    url_free(&url); /* allowed after a fault */
}

static void assert_all_refused(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(texts[i]);
}

/* Parses `text`, and then the resulting origin, to which requests are sent. */
static void assert_read_as(const char *text, const char *origin, const char *path)
{
    char again[300];
    struct url url;
    read_url(&url, text);
    if (strcmp(url.origin, origin) != 0 || strcmp(url.path, path) != 0)
        fail_msg("'%s' is read as '%s' and '%s', not '%s' and '%s'", text, url.origin, url.path,
            origin, path);
    assert_int_equal(url.secure, strncmp(origin, "https:", 6) == 0);
    snprintf(again, sizeof again, "%s%s", url.origin, url.path);

    struct url second;
    read_url(&second, again);
    assert_string_equal(second.origin, url.origin);
    assert_string_equal(second.host, url.host);
    assert_string_equal(second.path, url.path);
    assert_int_equal(second.secure, url.secure);
    assert_int_equal(second.loopback, url.loopback);
    url_free(&second);
    url_free(&url);
}

struct reading {
    const char *text, *origin, *path;
};

static void assert_all_read_as(const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_read_as(readings[i].text, readings[i].origin, readings[i].path);
}

static void assert_loopback(const char *text, bool loopback)
{
    struct url url;
    read_url(&url, text);
    if (url.loopback != loopback)
        fail_msg("'%s' is%s taken for this machine", text, loopback ? " not" : "");
    url_free(&url);
}

/* Asserts that the host is refused, or at least not taken for this machine. */
static void assert_never_loopback(const char *text)
{
    struct url url;
    if (!url_parse(&url, text) && url.loopback)
        fail_msg("'%s' is taken for this machine, as '%s'", text, url.host);
    url_free(&url);
}

static void a_url_is_split_into_scheme_host_port_and_path(void **state)
{
    (void)state;
    struct url url;
    read_url(&url, "https://api.example.com:8443/v1/agents");
    assert_string_equal(url.origin, "https://api.example.com:8443");
    assert_string_equal(url.host, "api.example.com");
    assert_string_equal(url.path, "/v1/agents");
    assert_true(url.secure);
    assert_false(url.loopback);
    url_free(&url);
    assert_is_empty(&url);
    url_free(&url);
}

static void scheme_and_host_become_lower_case(void **state)
{
    (void)state;
    const struct reading readings[] = {
        {"HTTPS://API.Example.COM", "https://api.example.com", ""},
        {"hTTp://LOCALHOST", "http://localhost", ""},
        {"https://[FE80::A]", "https://[fe80::a]", ""},
        {"https://AZaz09-.example", "https://azaz09-.example", ""},
    };
    assert_all_read_as(readings, COUNT(readings));
}

static void the_case_of_a_path_is_kept(void **state)
{
    (void)state;
    assert_read_as("https://h/Some/PATH", "https://h", "/Some/PATH");
}

static void the_default_port_is_dropped(void **state)
{
    (void)state;
    const struct reading readings[] = {
        {"https://h:443", "https://h", ""},
        {"https://h:443/v1", "https://h", "/v1"},
        {"https://h:0443", "https://h", ""},
        {"http://h:80/", "http://h", ""},
        {"http://127.0.0.1:80", "http://127.0.0.1", ""},
        {"https://[::1]:443", "https://[::1]", ""},
        {"https://h:/v1", "https://h", "/v1"},
    };
    assert_all_read_as(readings, COUNT(readings));
}

static void another_port_is_kept(void **state)
{
    (void)state;
    const struct reading readings[] = {
        {"https://h:80", "https://h:80", ""},
        {"http://h:443", "http://h:443", ""},
        {"https://h:8443/", "https://h:8443", ""},
        {"https://h:08443/", "https://h:8443", ""},
        {"http://h:1", "http://h:1", ""},
        {"http://h:65535/x", "http://h:65535", "/x"},
        {"http://[::1]:8080/x", "http://[::1]:8080", "/x"},
    };
    assert_all_read_as(readings, COUNT(readings));
}

static void an_invalid_port_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"https://h:0", "https://h:00/x", "https://h:65536",
        "https://h:4294967739", "https://h:-1", "https://h:+443", "https://h:x", "https://h:443x",
        "https://h:443:443", "https://h::443", "https://h:44.3", "https://h:0x1bb"};
    assert_all_refused(texts, COUNT(texts));
}

static void trailing_slashes_are_dropped(void **state)
{
    (void)state;
    const struct reading readings[] = {
        {"https://h", "https://h", ""},
        {"https://h/", "https://h", ""},
        {"https://h//", "https://h", ""},
        {"https://h/////", "https://h", ""},
        {"https://h/v1/", "https://h", "/v1"},
        {"https://h/v1///", "https://h", "/v1"},
    };
    assert_all_read_as(readings, COUNT(readings));
}

/* A service behind a reverse proxy may have one. */
static void a_prefix_is_kept(void **state)
{
    (void)state;
    const struct reading readings[] = {
        {"https://h/v1", "https://h", "/v1"},
        {"https://h/a/b/c", "https://h", "/a/b/c"},
        {"https://h/a//b", "https://h", "/a//b"},
        {"https://h/a%20b", "https://h", "/a%20b"},
        {"https://h/a.b-c_d~e", "https://h", "/a.b-c_d~e"},
        {"https://h/a;b=c,d", "https://h", "/a;b=c,d"},
        {"https://h/a@b:c", "https://h", "/a@b:c"},
    };
    assert_all_read_as(readings, COUNT(readings));
}

static void dots_in_a_prefix_are_resolved(void **state)
{
    (void)state;
    const struct reading readings[] = {
        {"https://h/a/../b", "https://h", "/b"},
        {"https://h/a/./b/", "https://h", "/a/b"},
        {"https://h/../../b", "https://h", "/b"},
        {"https://h/a/..", "https://h", ""},
    };
    assert_all_read_as(readings, COUNT(readings));
}

static void every_address_of_127_is_this_machine(void **state)
{
    (void)state;
    const char *const texts[] = {"http://127.0.0.1", "http://127.0.0.0", "http://127.0.0.1:8080/x",
        "http://127.255.255.255", "http://127.1.2.3/", "https://127.0.0.1"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_loopback(texts[i], true);
}

static void localhost_is_this_machine_in_any_case(void **state)
{
    (void)state;
    const char *const texts[] = {
        "http://localhost", "http://LOCALHOST", "http://LocalHost:8080/x", "https://localhost"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_loopback(texts[i], true);
}

static void the_loopback_address_of_ipv6_is_this_machine(void **state)
{
    (void)state;
    const char *const texts[] = {"http://[::1]", "http://[::1]:8080/x", "http://[::0001]",
        "http://[0:0:0:0:0:0:0:1]", "http://[0000:0000:0000:0000:0000:0000:0000:0001]",
        "https://[::1]"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_loopback(texts[i], true);
}

static void other_addresses_are_not_this_machine(void **state)
{
    (void)state;
    const char *const texts[] = {"http://128.0.0.1", "http://126.255.255.255", "http://1.127.0.0",
        "http://10.0.0.127", "http://0.0.0.0", "http://192.168.0.1", "http://[::]", "http://[::2]",
        "http://[1::1]", "http://[::1:1]", "http://[fe80::1]", "http://[::127.0.0.1]",
        "https://api.cekura.ai"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_loopback(texts[i], false);
}

/* Their owners may point these names anywhere. */
static void names_similar_to_localhost_are_not_this_machine(void **state)
{
    (void)state;
    const char *const texts[] = {"http://localhost.evil.com", "http://127.0.0.1.nip.io",
        "http://127.0.0.1.evil.com", "http://evil.com.localhost.evil.com", "http://xlocalhost",
        "http://localhostx", "http://localhost-", "http://local", "http://evil.com/localhost",
        "http://evil.com/127.0.0.1", "http://evil.com:8080/@localhost", "http://127.evil.com",
        "http://127-0-0-1.evil.com", "http://x127.0.0.1", "http://127.0.0.1x", "http://127.0.0.0.1",
        "http://127.0.0.256"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_loopback(texts[i], false);
}

/* URL parsers disagree on each of these. */
static void tricks_do_not_make_another_host_this_machine(void **state)
{
    (void)state;
    const char *const texts[] = {"http://localhost@evil.com", "http://127.0.0.1:80@evil.com",
        "http://localhost:80%40evil.com", "http://evil.com#@localhost",
        "http://evil.com?@localhost", "http://evil.com\\@localhost", "http://localhost\\.evil.com",
        "http://localhost\\@evil.com", "http://localhost%2eevil.com",
        "http://localhost%2f.evil.com", "http://localhost%23.evil.com",
        "http://localhost%00.evil.com", "http://127.0.0.1%00.evil.com",
        "http://localhost;.evil.com", "http://localhost,evil.com", "http://localhost .evil.com",
        "http://localhost\t.evil.com", "http://evil.com%00localhost", "http://127%2e0.0.1.nip.io",
        "http://[::1].evil.com", "http://[::1]evil.com", "http://[::1]@evil.com",
        "http://[localhost]", "http://[127.0.0.1]", "http://::1", "http://[::1"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_never_loopback(texts[i]);
}

/* Old notations of an address, and escapes, are accepted as long as the connection goes to the
 * checked address, so the result has to be the plain notation. */
static void other_spellings_of_an_address_are_refused_or_normalized(void **state)
{
    (void)state;
    const char *const texts[] = {"http://127.1", "http://127.0.1", "http://2130706433",
        "http://0x7f000001", "http://0x7f.0.0.1", "http://0177.0.0.1", "http://0177.1",
        "http://%31%32%37.0.0.1", "http://127.0.0.%31"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct url url;
        if (url_parse(&url, texts[i]) == NULL)
            assert_read_as(texts[i], "http://127.0.0.1", "");
        url_free(&url);
    }
    struct url url;
    if (url_parse(&url, "http://%6cocal%68ost") == NULL)
        assert_read_as("http://%6cocal%68ost", "http://localhost", "");
    url_free(&url);
}

/* Parsed again, it would be another host to the connection than to the check, or invalid. */
static void a_host_that_parses_differently_again_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"https://api%2541.example", "https://127%252e0.0.1",
        "https://%25%33%31.example/", "https:/h%25%3312", "https://h%7f"};
    assert_all_refused(texts, COUNT(texts));
}

/* The zone is the interface of a link-local address. Without it the address is a different one. */
static void an_address_with_a_zone_is_refused(void **state)
{
    (void)state;
    struct url url;
    bool refused = url_parse(&url, "https://[fe80::1%25eth0]:8443/v1") != NULL;
    bool kept = !refused && strstr(url.origin, "eth0");
    url_free(&url);
    assert_true(refused || kept);
}

static void a_user_name_or_a_password_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"https://user@h", "https://user:password@h/", "https://user:@h",
        "https://:password@h", "https://a@b@h", "https://user:pass:word@h", "https://us%40er@h"};
    assert_all_refused(texts, COUNT(texts));
}

/* Otherwise paths that are appended to the base URL would become part of its query. */
static void a_query_or_a_fragment_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"https://h?a", "https://h/?a=b", "https://h/v1?a=b&c",
        "https://h#a", "https://h/#a", "https://h/v1#a", "https://h/v1?a#b", "https://h??",
        "https://h/#?"};
    assert_all_refused(texts, COUNT(texts));
}

/* Only some versions of libcurl distinguish an empty one from a missing one. */
static void an_empty_query_or_fragment_is_refused_or_dropped(void **state)
{
    (void)state;
    const char *const texts[] = {"https://h?", "https://h/?", "https://h#", "https://h/#"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct url url;
        if (url_parse(&url, texts[i]) == NULL)
            assert_read_as(texts[i], "https://h", "");
        url_free(&url);
    }
}

static void a_scheme_other_than_https_and_http_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"ftp://h", "ftps://h", "file:///etc/passwd", "file://h/x",
        "ws://h", "wss://h/", "gopher://h", "httpx://h", "httpss://h", "htt://h", "xhttps://h",
        "mailto:a@b.c", "javascript:alert(1)", "data:,x"};
    assert_all_refused(texts, COUNT(texts));
}

static void a_url_without_a_scheme_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"api.cekura.ai", "api.cekura.ai/v1", "localhost", "127.0.0.1",
        "localhost:8080", "//api.cekura.ai", "/v1", "://h", ":", "h", "https", "https:", "https:h",
        "?a", "#a", "."};
    assert_all_refused(texts, COUNT(texts));
}

static void a_url_without_a_host_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"https://", "https:///", "http://:80", "http://:80/x",
        "https://?a", "https://#a", "https://@", "http://[]", "http://[]:80"};
    assert_all_refused(texts, COUNT(texts));
}

static void an_empty_text_is_refused(void **state)
{
    (void)state;
    assert_refused("");
}

/* A line break would let an attacker end the request line or a header. */
static void control_characters_and_spaces_are_refused_anywhere(void **state)
{
    (void)state;
    const char *const forms[] = {"%chttps://h/v1", "ht%ctps://h/v1", "https:%c//h/v1",
        "https://%ch/v1", "https://ex%cample/v1", "https://h%c/v1", "https://h:%c443/v1",
        "https://h:443%c/v1", "https://h/%cv1", "https://h/v%c1", "https://h/v1%c"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        for (int c = 1; c <= 0x7f; c++) {
            char text[64];
            if (c > ' ' && c < 0x7f)
                continue;
            snprintf(text, sizeof text, forms[i], c);
            assert_refused(text);
        }
    }
}

static void a_host_with_an_invalid_character_is_refused(void **state)
{
    (void)state;
    for (const char *c = "!\"$&'()*+,;<=>\\^`{}"; *c; c++) {
        char text[64];
        snprintf(text, sizeof text, "https://ex%cample.com/v1", *c);
        assert_refused(text);
    }
    assert_refused("https://ex%2fample.com");
    assert_refused("https://ex%0aample.com");
    assert_refused("https://ex%20ample.com");
    assert_refused("https://[::1]x");
    assert_refused("https://[12345::]");
    assert_refused("https://[::1");
    assert_refused("https://::1");
}

/* ---- memory that ends ---- */

static unsigned long until_failure = ULONG_MAX;

static bool fails(void)
{
    return until_failure-- == 0;
}

static void *failing_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static void *failing_realloc(void *old, size_t size)
{
    return fails() ? NULL : realloc(old, size);
}

static char *failing_strdup(const char *text)
{
    return fails() ? NULL : strdup(text);
}

static void *failing_calloc(size_t count, size_t size)
{
    return fails() ? NULL : calloc(count, size);
}

/* Whichever allocation in libcurl fails, the result is the same, or the fault is a lack of memory.
 * A URL that is refused anyway may be refused for any reason. */
static void assert_same_when_memory_ends(const char *text)
{
    struct url expected, url;
    const char *refusal = url_parse(&expected, text), *fault;
    unsigned long n = 0;
    do {
        until_failure = n++;
        fault = url_parse(&url, text);
        if (until_failure > n) /* it has failed */
            until_failure = 0;
        if (fault && !refusal)
            assert_string_equal(fault, "cannot be read: out of memory");
        if (!fault) {
            assert_null(refusal);
            assert_string_equal(url.origin, expected.origin);
            assert_string_equal(url.path, expected.path);
            url_free(&url);
        }
    } while (until_failure == 0);
    until_failure = ULONG_MAX;
    assert_true(n > 3);
    url_free(&expected);
}

/* Whether libcurl encodes such a name depends on the locale of the program. */
static void a_host_that_cannot_be_resolved_is_refused(void **state)
{
    (void)state;
    static const char label_63[] =
        "123456789012345678901234567890123456789012345678901234567890123";
    static const char *const texts[] = {("https://b\xc3\xbc"
                                         "cher.example"),
        "https://b%C3%BCcher.example", "https://\xe4\xbe\x8b\xe3\x81\x88.jp:8443/x", "https://\xff",
        "https://a..b", "https://.example", "https://..", "https://.", "https://example.."};
    char text[400];
    assert_all_refused(texts, COUNT(texts));

    snprintf(text, sizeof text, "https://%s4.example", label_63);
    assert_refused(text);
    snprintf(text, sizeof text, "https://%s.%s.%s.%s", label_63, label_63, label_63, label_63);
    assert_refused(text);
    snprintf(text, sizeof text, "https://%s.example", label_63);
    assert_read_as(text, text, "");
    assert_read_as("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "");
    assert_read_as("https://under_score.example.", "https://under_score.example.", "");
}

/* ---- proxies ---- */

static void assert_proxy(const char *text, const char *peer, bool secure, bool loopback)
{
    struct proxy proxy;
    const char *fault = url_parse_proxy(&proxy, text);
    if (fault)
        fail_msg("'%s' is refused: %s", text, fault);
    if (strcmp(proxy.peer, peer) != 0 || proxy.secure != secure || proxy.loopback != loopback)
        fail_msg("'%s' is read as '%s', %d, %d", text, proxy.peer, proxy.secure, proxy.loopback);
    url_free_proxy(&proxy);
    assert_null(proxy.peer);
}

static void a_proxy_has_libcurls_default_port(void **state)
{
    (void)state;
    assert_proxy("http://proxy.example:3128", "proxy.example:3128", false, false);
    assert_proxy("proxy.example", "proxy.example:1080", false, false);
    assert_proxy("HTTP://user:p%40ss@proxy.example.", "proxy.example:1080", false, false);
    assert_proxy("https://proxy.example", "proxy.example:443", true, false);
    assert_proxy("HTTPS://proxy.example:8443/", "proxy.example:8443", true, false);
    assert_proxy("socks5h://10.0.0.1", "10.0.0.1:1080", false, false);
    assert_proxy("socks://localhost:9050", "localhost:9050", false, true);
    assert_proxy("127.0.0.1:1", "127.0.0.1:1", false, true);
    assert_proxy("http://[::1]:3128", "[::1]:3128", false, true);
}

static void an_invalid_proxy_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "http://", "ftp://proxy", "ftp.proxy.example",
        "nonsense://proxy:1", "http://proxy:port", "http://proxy:65536", "http://proxy:0", "a b",
        "http://pr\xc3\xb6xy", "http://pr%C3%B6xy", "socks5://a..b", "http://a@b@c:1"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct proxy proxy;
        const char *fault = url_parse_proxy(&proxy, texts[i]);
        if (!fault)
            fail_msg("'%s' is taken for '%s'", texts[i], proxy.peer);
        assert_null(proxy.peer);
        url_free_proxy(&proxy);
    }
}

static void assert_peer(const char *url, const char *expected)
{
    char *peer = url_peer(url);
    assert_non_null(peer);
    assert_string_equal(peer, expected);
    free(peer);
}

static void the_peer_of_a_url_is_its_host_with_a_port(void **state)
{
    (void)state;
    assert_peer("https://api.example.com/v1/?a=b#c", "api.example.com:443");
    assert_peer("http://localhost.:8080/", "localhost:8080");
    assert_peer("http://[::1]/x", "[::1]:80");
    assert_null(url_peer("http://"));
    assert_null(url_peer(""));
}

static void without_memory_a_proxy_is_parsed_rightly_or_refused(void **state)
{
    (void)state;
    unsigned long n = 0;
    do {
        struct proxy proxy;
        until_failure = n++;
        const char *fault = url_parse_proxy(&proxy, "https://user:word@proxy.example:8443");
        if (until_failure > n) /* it has failed */
            until_failure = 0;
        if (!fault) {
            assert_string_equal(proxy.peer, "proxy.example:8443");
            assert_true(proxy.secure);
        }
        url_free_proxy(&proxy);
    } while (until_failure == 0);
    until_failure = ULONG_MAX;
    assert_true(n > 3);
}

static void without_memory_a_url_is_parsed_rightly_or_refused(void **state)
{
    (void)state;
    assert_same_when_memory_ends("https://api.example.com:8443/prefix/");
    assert_same_when_memory_ends("http://127.0.0.1:8080");
    assert_same_when_memory_ends("https://user@api.example.com");
    assert_same_when_memory_ends("https://user:word@api.example.com");
    assert_same_when_memory_ends("https://api.example.com/?a=b");
    assert_same_when_memory_ends("https://api.example.com/#a");
    assert_same_when_memory_ends("http://[fe80::1%25eth0]/");
}

int main(void)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, failing_malloc, free, failing_realloc,
            failing_strdup, failing_calloc) != CURLE_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_split_into_scheme_host_port_and_path),
        cmocka_unit_test(scheme_and_host_become_lower_case),
        cmocka_unit_test(the_case_of_a_path_is_kept),
        cmocka_unit_test(the_default_port_is_dropped),
        cmocka_unit_test(another_port_is_kept),
        cmocka_unit_test(an_invalid_port_is_refused),
        cmocka_unit_test(trailing_slashes_are_dropped),
        cmocka_unit_test(a_prefix_is_kept),
        cmocka_unit_test(dots_in_a_prefix_are_resolved),
        cmocka_unit_test(every_address_of_127_is_this_machine),
        cmocka_unit_test(localhost_is_this_machine_in_any_case),
        cmocka_unit_test(the_loopback_address_of_ipv6_is_this_machine),
        cmocka_unit_test(other_addresses_are_not_this_machine),
        cmocka_unit_test(names_similar_to_localhost_are_not_this_machine),
        cmocka_unit_test(tricks_do_not_make_another_host_this_machine),
        cmocka_unit_test(other_spellings_of_an_address_are_refused_or_normalized),
        cmocka_unit_test(a_host_that_parses_differently_again_is_refused),
        cmocka_unit_test(an_address_with_a_zone_is_refused),
        cmocka_unit_test(a_user_name_or_a_password_is_refused),
        cmocka_unit_test(a_query_or_a_fragment_is_refused),
        cmocka_unit_test(an_empty_query_or_fragment_is_refused_or_dropped),
        cmocka_unit_test(a_scheme_other_than_https_and_http_is_refused),
        cmocka_unit_test(a_url_without_a_scheme_is_refused),
        cmocka_unit_test(a_url_without_a_host_is_refused),
        cmocka_unit_test(an_empty_text_is_refused),
        cmocka_unit_test(control_characters_and_spaces_are_refused_anywhere),
        cmocka_unit_test(a_host_with_an_invalid_character_is_refused),
        cmocka_unit_test(without_memory_a_url_is_parsed_rightly_or_refused),
        cmocka_unit_test(a_host_that_cannot_be_resolved_is_refused),
        cmocka_unit_test(a_proxy_has_libcurls_default_port),
        cmocka_unit_test(an_invalid_proxy_is_refused),
        cmocka_unit_test(the_peer_of_a_url_is_its_host_with_a_port),
        cmocka_unit_test(without_memory_a_proxy_is_parsed_rightly_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
