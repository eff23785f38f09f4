/* rest.h - how long a client sends nothing after a 429.
 *
 * The endpoint that answered it is left alone for as long as it asks (endpoint.h). Whether the
 * service means all that the client sends is not known, so nothing at all is sent for that long,
 * but for five seconds at most; then one request is sent as a test. Any other answer to it ends the
 * rest. As long as it has no answer, another is sent every five seconds.
 *
 * Pure: the clock is passed in. */
#ifndef CEKURA_REST_H
#define CEKURA_REST_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: no rest. */
struct rest {
    enum { REST_NONE, REST_KEPT, REST_TESTED } state;
    int64_t until_us; /* nothing is sent before */
};

/* The service asks for a pause of that span. */
void rest_begin(struct rest *rest, int64_t now_us, int64_t span_us);

/* A request is sent. Returns whether it is a test. */
bool rest_test(struct rest *rest, int64_t now_us);

/* The test has ended without an answer: another request becomes one. */
void rest_test_again(struct rest *rest, int64_t now_us);

/* The service takes requests. */
void rest_end(struct rest *rest);

/* Nothing is sent before; 0: there is no rest. */
int64_t rest_until_us(const struct rest *rest);

/* The same, as far as it is certain: a test in flight may end the rest at any time. */
int64_t rest_certain_us(const struct rest *rest);

#endif
