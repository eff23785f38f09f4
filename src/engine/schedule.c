/* schedule.c - when a job is polled next; see schedule.h. */
#include "schedule.h"

#define FIRST_PAUSE_US INT64_C(1000000)

static int64_t plain_pause_us(const struct schedule *schedule)
{
    if (schedule->polls == 0 && !schedule->started_here)
        return 0;
    if (schedule->fixed_us > 0)
        return schedule->fixed_us;
    int64_t pause_us = FIRST_PAUSE_US;
    uint32_t growths = schedule->polls - (schedule->started_here || schedule->polls == 0 ? 0 : 1);
    for (uint32_t i = 0; i < growths && pause_us < schedule->usual_us; i++)
        pause_us += pause_us / 2;
    return pause_us < schedule->usual_us ? pause_us : schedule->usual_us;
}

/* The spacing of the grid for this pause. It is a power of two, so the grid of a long pause is a
 * part of that of a short one. */
static int64_t grain_us(int64_t pause_us)
{
    int64_t grain_us = 1;
    while (grain_us <= pause_us / 128)
        grain_us *= 2;
    return grain_us;
}

/* Jitter and rounding to the grid together change a pause by at most a tenth. */
int64_t schedule_due_us(const struct schedule *schedule, int64_t last_us, uint64_t random)
{
    int64_t pause = plain_pause_us(schedule);
    int64_t grain = grain_us(pause);
    int64_t most = pause / 10 - grain / 2;
    int64_t jitter = (int64_t)(random % (uint64_t)(2 * most + 1)) - most;
    return (last_us + pause + jitter + grain / 2) / grain * grain;
}
