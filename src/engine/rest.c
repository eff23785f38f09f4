/* rest.c - the pause of a whole client after a 429; see rest.h. */
#include "rest.h"

#define MAX_REST_US INT64_C(5000000)

void rest_begin(struct rest *rest, int64_t now_us, int64_t span_us)
{
    rest->state = REST_KEPT;
    rest->until_us = now_us + (span_us < MAX_REST_US ? span_us : MAX_REST_US);
}

bool rest_probe(struct rest *rest, int64_t now_us)
{
    if (rest->state == REST_NONE)
        return false;
    rest->state = REST_PROBED;
    rest->until_us = now_us + MAX_REST_US;
    return true;
}

void rest_probe_again(struct rest *rest, int64_t now_us)
{
    if (rest->state == REST_PROBED)
        rest_begin(rest, now_us, 0);
}

void rest_end(struct rest *rest)
{
    *rest = (struct rest){0};
}

int64_t rest_until_us(const struct rest *rest)
{
    return rest->until_us;
}

int64_t rest_certain_us(const struct rest *rest)
{
    return rest->state == REST_KEPT ? rest->until_us : 0;
}
