/* wide.h - numbers of 128 bits, for the conversion between doubles and decimal numbers. A double
 * has 53 bits, so the few last ones that are wrong hardly ever matter. Where they do, the C library
 * converts the number: it computes as many bits as it takes. */
#ifndef CEKURA_WIDE_H
#define CEKURA_WIDE_H

#include <stdint.h>

#ifdef __SIZEOF_INT128__ /* else the C library converts all */
typedef unsigned __int128 uint128;

/* bits * 2^exponent, rounded down. The highest bit is set. */
struct wide {
    uint128 bits;
    int exponent;
};

/* The bits of a power of ten, or of its product with one factor, are less than this too low. */
#define WIDE_ERROR 10

#define WIDE_LEAST_POWER (-342)
#define WIDE_MOST_POWER 341

struct wide wide_power_of_ten(int power);

/* The factor is not 0. */
void wide_multiply(struct wide *wide, uint64_t factor);
#endif

#endif
