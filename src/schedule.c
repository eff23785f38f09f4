/* schedule.c - when a job is polled next; see schedule.h. */
#include "schedule.h"

#define FIRST_PAUSE_US INT64_C(1000000)

/* The pause plus or minus a tenth of it. */
static int64_t jittered(int64_t pause_us, uint64_t random)
{
    int64_t tenth = pause_us / 10;
    return pause_us - tenth + (int64_t)(random % (uint64_t)(2 * tenth + 1));
}

int64_t schedule_pause_us(const struct schedule *schedule, uint64_t random)
{
    if (schedule->polls == 0 && !schedule->started_here)
        return 0;
    if (schedule->fixed_us > 0)
        return jittered(schedule->fixed_us, random);
    int64_t pause_us = FIRST_PAUSE_US;
    uint32_t growths = schedule->polls - (schedule->started_here || schedule->polls == 0 ? 0 : 1);
    for (uint32_t i = 0; i < growths && pause_us < schedule->usual_us; i++)
        pause_us += pause_us / 2;
    if (pause_us > schedule->usual_us)
        pause_us = schedule->usual_us;
    return jittered(pause_us, random);
}
