/* addresses.h - the addresses that libcurl keeps of names.
 *
 * It keeps each for a minute, also one at which nothing answers: a service that has moved would not
 * be found for so long. So the addresses of a connection that failed are dropped, and the next
 * request looks the names up again. */
#ifndef CEKURA_ADDRESSES_H
#define CEKURA_ADDRESSES_H

#include <curl/curl.h>

struct addresses {
    struct curl_slist *distrusted; /* of peers, as CURLOPT_RESOLVE takes them */
};

/* The handle's connection has failed: distrusts the addresses of its service, and of the proxy
 * ("host:port"; NULL: there is none). Without memory the addresses stay. */
void addresses_distrust(struct addresses *addresses, CURL *easy, const char *proxy_peer);

/* Has libcurl drop what is distrusted when the handle's next transfer begins. Returns the list that
 * the handle uses then, to be freed once that has ended; NULL: nothing is to be dropped. */
struct curl_slist *addresses_drop(struct addresses *addresses, CURL *easy);

#endif
