/* reading.h - what a connection accepts of a server, beyond what hiredis checks.
 *
 * hiredis aborts the process when a reply arrives that no command expects, and since 1.1 it reads
 * lists in lists of any depth, which it frees by recursion. */
#ifndef CEKURA_REDIS_READING_H
#define CEKURA_REDIS_READING_H

#include <hiredis/async.h>

struct reading {
    const redisAsyncContext *context;
    redisReplyObjectFunctions checked, *plain;
    const char
        *fault; /* why a reply was refused: hiredis reports that as a lack of memory; or NULL */
};

/* Checks what the context reads from now on. */
void reading_begin(struct reading *reading, redisAsyncContext *context);

#endif
