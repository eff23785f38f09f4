/* retry.h - what may be sent again, and after which pause.
 *
 * Pure: the clock and the random number are passed in. The rule is "never twice": what starts work
 * at the service is repeated only when it certainly was not processed. */
#ifndef CEKURA_RETRY_H
#define CEKURA_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How one try ended. */
enum try_end {
    TRY_ANSWERED, /* a whole answer, whatever its status */
    TRY_CUT,      /* no answer, or only a part of one: refused, reset, timed out, truncated */
    TRY_STARVED,  /* nothing left this machine: the process had no descriptor for it */
    TRY_HOPELESS, /* the same would happen again: bad certificate, body too large, no memory */
};

struct try_result {
    enum try_end end;
    int status;             /* of the answer; 0 without one */
    bool sent;              /* a byte of the request left, so it may have been processed */
    bool silent;            /* not one byte came back */
    bool reused;            /* it went out on a connection that had been idle */
    int64_t retry_after_us; /* what Retry-After asks for; negative: nothing */
};

struct retry_history {
    bool repeatable;    /* GET and HEAD: reading twice does no harm */
    unsigned tries;     /* made so far, the one that just ended included */
    unsigned limit;     /* how many there may be */
    bool stale_excused; /* the one free repetition after a stale connection has been used */
};

enum retry_choice {
    RETRY_NO,
    RETRY_AT_ONCE,     /* the connection was stale: costs no try, happens once */
    RETRY_AFTER_PAUSE, /* after retry_pause_us() */
    RETRY_WITH_ROOM,   /* likewise, until the deadline: costs no try and no tokens */
};

enum retry_choice retry_decide(
    const struct retry_history *history, const struct try_result *result);

/* What all operations of a client may repeat, so that an outage is not made worse: a bucket of
 * tokens, as in the standard mode of the AWS SDKs and with its figures. A repetition costs 5 of
 * 500, after a try without an answer 10. A success gives back what its repetition took, or else 1.
 */
struct retry_quota {
    unsigned left;
};
#define RETRY_QUOTA_FULL 500u

/* Takes the cost of one more try after one that ended so, and sets `paid` to it. False: too little
 * is left for one. */
bool retry_quota_take(struct retry_quota *quota, const struct try_result *result, unsigned *paid);

/* After a success; `paid`: what the repetition that brought it took, 0 for a first try. */
void retry_quota_refill(struct retry_quota *quota, unsigned paid);

/* The pause before the next try: what Retry-After says, else a random time up to a bound that
 * doubles with every try ("full jitter": clients that failed together do not come back together).
 * `random` is any 64 random bits. */
int64_t retry_pause_us(unsigned tries, int64_t retry_after_us, uint64_t random);

/* How long a Retry-After holds back an endpoint, or the next poll: as long as it asks for, but no
 * longer than a day, however absurd it is; 0 for none. */
int64_t retry_hold_us(int64_t retry_after_us);

/* The value of a Retry-After header, seconds or one of the three forms of an HTTP date (RFC 9110,
 * 10.2.3 and 5.6.7). A date in the past gives 0, an absurd span is cut to CLOCK_LONGEST_US, what is
 * neither gives -1. `now_s`: seconds since the epoch. */
int64_t retry_after_us(const char *value, size_t length, int64_t now_s);

/* An HTTP date, in seconds since the epoch; negative: it is not one, or before the epoch. */
int64_t retry_date_s(const char *value, size_t length);

#endif
