/* names.h - names in the order of their bytes. */
#ifndef CEKURA_NAMES_H
#define CEKURA_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name {
    const char *text;
    size_t length;
    uint64_t order; /* eight bytes of the name as a number, by which most names are told apart */
    int tag;        /* the caller's */
};

/* Sorts names, which differ. `scratch` has room for as many. */
void names_sort(struct name *names, size_t count, struct name *scratch);

#endif
