/* check.h - assertions of the C targets. One that fails is a finding. */
#ifndef CEKURA_FUZZ_CHECK_H
#define CEKURA_FUZZ_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(promise)                                                                             \
    do {                                                                                           \
        if (!(promise)) {                                                                          \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The entry point of a target, called by libFuzzer and by replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#endif
