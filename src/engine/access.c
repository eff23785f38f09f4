/* access.c - who may use an engine, and when; see access.h. */
#include "access.h"

#include "process.h"

void access_open(struct access *access)
{
    *access = (struct access){.gate = GATE_OPEN, .generation = process_generation()};
}

static bool is_of_this_process(const struct access *access)
{
    return access->generation == process_generation();
}

/* In a forked child the thread in the background is missing, and may have left the gate locked. */
void access_enter(struct access *access)
{
    if (is_of_this_process(access))
        access_record(access, gate_enter(&access->gate));
}

void access_leave(struct access *access)
{
    if (is_of_this_process(access))
        gate_leave(&access->gate);
}

void access_enter_last(struct access *access)
{
    gate_enter_last(&access->gate);
    process_hold();
}

void access_leave_last(struct access *access)
{
    process_release();
    gate_leave_last(&access->gate);
}

bool access_is_open(const struct access *access)
{
    return !access->closed && is_of_this_process(access);
}

void access_record(struct access *access, int64_t span_us)
{
    if (span_us > access->longest_us)
        access->longest_us = span_us;
}
