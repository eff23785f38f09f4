/* stats.h - the counters of an engine. A counter that no part needs for its work is incremented in
 * struct engine; engine_stats() reads the others from their parts. */
#ifndef CEKURA_STATS_H
#define CEKURA_STATS_H

#include <stdint.h>

struct engine_stats {
    uint64_t requests; /* tries that were sent, first ones and repetitions */
    uint64_t retries;  /* repetitions among them */
    uint64_t connections;
    uint64_t bytes_in;
    unsigned in_flight, most_in_flight;
    unsigned polls;          /* struct pollers that were created */
    unsigned retry_quota;    /* tokens left, see retry.h */
    int64_t longest_step_us; /* the longest time a caller was blocked, by its step or another's */
};

#endif
