/* jitter.h - random numbers for pauses, not for secrets. */
#ifndef CEKURA_JITTER_H
#define CEKURA_JITTER_H

#include <stdint.h>

struct jitter {
    uint64_t state;
};

void jitter_seed(struct jitter *jitter);

/* 64 random bits. */
uint64_t jitter_next(struct jitter *jitter);

#endif
