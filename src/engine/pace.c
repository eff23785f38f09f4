/* pace.c - how fast requests are sent after a 429; see pace.h. */
#include "pace.h"

#include <math.h>

#define SECOND_US INT64_C(1000000)
#define INFINITE ((double)INFINITY) /* a float, as the standard has it */

/* A few requests at once are not a rate: a client that has sent one in the last second does not
 * take that for its pace. It gets slower than this by one 429 after the other. */
#define LEAST_AT_FIRST 10.0
#define LEAST 1.0

static double seconds(int64_t span_us)
{
    return (double)span_us / 1e6;
}

/* Of the second before as much counts as is not yet a second ago. */
static double measured(const struct pace *pace, int64_t now_us)
{
    int64_t gone_us = now_us - pace->second_us;
    if (gone_us >= 2 * SECOND_US)
        return 0;
    if (gone_us >= SECOND_US)
        return pace->sent * seconds(2 * SECOND_US - gone_us);
    return pace->sent + pace->sent_before * seconds(SECOND_US - gone_us);
}

double pace_rate(const struct pace *pace, int64_t now_us)
{
    if (pace->too_many == 0)
        return INFINITE;
    double elapsed = now_us > pace->since_us ? seconds(now_us - pace->since_us) : 0;
    return pace->too_many * (0.7 + elapsed * elapsed / 200);
}

void pace_sent(struct pace *pace, int64_t now_us)
{
    int64_t gone_us = now_us - pace->second_us;
    if (gone_us >= SECOND_US) {
        pace->sent_before = gone_us < 2 * SECOND_US ? pace->sent : 0;
        pace->sent = 0;
        pace->second_us = now_us - gone_us % SECOND_US;
    }
    pace->sent++;
    double rate = pace_rate(pace, now_us);
    pace->next_us = now_us + (int64_t)(1e6 / rate);
}

void pace_slow_down(struct pace *pace, int64_t now_us, int64_t sent_us, int64_t until_us)
{
    if (pace->too_many == 0 || sent_us >= pace->since_us) {
        double most = measured(pace, now_us), allowed = pace_rate(pace, now_us);
        if (most < LEAST_AT_FIRST)
            most = LEAST_AT_FIRST;
        if (most > allowed)
            most = allowed;
        pace->too_many = most > LEAST ? most : LEAST;
        pace->since_us = now_us;
    }
    if (until_us > pace->since_us)
        pace->since_us = until_us;
}
