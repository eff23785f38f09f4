/* retry.h - whether a request is sent again, and after which pause.
 *
 * The rule is "never twice": a request that starts work at the service is repeated only if it
 * certainly was not processed.
 *
 * Pure: the clock and the random number are passed in. */
#ifndef CEKURA_RETRY_H
#define CEKURA_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How one try ended. */
enum try_end {
    TRY_ANSWERED, /* a complete answer, whatever its status */
    TRY_CUT,      /* no complete answer: refused, reset, timed out, truncated */
    TRY_STARVED,  /* nothing was sent, because no descriptor was free */
    TRY_HOPELESS, /* a repetition would fail, too: bad certificate, body too large, no memory */
};

struct try_result {
    enum try_end end;
    int status;             /* of the answer; 0 without one */
    bool sent;              /* a byte of the request was sent, so it may have been processed */
    bool silent;            /* not one byte was received */
    bool reused;            /* it used a connection that had been idle */
    int64_t retry_after_us; /* from Retry-After; negative if there is none */
};

struct retry_history {
    bool repeatable;    /* see request_is_repeatable() */
    unsigned tries;     /* so far, including the one that has just ended */
    unsigned limit;     /* of tries */
    bool stale_excused; /* the one free repetition after a stale connection is used up */
};

enum retry_choice {
    RETRY_NO,
    RETRY_AT_ONCE,     /* after a stale connection: costs no try, once */
    RETRY_AFTER_PAUSE, /* after retry_pause_us() */
    RETRY_WITH_ROOM,   /* likewise, but repeatedly until the deadline: costs no try and no tokens */
};

enum retry_choice retry_decide(
    const struct retry_history *history, const struct try_result *result);

/* A token bucket for the repetitions of all operations of an engine, so that retries do not make an
 * outage worse. The figures are those of the standard mode of the AWS SDKs. A repetition costs 5 of
 * 500 tokens, or 10 after a try without an answer. A success returns what its repetition cost, or
 * else 1. */
struct retry_quota {
    unsigned left;
};
#define RETRY_QUOTA_FULL 500u

/* Takes the cost of a repetition after a try with that result, and sets *paid to it. Returns false
 * if too few tokens are left. */
bool retry_quota_take(struct retry_quota *quota, const struct try_result *result, unsigned *paid);

/* Returns tokens after a success. `paid` is the cost of the repetition that succeeded, or 0 for a
 * first try. */
void retry_quota_refill(struct retry_quota *quota, unsigned paid);

/* The pause before the next try: Retry-After, else a random time up to a bound that doubles with
 * every try ("full jitter": clients that failed together do not return together). `random` is any
 * 64 random bits. */
int64_t retry_pause_us(unsigned tries, int64_t retry_after_us, uint64_t random);

/* How long a Retry-After holds an endpoint, or delays the next poll: at most a day; 0 if there is
 * none. */
int64_t retry_hold_us(int64_t retry_after_us);

/* Parses the value of a Retry-After header: seconds, or one of the three forms of an HTTP date (RFC
 * 9110, 10.2.3 and 5.6.7). `now_s` is the current time in seconds since the epoch. A date in the
 * past gives 0. A longer span than CLOCK_LONGEST_US is cut to it. Any other value gives -1. */
int64_t retry_after_us(const char *value, size_t length, int64_t now_s);

/* Parses an HTTP date into seconds since the epoch. Anything else gives a negative number, as does
 * a date before the epoch. */
int64_t retry_date_s(const char *value, size_t length);

#endif
