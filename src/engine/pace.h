/* pace.h - how fast requests are sent after the service has said that they are too many (429).
 *
 * Until then there is no pace. A 429 sets it to seven tenths of what was sent; from there it grows,
 * slowly at first: after 8 s it is what was too many, after a minute near to twenty times that, and
 * so on until it bounds nothing. So a client that always wants more than it may have meets one 429
 * in about 8 s, and in between uses most of what it may.
 *
 * Pure: the clock is passed in. */
#ifndef CEKURA_PACE_H
#define CEKURA_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing sent, no pace. */
struct pace {
    int64_t second_us;          /* when the second that is counted began */
    unsigned sent, sent_before; /* in it, and in the one before */
    double too_many;            /* requests a second; 0: no pace */
    int64_t since_us;           /* when sending went on after that */
    int64_t next_us;            /* when the next may be sent */
};

/* A request is sent. */
void pace_sent(struct pace *pace, int64_t now_us);

/* The service has answered 429 to a request that was sent at `sent_us`, and asks for a pause until
 * `until_us`. A request that was sent before an earlier 429 took effect changes nothing. */
void pace_slow_down(struct pace *pace, int64_t now_us, int64_t sent_us, int64_t until_us);

/* Requests a second that may be sent now; infinite where there is no pace. */
double pace_rate(const struct pace *pace, int64_t now_us);

#endif
