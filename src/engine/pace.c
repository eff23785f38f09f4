/* pace.c - the rate of requests after a 429; see pace.h. */
#include "pace.h"

#include <math.h>

#define SECOND_US INT64_C(1000000)
#define UNLIMITED ((double)INFINITY) /* INFINITY is a float */

/* The measured rate counts as at least this, since one request in the last second does not mean a
 * rate of one per second. Further 429 lower the rate below it, down to MIN_RATE. */
#define MIN_MEASURED 10.0
#define MIN_RATE 1.0

static double seconds(int64_t span_us)
{
    return (double)span_us / 1e6;
}

/* The rate over the last second. The count of an older second is weighted by the part of it that
 * lies in the last one. */
static double measured(const struct pace *pace, int64_t now_us)
{
    int64_t elapsed_us = now_us - pace->second_us;
    if (elapsed_us >= 2 * SECOND_US)
        return 0;
    if (elapsed_us >= SECOND_US)
        return pace->sent * seconds(2 * SECOND_US - elapsed_us);
    return pace->sent + pace->sent_before * seconds(SECOND_US - elapsed_us);
}

double pace_rate(const struct pace *pace, int64_t now_us)
{
    if (pace->refused == 0)
        return UNLIMITED;
    double elapsed = now_us > pace->since_us ? seconds(now_us - pace->since_us) : 0;
    return pace->refused * (0.7 + elapsed * elapsed / 200);
}

void pace_sent(struct pace *pace, int64_t now_us)
{
    int64_t elapsed_us = now_us - pace->second_us;
    if (elapsed_us >= SECOND_US) {
        pace->sent_before = elapsed_us < 2 * SECOND_US ? pace->sent : 0;
        pace->sent = 0;
        pace->second_us = now_us - elapsed_us % SECOND_US;
    }
    pace->sent++;
    double rate = pace_rate(pace, now_us);
    pace->next_us = now_us + (int64_t)(1e6 / rate);
}

void pace_slow_down(struct pace *pace, int64_t now_us, int64_t sent_us, int64_t until_us)
{
    if (pace->refused == 0 || sent_us >= pace->since_us) {
        double rate = measured(pace, now_us), allowed = pace_rate(pace, now_us);
        if (rate < MIN_MEASURED)
            rate = MIN_MEASURED;
        if (rate > allowed)
            rate = allowed;
        pace->refused = rate > MIN_RATE ? rate : MIN_RATE;
        pace->since_us = now_us;
    }
    if (until_us > pace->since_us)
        pace->since_us = until_us;
}
