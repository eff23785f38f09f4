/* addresses.h - the addresses that libcurl keeps of names.
 *
 * It keeps each for a minute, also one at which nothing answers: a service that has moved would not
 * be found for so long. So the addresses of a connection that failed are dropped, and the next
 * request looks the names up again. */
#ifndef CEKURA_ADDRESSES_H
#define CEKURA_ADDRESSES_H

#include "engine_private.h"

/* The handle's connection has failed. Without memory the addresses stay: nothing else is lost. */
void addresses_distrust(struct engine *engine, CURL *easy);

/* Has libcurl drop what is distrusted when the handle's next transfer begins. Returns the list that
 * the handle uses then, to be freed once that has ended; NULL: nothing is to be dropped. */
struct curl_slist *addresses_drop(struct engine *engine, CURL *easy);

#endif
