/* jitter.h - random numbers for pauses, by splitmix64. They are not fit for secrets. */
#ifndef CEKURA_JITTER_H
#define CEKURA_JITTER_H

#include <stdint.h>

struct jitter {
    uint64_t state; /* any number seeds it */
};

/* 64 random bits. */
static inline uint64_t jitter_next(struct jitter *jitter)
{
    uint64_t z = (jitter->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
