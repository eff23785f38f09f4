/* stats.h - the counters of an engine. One that no part needs for its work is counted in the
 * engine's own struct; engine_stats() fills in the others from their parts. */
#ifndef CEKURA_STATS_H
#define CEKURA_STATS_H

#include <stdint.h>

struct engine_stats {
    uint64_t requests; /* tries that were sent off */
    uint64_t retries;  /* of these, the ones that repeated another */
    uint64_t connections;
    uint64_t bytes_in;
    unsigned in_flight, most_in_flight;
    unsigned polls;          /* polls that were made, as objects */
    unsigned retry_quota;    /* what is left of it, see retry.h */
    int64_t longest_step_us; /* that a caller was blocked, by its own step or by another thread's */
};

#endif
