/* step.c - the time slice of one step of an engine; see step.h. */
#include "step.h"

#include "clock.h"
#include "process.h"

/* Time alone is no measure: in one call libcurl reads all that a socket has, and on a busy machine
 * time passes without work. */
#define BYTES_PER_STEP ((size_t)256 * 1024)

void step_begin(struct step *step, int64_t slice_us)
{
    step->began_us = clock_monotonic_us();
    step->until_us = step->began_us + slice_us;
    step->bytes = BYTES_PER_STEP;
}

void step_record(struct step *step, int64_t span_us)
{
    if (span_us > step->longest_us)
        step->longest_us = span_us;
}

void step_take(struct step *step, size_t length)
{
    step->bytes -= length < step->bytes ? length : step->bytes;
}

bool step_is_over(const struct step *step)
{
    return step->bytes == 0 || clock_monotonic_us() >= step->until_us ||
           (step->background && (gate_is_wanted(step->background) || process_is_wanted()));
}
