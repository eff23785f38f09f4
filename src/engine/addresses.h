/* addresses.h - eviction from libcurl's DNS cache.
 *
 * libcurl caches the addresses of a name for a minute, including addresses that do not answer. A
 * service that has moved would be unreachable for that long. So after a failed connection the names
 * are evicted, and the next request resolves them again. */
#ifndef CEKURA_ADDRESSES_H
#define CEKURA_ADDRESSES_H

#include <curl/curl.h>

struct addresses {
    struct curl_slist *distrusted; /* peers to evict, in the format of CURLOPT_RESOLVE */
};

/* Marks the service of a handle whose connection failed, and the proxy ("host:port", or NULL), for
 * eviction. If memory runs out, their addresses stay in the cache. */
void addresses_distrust(struct addresses *addresses, CURL *easy, const char *proxy_peer);

/* Has libcurl evict the marked peers when the handle's next transfer begins. Returns the list that
 * the handle refers to until that transfer has ended; the caller frees it afterwards. Returns NULL
 * if nothing is marked. */
struct curl_slist *addresses_drop(struct addresses *addresses, CURL *easy);

#endif
