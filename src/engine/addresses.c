/* addresses.c - the addresses that libcurl keeps of names; see addresses.h. */
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

/* `peer`: "host:port", as CURLOPT_RESOLVE takes it behind a "-"; NULL: there is none. */
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

/* Both, for through SOCKS 4 and 5 it is this end that looks up both names. */
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
