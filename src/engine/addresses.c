/* addresses.c - eviction from libcurl's DNS cache; see addresses.h. */
#include "addresses.h"

#include "text/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_listed(const struct curl_slist *list, const char *entry)
{
    for (; list; list = list->next)
        if (strcmp(list->data, entry) == 0)
            return true;
    return false;
}

/* `peer` is "host:port" or NULL. CURLOPT_RESOLVE removes an entry whose name follows a "-". */
static void distrust(struct addresses *addresses, const char *peer)
{
    size_t room = peer ? strlen(peer) + 2 : 0;
    char *entry = room ? malloc(room) : NULL;
    if (!entry)
        return;
    snprintf(entry, room, "-%s", peer);
    if (!is_listed(addresses->distrusted, entry)) {
        struct curl_slist *longer = curl_slist_append(addresses->distrusted, entry);
        if (longer)
            addresses->distrusted = longer;
    }
    free(entry);
}

/* Both names, because with SOCKS 4 and 5 libcurl resolves the service as well as the proxy. */
void addresses_distrust(struct addresses *addresses, CURL *easy, const char *proxy_peer)
{
    char *url = NULL;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    char *peer = url ? url_peer(url) : NULL;
    distrust(addresses, peer);
    distrust(addresses, proxy_peer);
    free(peer);
}

struct curl_slist *addresses_drop(struct addresses *addresses, CURL *easy)
{
    struct curl_slist *list = addresses->distrusted;
    if (!list || curl_easy_setopt(easy, CURLOPT_RESOLVE, list) != CURLE_OK)
        return NULL;
    addresses->distrusted = NULL;
    return list;
}
