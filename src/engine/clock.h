/* clock.h - the two clocks: one for deadlines, one for dates.
 *
 * Deadlines use the monotonic clock, so a change of the system's date does not move them. All times
 * of the engine are microseconds in an int64_t, named *_us. */
#ifndef CEKURA_CLOCK_H
#define CEKURA_CLOCK_H

#include <stdint.h>
#include <time.h>

/* "Never": later than every deadline, and far enough from INT64_MAX that adding to it is safe. */
#define CLOCK_NEVER (INT64_MAX / 4)

/* The longest span of time, about ten years. A longer one, from a caller or a server, is cut to it,
 * so that sums cannot overflow. */
#define CLOCK_LONGEST_US (INT64_C(10) * 366 * 86400 * 1000000)

static inline int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Seconds since the epoch, for HTTP dates. */
static inline int64_t clock_date_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

/* Converts seconds to microseconds. A negative number and NaN give 0. */
static inline int64_t clock_from_seconds(double seconds)
{
    if (!(seconds > 0))
        return 0;
    if (seconds >= (double)CLOCK_LONGEST_US / 1e6)
        return CLOCK_LONGEST_US;
    return (int64_t)(seconds * 1e6);
}

static inline double clock_to_seconds(int64_t span_us)
{
    return (double)span_us / 1e6;
}

#endif
