/* jitter.c - random numbers for pauses: splitmix64. */
#include "jitter.h"

#include "clock.h"

#include <sys/random.h>

void jitter_seed(struct jitter *jitter)
{
    if (getrandom(&jitter->state, sizeof jitter->state, GRND_NONBLOCK) < 0)
        jitter->state = (uint64_t)clock_monotonic_us();
}

uint64_t jitter_next(struct jitter *jitter)
{
    uint64_t z = (jitter->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
