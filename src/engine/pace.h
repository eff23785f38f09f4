/* pace.h - the rate of requests after a 429 (Too Many Requests).
 *
 * Before the first 429 the rate is unlimited. A 429 limits it to 70 % of the rate that was refused.
 * The limit then grows quadratically: after 8 s it reaches the refused rate, after a minute almost
 * twenty times that, until it has no effect. So a client that always has more to send meets one 429
 * in about 8 s, and uses most of the allowed rate in between.
 *
 * Pure: the clock is passed in. */
#ifndef CEKURA_PACE_H
#define CEKURA_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed pace is valid: nothing was sent, and the rate is unlimited. */
struct pace {
    int64_t second_us;          /* when the current second of the count began */
    unsigned sent, sent_before; /* requests in it, and in the second before */
    double refused;             /* the refused rate, requests per second; 0: none */
    int64_t since_us;           /* when sending resumed after that */
    int64_t next_us;            /* when the next request may be sent */
};

/* Records that a request is sent, and sets next_us. */
void pace_sent(struct pace *pace, int64_t now_us);

/* The service has answered 429 to a request that was sent at `sent_us`, and sending pauses until
 * `until_us`. A request that was sent before an earlier 429 took effect does not lower the rate. */
void pace_slow_down(struct pace *pace, int64_t now_us, int64_t sent_us, int64_t until_us);

/* The requests per second that may be sent now; infinity if the rate is unlimited. */
double pace_rate(const struct pace *pace, int64_t now_us);

#endif
