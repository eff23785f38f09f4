/* rest.h - the pause of a whole client after a 429.
 *
 * The endpoint that answered 429 is held for as long as it asked (endpoint.h). The service may have
 * meant all endpoints, so the client sends nothing at all for that time, up to five seconds. Then
 * it sends one request as a probe. An answer other than 429 ends the rest. While the probe has no
 * answer, another one is sent every five seconds.
 *
 * Pure: the clock is passed in. */
#ifndef CEKURA_REST_H
#define CEKURA_REST_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed rest is valid: there is none. */
struct rest {
    enum { REST_NONE, REST_KEPT, REST_PROBED } state;
    int64_t until_us; /* nothing is sent before */
};

/* Begins a rest of that span, up to five seconds. */
void rest_begin(struct rest *rest, int64_t now_us, int64_t span_us);

/* A request is sent. Returns whether it is a probe. */
bool rest_probe(struct rest *rest, int64_t now_us);

/* The probe has ended without an answer: the next request becomes a probe. */
void rest_probe_again(struct rest *rest, int64_t now_us);

/* Ends the rest: the service accepts requests. */
void rest_end(struct rest *rest);

/* The time before which nothing is sent; 0 if there is no rest. */
int64_t rest_until_us(const struct rest *rest);

/* A lower bound of that time. It is 0 while a probe is in flight, since the probe's answer may end
 * the rest at any time. */
int64_t rest_certain_us(const struct rest *rest);

#endif
